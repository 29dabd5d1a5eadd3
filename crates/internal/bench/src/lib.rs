//! What redress costs, beside other crates that do the same: time, instructions, allocations and
//! sizes, case by case.
//!
//! In reading order: what is run (`operation`, `case`, `cases`), what is measured of it (`timing`,
//! `threads`, `callgrind`, `allocations`, `sizes`, `growth`), and how it is told (`report`). The
//! program is `harness`; nothing here fails because of a figure.

#![forbid(unsafe_code)]

mod operation;

mod case;
mod cases;

mod allocations;
mod callgrind;
mod growth;
mod sizes;
mod threads;
mod timing;

mod report;

mod harness;

pub use crate::harness::run;
