//! The stress test: threads and tasks call shared policies for a while, in real time and on the
//! real drivers, with failures, hints, aborts, cancellations, panics and clocks that misbehave.
//! Afterwards all accounts must balance.
//!
//! In reading order: the command line (`arguments`), the operations and the policies that are
//! called (`operation`, `hooks`, `subject`, `scene`), the callers (`callers`, `cancel`), what is
//! counted (`call`, `timelines`, `budgets`, `breakers`, `witness`), and the course of a storm
//! (`storm`, `watchdog`, `report`). The laws, the record of a call that they judge, and the
//! reference breaker are those of redress-proof.
//!
//! The verdict depends on laws, never on speed. A seed fixes the random choices of each caller, not
//! how the callers interleave.
//!
//! Attacks R1, R2, R3, R4, B1, C1, C2, C3, C4, C5.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::Arguments;

mod arguments;
mod panics;

mod clock;
mod budgets;
mod breakers;
mod witness;

mod call;
mod timelines;

mod operation;
mod hooks;
mod subject;
mod scene;

mod cancel;
mod callers;

mod memory;
mod watchdog;
mod report;
mod storm;

fn main() -> ExitCode {
    if storm::run(&Arguments::parse()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
