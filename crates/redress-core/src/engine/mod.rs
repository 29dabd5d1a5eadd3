//! The state and decisions of one call: start, then success, failure or abort, until it ends.
//!
//! `fast_path.rs` starts a call, and `run.rs` holds its transitions, with a shorter version for
//! most calls in `plain.rs`. `gates.rs` decides whether a failure is retried, `deadline.rs`
//! computes the time left, `admission.rs` calls the breaker, `account.rs` the budget, and
//! `events.rs` sends every event and calls every attempt hook.
//!
//! The engine never reads a clock, sleeps or awaits, and is not generic over the caller's types: it
//! takes instants and classifications, and returns verdicts.

mod call_observers;
mod events;
mod flags;

mod account;
mod admission;
mod deadline;
mod fast_path;
mod gates;
mod plain;
mod run;
mod state;

pub(crate) use self::fast_path::FastPath;
pub(crate) use self::flags::Flags;
pub(crate) use self::plain::PlainVerdict;
pub(crate) use self::run::{FailureView, Run, Verdict};
pub(crate) use self::state::{Failures, RunState, Step};
