//! The conformance table: behaviour recorded from the Python original, for every driver to reproduce.
//!
//! Owns reading scenarios, building policies from them and comparing what happened with what must happen. Does not know
//! how a driver waits: that comes in as an argument. The format is described in `conformance/FORMAT.md` of this crate.
//!
//! A driver's test is a few lines: [`public_scenarios`], then [`run_blocking`] or [`run_async`] for each, then
//! [`Scenario::mismatches`].

mod asynchronous;
mod blocking;
mod number;
mod parts;
mod recording;
mod scenario;
mod trace;

pub use self::asynchronous::run_async;
pub use self::blocking::run_blocking;
pub use self::scenario::{Scenario, ScenarioError, parse, public_scenarios};
pub use self::trace::{Mismatch, Trace};
