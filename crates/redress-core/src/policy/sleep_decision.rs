//! What may stand between a failure and the next attempt: the sleep handler's answer and the hooks
//! around a wait.
//!
//! Owns the words and the hook types. When they are asked is the engine's business, how time passes
//! the drivers'.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::closed_set::closed_set;
use crate::strategy::BackoffContext;

/// A sleep handler's answer to "this call would now wait so long".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SleepDecision {
    /// Wait here, then try again. If the delay does not fit the deadline, the call ends as
    /// [`DeadlineExceeded`](crate::StopReason::DeadlineExceeded) instead.
    Sleep,
    /// End the call as [`Scheduled`](crate::StopReason::Scheduled): somebody else, such as a queue,
    /// calls again after the delay, which the outcome carries.
    Defer,
    /// End the call as [`Aborted`](crate::StopReason::Aborted).
    Abort,
}

closed_set! {
    /// Every decision, in declaration order.
    SleepDecision { Sleep, Defer, Abort }
}

impl SleepDecision {
    /// The decision's name, such as `defer`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sleep => "sleep",
            Self::Defer => "defer",
            Self::Abort => "abort",
        }
    }
}

impl fmt::Display for SleepDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A boxed future that a hook of an asynchronous call returns.
pub type HookFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(crate) type SleepFn<'h> = dyn Fn(&BackoffContext<'_>, Duration) -> SleepDecision + Send + Sync + 'h;
pub(crate) type BeforeSleepFn<'h> = dyn Fn(&BackoffContext<'_>, Duration) + Send + Sync + 'h;
pub(crate) type AsyncBeforeSleepFn<'h> = dyn Fn(&BackoffContext<'_>, Duration) -> HookFuture + Send + Sync + 'h;
pub(crate) type SleeperFn<'h> = dyn Fn(Duration) + Send + Sync + 'h;
pub(crate) type AsyncSleeperFn<'h> = dyn Fn(Duration) -> HookFuture + Send + Sync + 'h;
