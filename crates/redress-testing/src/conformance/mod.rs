//! The conformance table: behaviour recorded from the Python original, for every driver to reproduce.
//!
//! Owns reading scenarios, building policies from them and comparing what happened with what must happen. Does not know
//! how a driver waits: that comes in as an argument. The format is described in `conformance/FORMAT.md` of this crate.
//!
//! A driver's test is a few lines: [`public_scenarios`], then [`run_blocking`], [`run_async`] or [`run_integrated`] for each, then
//! [`Scenario::mismatches`].
//!
//! The classifier tables are judged by [`judge_tables`], which takes no driver: see there.

mod asynchronous;
mod blocking;
mod class_name;
mod number;
mod parts;
mod recording;
mod scenario;
mod tables;
mod trace;

pub use self::asynchronous::{Integration, run_async, run_driven, run_integrated};
pub use self::blocking::run_blocking;
pub use self::scenario::{Scenario, ScenarioError, parse, public_scenarios};
pub use self::tables::{
    IntendedDifference, MetDifference, PUBLIC_TABLES, TableReport, TablesError, TablesReport, UnbuiltTable, WrongRow,
    judge_tables,
};
pub use self::trace::{Mismatch, Trace};
