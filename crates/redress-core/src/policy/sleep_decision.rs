//! [`SleepDecision`], the result of a sleep handler, and the types of the hooks around a wait.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::closed_set::closed_set;
use crate::strategy::BackoffContext;

/// What a sleep handler decides about the wait before a retry.
///
/// ```
/// use std::io::{Error, ErrorKind};
/// use std::time::Duration;
/// use redress::{Policy, Retry, SleepDecision, StopReason, fixed};
///
/// let retry = Retry::builder().strategy(fixed(Duration::from_secs(30)));
/// let policy = Policy::builder()
///     .retry(retry)
///     .sleep_handler(|_, delay| {
///         if delay > Duration::from_secs(1) { SleepDecision::Defer } else { SleepDecision::Sleep }
///     })
///     .build()?;
/// let outcome = policy.execute(|| Err::<(), _>(Error::from(ErrorKind::ConnectionReset)));
/// assert_eq!(outcome.stop_reason(), Some(StopReason::Scheduled));
/// assert_eq!(outcome.next_delay(), Some(Duration::from_secs(30)));
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SleepDecision {
    /// Wait, then retry. If the delay does not fit the deadline, the call ends as
    /// [`DeadlineExceeded`](crate::StopReason::DeadlineExceeded) instead.
    Sleep,
    /// End the call as [`Scheduled`](crate::StopReason::Scheduled), so that a queue or scheduler
    /// can call again after the delay. The outcome contains the delay.
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

/// The boxed future of an asynchronous hook.
pub type HookFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(crate) type SleepFn<'h> = dyn Fn(&BackoffContext<'_>, Duration) -> SleepDecision + Send + Sync + 'h;
pub(crate) type BeforeSleepFn<'h> = dyn Fn(&BackoffContext<'_>, Duration) + Send + Sync + 'h;
pub(crate) type AsyncBeforeSleepFn<'h> = dyn Fn(&BackoffContext<'_>, Duration) -> HookFuture + Send + Sync + 'h;
pub(crate) type SleeperFn<'h> = dyn Fn(Duration) + Send + Sync + 'h;
pub(crate) type AsyncSleeperFn<'h> = dyn Fn(Duration) -> HookFuture + Send + Sync + 'h;
