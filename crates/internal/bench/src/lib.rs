//! Measures the cost of redress, case by case, beside other crates that do the same: time,
//! instructions, allocations and sizes.
//!
//! In reading order: the code to run (`operation`, `server`, `case`, `cases`), the measurements
//! (`timing`, `threads`, `callgrind`, `allocations`, `sizes`, `growth`, `keyed`), and the report
//! (`report`). The program is `harness`; no figure makes it fail.

#![forbid(unsafe_code)]

mod operation;
mod server;

mod case;
mod cases;

mod allocations;
mod callgrind;
mod growth;
mod keyed;
mod sizes;
mod threads;
mod timing;

mod report;

mod harness;

pub use crate::harness::run;
