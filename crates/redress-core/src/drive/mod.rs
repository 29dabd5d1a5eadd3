//! The drivers, which run operations and wait. The engine makes every decision.
//!
//! `blocking.rs` is the blocking loop and `machine.rs` the asynchronous state machine. The machine
//! is used in two forms: `call_future.rs` for operations that return futures, and `poll_call.rs`
//! for integrations that poll calls manually. `call.rs` contains the steps that both drivers share.

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
pub(crate) mod boxed_context;
pub(crate) mod poll_call;
pub(crate) mod late;
pub(crate) mod caller;
mod callers;
