//! One call's state: start, then fail or succeed or abort, until done.
//!
//! Owns every decision of a call. `source.rs` is where a call finds its settings, `opening.rs` a call before anything
//! happened, `run.rs` its life after that; `gates.rs` decides whether a failure is retried, `emit.rs` is where every event and
//! attempt hook comes from, `observing.rs` what observers send along with a call, `flags.rs` what a call has to bother with.
//!
//! Nothing here reads a clock, sleeps, awaits or is generic over the caller's types: instants and classifications
//! come in as arguments, verdicts go out.

mod emit;
mod flags;
mod gates;
mod observing;
mod opening;
mod run;
mod source;

pub(crate) use self::flags::Flags;
pub(crate) use self::opening::Opening;
pub(crate) use self::run::{Failed, Run, Verdict};
pub(crate) use self::source::{Borrowed, Shared, Source};
