//! The drivers: they run the operation and wait, and leave every decision to the engine.
//!
//! `blocking.rs` is the blocking loop, `machine.rs` the asynchronous one, `poll_call.rs` its form for code that cannot
//! write `async`. `steps.rs` is what they share.

pub(crate) mod attempt;
pub(crate) mod clock;
pub(crate) mod timer;
pub(crate) mod steps;
pub(crate) mod guarded;
pub(crate) mod blocking;
pub(crate) mod machine;
pub(crate) mod asynchronous;
pub(crate) mod poll_call;
pub(crate) mod caller;
