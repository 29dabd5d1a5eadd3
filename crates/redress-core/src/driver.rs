//! Timers, clocks, and ways to drive a call other than `call`.
//!
//! - Implement [`Timer`] for a runtime that redress does not support, and [`Clock`] for a custom
//!   source of time.
//! - A [`PollCall`] is a call that is polled manually, for integrations.
//! - [`Frame`] tells code inside an operation of the call around it, and carries that to tasks.
//! - [`Caller`] and [`AsyncCaller`] let a test replace a policy.

pub use crate::drive::attempt::Attempt;
pub use crate::drive::boxed_context::BoxedContext;
pub use crate::drive::caller::{AsyncCaller, Caller};
pub use crate::drive::clock::Clock;
pub use crate::drive::late::LateFailure;
pub use crate::drive::poll_call::{PollCall, PollOperation};
pub use crate::drive::timer::{InstantTimer, NoTimer, Timer};
pub use crate::nesting::{Frame, Scoped};
