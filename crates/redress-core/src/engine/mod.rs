//! One call's state and decisions: start, then fail or succeed or abort, until done.
//!
//! `fast_path.rs` starts a call and `run.rs` is its life, `plain.rs` that of most; `gates.rs`
//! decides whether a failure is retried, `deadline.rs` what is left of the time, `admission.rs`
//! what the breaker says, and `events.rs` is where every event and attempt hook comes from.
//!
//! Nothing here reads a clock, sleeps, awaits or is generic over the caller's types: instants and
//! classifications come in as arguments, verdicts go out.

mod call_observers;
mod events;
mod flags;

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
pub(crate) use self::state::{RunState, Step};
