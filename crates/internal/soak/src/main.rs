//! The stress test: threads and tasks call shared policies for a while, in real time and on the
//! real drivers, with failures, hints, aborts, cancellations, panics and clocks that misbehave.
//! Afterwards all accounts must balance.
//!
//! In reading order: the command line (`arguments`), the laws (`law`), the choices of a caller and
//! the policies it calls (`dice`, `operation`, `subject`, `scene`), the callers (`thread_caller`,
//! `task_caller`, `permits`, `weather`), the counts (`census`, `call`, `witness`, `ledger`), and
//! the course and end of a storm (`storm`, `watchdog`, `aftermath`, `report`).
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

mod law;
mod panics;

mod clock;
mod ledger;
mod purse;
mod edges;
mod circuit;
mod witness;

mod census;
mod call;
mod timelines;

mod dice;
mod operation;
mod pupil;
mod hooks;
mod subject;
mod scene;

mod permits;
mod thread_caller;
mod cancel;
mod task_caller;
mod weather;

mod memory;
mod watchdog;
mod report;
mod aftermath;
mod storm;

fn main() -> ExitCode {
    if storm::run(&Arguments::parse()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
