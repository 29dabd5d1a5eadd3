//! One call's state: start, then fail or succeed or abort, until done.
//!
//! Owns every decision of a call. `fast_path.rs` is a call before anything happened, `run.rs` its life after that;
//! `gates.rs` decides whether a failure is retried, `events.rs` is where every event and
//! attempt hook comes from, `call_observers.rs` who hears of one call in particular, `flags.rs` what a call has to bother with.
//!
//! Nothing here reads a clock, sleeps, awaits or is generic over the caller's types: instants and classifications
//! come in as arguments, verdicts go out.

mod call_observers;
mod events;
mod flags;
mod gates;

mod fast_path;
mod run;

pub(crate) use self::fast_path::Opening;
pub(crate) use self::flags::Flags;
pub(crate) use self::run::{Failed, Run, RunState, Verdict};
