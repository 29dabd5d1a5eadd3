//! The drivers: they run the operation and wait, and leave every decision to the engine.
//!
//! `blocking.rs` is the blocking loop, `machine.rs` the asynchronous one. `call_future.rs` and
//! `poll_call.rs` are its two forms: futures of `async` operations, and calls of integrations that
//! are polled by hand. `call.rs` holds the steps that the loop and the machine share.

pub(crate) mod attempt;
pub(crate) mod clock;
pub(crate) mod epoch;
pub(crate) mod timer;
pub(crate) mod failed_attempt;
pub(crate) mod finish;
pub(crate) mod call;
mod detached;
mod rendezvous;
pub(crate) mod blocking;
mod blocking_context;
pub(crate) mod guarded;
pub(crate) mod poll_context;
pub(crate) mod machine;
mod machine_steps;
pub(crate) mod call_future;
pub(crate) mod asynchronous;
pub(crate) mod poll_call;
pub(crate) mod late;
pub(crate) mod caller;
mod callers;
