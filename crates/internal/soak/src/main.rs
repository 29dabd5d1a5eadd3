//! Storms: threads and tasks hammer shared policies for a while, in real time and on the real
//! drivers, with failures, hints, aborts, cancellations, panics and clocks that misbehave. When it
//! is over, the books have to balance.
//!
//! In reading order: the command line (`arguments`), what must hold (`law`), what a caller does and
//! to whom (`dice`, `operation`, `subject`, `scene`), who does it (`thread_caller`, `task_caller`,
//! `permits`, `weather`), what is counted (`census`, `call`, `witness`, `ledger`), and how it ends
//! (`storm`, `watchdog`, `aftermath`, `report`).
//!
//! The verdict is about laws and never about speed. A seed fixes what each caller draws, not how
//! the callers interleave.
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
