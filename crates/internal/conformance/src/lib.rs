//! Compares redress with behaviour recorded from the Python original.
//!
//! `data/` holds two recordings, in the format that `data/FORMAT.md` describes:
//!
//! - **Scenarios** are configurations and series of calls, each with its expected course. [`parse`]
//!   reads them, [`recorded_scenarios`] returns those of this crate, a [`Driver`] runs them, and
//!   [`Scenario::mismatches`] compares.
//! - **Tables** are inputs of classifiers and header parsers with the original's answers.
//!   [`judge_tables`] reads and judges them, [`RECORDED_TABLES`] holds those of this crate, and
//!   [`differences`] lists the intended differences.
//!
//! **Vectors** of breakers, [`BreakerVector`], and of earned budgets, [`BudgetVector`], come from
//! models of the rules. [`Vector`] plays them.
//!
//! The tests run every scenario through every driver and judge every table.
//! `cargo xtask conformance` does the same with other files.

#![forbid(unsafe_code)]

mod breakers;
mod budgets;
mod class_name;
mod number;
mod vector;

mod scenario;
mod trace;

mod parts;
mod recording;

#[cfg(test)]
mod explained;
#[cfg(test)]
mod resumed;

mod asynchronous;
mod blocking;
mod by_hand;
#[cfg(feature = "runtimes")]
mod drivers;

mod tables;

pub use crate::asynchronous::{Integration, run_async, run_integrated};
pub use crate::blocking::run_blocking;
pub use crate::breakers::{BREAKER_VECTORS, BreakerVector};
pub use crate::budgets::{BUDGET_VECTORS, BudgetVector};
pub use crate::by_hand::run_driven;
#[cfg(feature = "runtimes")]
pub use crate::drivers::{DRIVERS, Driver};
pub use crate::scenario::{Scenario, ScenarioError, parse, recorded_scenarios};
pub use crate::tables::{
    BroadDifference, Difference, MetDifference, RECORDED_TABLES, TableReport, TablesError, TablesReport, UnbuiltTable,
    WrongRow, differences, judge_tables,
};
pub use crate::trace::{Mismatch, Trace};
pub use crate::vector::{Vector, WrongStep};
