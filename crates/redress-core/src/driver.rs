//! What drives calls: timers and clocks for other runtimes, calls that are polled by hand, and the
//! traits that let a test replace a policy.

pub use crate::drive::attempt::Attempt;
pub use crate::drive::caller::{AsyncCaller, Caller};
pub use crate::drive::clock::Clock;
pub use crate::drive::late::LateFailure;
pub use crate::drive::poll_call::{PollCall, PollOperation};
pub use crate::drive::timer::{InstantTimer, NoTimer, Timer};
