//! How a call ended, in full: the value or what failed last, why it stopped, and what it took.
//!
//! Owns the outcome and its parts. Made by the drivers from what the engine recorded.

use std::fmt;
use std::time::Duration;

use crate::classify::class::ErrorClass;
use crate::closed_set::closed_set;
use crate::outcome::call_error::{AbortedError, CallError, CircuitOpenError, FailedError, RetryExhaustedError};
use crate::outcome::stop_reason::StopReason;
use crate::outcome::timeline::RetryTimeline;

/// What failed in an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The operation returned an error.
    Error,
    /// The operation returned a value that the classifier calls a failure.
    Result,
    /// The attempt ran into its timeout.
    Timeout,
}

closed_set! {
    /// Every cause, in declaration order.
    Cause { Error, Result, Timeout }
}

impl Cause {
    /// The cause's name in metrics and logs: `exception`, `result` or `timeout`. The first is the Python original's
    /// word, kept so that dashboards go on working.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "exception",
            Self::Result => "result",
            Self::Timeout => "timeout",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The failure of one attempt, by value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure<T, E> {
    /// The operation's error.
    Error(E),
    /// The operation's value, which the classifier calls a failure.
    Result(T),
    /// The attempt was stopped at its timeout, so there is neither.
    Timeout,
}

impl<T, E> Failure<T, E> {
    /// What failed.
    #[must_use]
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Error(_) => Cause::Error,
            Self::Result(_) => Cause::Result,
            Self::Timeout => Cause::Timeout,
        }
    }

    /// The error, if it is one.
    #[must_use]
    pub const fn error(&self) -> Option<&E> {
        match self {
            Self::Error(error) => Some(error),
            _ => None,
        }
    }

    /// The value, if it is one.
    #[must_use]
    pub const fn result(&self) -> Option<&T> {
        match self {
            Self::Result(value) => Some(value),
            _ => None,
        }
    }

    /// The same with an error changed by `map`.
    #[must_use]
    pub fn map_error<F>(self, map: impl FnOnce(E) -> F) -> Failure<T, F> {
        match self {
            Self::Error(error) => Failure::Error(map(error)),
            Self::Result(value) => Failure::Result(value),
            Self::Timeout => Failure::Timeout,
        }
    }

    /// The error by value, if it is one.
    #[must_use]
    pub fn into_error(self) -> Option<E> {
        match self {
            Self::Error(error) => Some(error),
            _ => None,
        }
    }

    /// The value by value, if it is one.
    #[must_use]
    pub fn into_result(self) -> Option<T> {
        match self {
            Self::Result(value) => Some(value),
            _ => None,
        }
    }
}

/// The failures of a call that did not succeed.
#[derive(Debug)]
struct LastFailures<T, E> {
    last: Option<Failure<T, E>>,
    abort: Option<E>,
}

/// A call that did not succeed: the failures, which only the driver held, and what the engine recorded.
#[derive(Debug)]
pub(crate) struct Stopped<T, E> {
    /// The last failure, unless no attempt failed.
    pub(crate) last: Option<Failure<T, E>>,
    /// The error by which the operation itself asked to abort.
    pub(crate) abort: Option<E>,
    pub(crate) summary: OutcomeSummary,
}

/// What there is to say about how a call ended, without its value and errors: fit to be kept, cloned, and sent along with a
/// response. See [`RetryOutcome::summary`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeSummary {
    pub(crate) stop_reason: Option<StopReason>,
    pub(crate) attempts: u32,
    pub(crate) last_class: Option<ErrorClass>,
    pub(crate) cause: Option<Cause>,
    pub(crate) elapsed: Duration,
    pub(crate) next_sleep: Option<Duration>,
    pub(crate) rejection: Option<CircuitOpenError>,
    /// Why the last failure must not be retried, if that ended the call.
    pub(crate) retry_forbidden: Option<&'static str>,
}

impl OutcomeSummary {
    /// Whether the call succeeded: exactly when there is no [`stop_reason`](Self::stop_reason).
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        self.stop_reason.is_none()
    }

    /// Why the call ended without success.
    #[must_use]
    pub const fn stop_reason(&self) -> Option<StopReason> {
        self.stop_reason
    }

    /// How many attempts were started.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Time from the beginning of the call to its end, on the policy's clock.
    #[must_use]
    pub const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The class of the last failure; of a success after retries, none.
    #[must_use]
    pub const fn last_class(&self) -> Option<ErrorClass> {
        self.last_class
    }

    /// What failed last.
    #[must_use]
    pub const fn cause(&self) -> Option<Cause> {
        self.cause
    }

    /// How long to wait before calling again, when the retry was deferred.
    #[must_use]
    pub const fn next_sleep(&self) -> Option<Duration> {
        self.next_sleep
    }

    /// What the breaker said, when it rejected the call.
    #[must_use]
    pub const fn rejection(&self) -> Option<&CircuitOpenError> {
        self.rejection.as_ref()
    }

    /// Why there must be no further attempt, when the call ended as [`RetryForbidden`](StopReason::RetryForbidden), such as
    /// `streaming_body`.
    #[must_use]
    pub const fn retry_forbidden(&self) -> Option<&'static str> {
        self.retry_forbidden
    }
}

/// How a call ended. Made by `execute`.
///
/// ```
/// use std::io::{Error, ErrorKind};
/// use redress_core::{Policy, Retry, StopReason, fixed};
/// use std::time::Duration;
///
/// let policy = Policy::builder()
///     .retry(Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3))
///     .build()?;
/// let outcome = policy.execute(|| Err::<u32, _>(Error::from(ErrorKind::ConnectionReset)));
/// assert!(!outcome.is_ok());
/// assert_eq!(outcome.stop_reason(), Some(StopReason::MaxAttemptsGlobal));
/// assert_eq!(outcome.attempts(), 3);
/// assert_eq!(outcome.last_error().unwrap().kind(), ErrorKind::ConnectionReset);
/// # Ok::<(), redress_core::ConfigError>(())
/// ```
#[derive(Debug)]
#[must_use = "an outcome may be a failure, which is lost if it is not looked at"]
pub struct RetryOutcome<T, E> {
    result: Result<T, LastFailures<T, E>>,
    summary: OutcomeSummary,
    timeline: Option<RetryTimeline>,
}

impl<T, E> RetryOutcome<T, E> {
    pub(crate) const fn succeeded(value: T, summary: OutcomeSummary, timeline: Option<RetryTimeline>) -> Self {
        Self { result: Ok(value), summary, timeline }
    }

    pub(crate) fn stopped(stopped: Stopped<T, E>, timeline: Option<RetryTimeline>) -> Self {
        let Stopped { last, abort, summary } = stopped;
        Self { result: Err(LastFailures { last, abort }), summary, timeline }
    }

    /// A success after one attempt that took no time: what a stubbed policy answers in a test.
    pub const fn from_value(value: T) -> Self {
        let summary = OutcomeSummary {
            stop_reason: None,
            attempts: 1,
            last_class: None,
            cause: None,
            elapsed: Duration::ZERO,
            next_sleep: None,
            rejection: None,
            retry_forbidden: None,
        };
        Self::succeeded(value, summary, None)
    }

    /// A failure for this reason after `attempts` attempts that took no time: what a stubbed policy answers in a test.
    pub const fn from_failure(reason: StopReason, attempts: u32, class: ErrorClass, failure: Failure<T, E>) -> Self {
        let summary = OutcomeSummary {
            stop_reason: Some(reason),
            attempts,
            last_class: Some(class),
            cause: Some(failure.cause()),
            elapsed: Duration::ZERO,
            next_sleep: None,
            rejection: None,
            retry_forbidden: None,
        };
        Self { result: Err(LastFailures { last: Some(failure), abort: None }), summary, timeline: None }
    }

    /// A call that a breaker rejected: what a stubbed policy answers in a test.
    pub const fn from_rejection(rejection: CircuitOpenError) -> Self {
        let summary = OutcomeSummary {
            stop_reason: Some(StopReason::CircuitOpen),
            attempts: 0,
            last_class: None,
            cause: None,
            elapsed: Duration::ZERO,
            next_sleep: None,
            rejection: Some(rejection),
            retry_forbidden: None,
        };
        Self { result: Err(LastFailures { last: None, abort: None }), summary, timeline: None }
    }

    /// The same outcome after this time, for stubs.
    pub const fn with_elapsed(mut self, elapsed: Duration) -> Self {
        self.summary.elapsed = elapsed;
        self
    }

    /// What there is to say about the end of the call besides its value and errors.
    #[must_use]
    pub const fn summary(&self) -> &OutcomeSummary {
        &self.summary
    }

    /// Whether the call succeeded: exactly when there is no [`stop_reason`](Self::stop_reason).
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        self.summary.is_ok()
    }

    /// Why the call ended without success.
    #[must_use]
    pub const fn stop_reason(&self) -> Option<StopReason> {
        self.summary.stop_reason()
    }

    /// How many attempts were started.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.summary.attempts()
    }

    /// Time from the beginning of the call to its end, on the policy's clock.
    #[must_use]
    pub const fn elapsed(&self) -> Duration {
        self.summary.elapsed()
    }

    /// The class of the last failure; of a success after retries, none.
    #[must_use]
    pub const fn last_class(&self) -> Option<ErrorClass> {
        self.summary.last_class()
    }

    /// What failed last.
    #[must_use]
    pub const fn cause(&self) -> Option<Cause> {
        self.summary.cause()
    }

    /// How long to wait before calling again, when the retry was deferred.
    #[must_use]
    pub const fn next_sleep(&self) -> Option<Duration> {
        self.summary.next_sleep()
    }

    /// What the breaker said, when it rejected the call.
    #[must_use]
    pub const fn rejection(&self) -> Option<&CircuitOpenError> {
        self.summary.rejection()
    }

    /// Why there must be no further attempt, when the call ended as [`RetryForbidden`](StopReason::RetryForbidden), such as
    /// `streaming_body`.
    #[must_use]
    pub const fn retry_forbidden(&self) -> Option<&'static str> {
        self.summary.retry_forbidden()
    }

    /// The value of a success.
    #[must_use]
    pub fn value(&self) -> Option<&T> {
        self.result.as_ref().ok()
    }

    /// The value of a success, by value.
    #[must_use]
    pub fn into_value(self) -> Option<T> {
        self.result.ok()
    }

    /// The last failure.
    #[must_use]
    pub fn last_failure(&self) -> Option<&Failure<T, E>> {
        self.result.as_ref().err().and_then(|stopped| stopped.last.as_ref())
    }

    /// The last failure, by value.
    #[must_use]
    pub fn into_last_failure(self) -> Option<Failure<T, E>> {
        self.result.err().and_then(|stopped| stopped.last)
    }

    /// The last failure's error, if it was one.
    #[must_use]
    pub fn last_error(&self) -> Option<&E> {
        self.last_failure().and_then(Failure::error)
    }

    /// The last failure's value, if it was one.
    #[must_use]
    pub fn last_result(&self) -> Option<&T> {
        self.last_failure().and_then(Failure::result)
    }

    /// The error by which the operation itself asked to abort. (A value that did so is the
    /// [last result](Self::last_result).)
    #[must_use]
    pub fn abort_error(&self) -> Option<&E> {
        self.result.as_ref().err().and_then(|stopped| stopped.abort.as_ref())
    }

    /// The events of the call, if the timeline was captured; none for a call that the breaker rejected.
    #[must_use]
    pub const fn timeline(&self) -> Option<&RetryTimeline> {
        self.timeline.as_ref()
    }

    /// The outcome as `call` gives it.
    ///
    /// # Errors
    ///
    /// The [`CallError`] that `call` would have returned.
    pub fn into_result(self) -> Result<T, CallError<T, E>> {
        let Self { result, summary, .. } = self;
        result.map_err(|LastFailures { last, abort }| call_error(Stopped { last, abort, summary }))
    }
}

/// `call` is `execute` turned into a `Result`: this is the turn.
#[cold]
pub(crate) fn call_error<T, E>(stopped: Stopped<T, E>) -> CallError<T, E> {
    let OutcomeSummary { stop_reason, attempts, last_class, next_sleep, rejection, retry_forbidden, .. } =
        stopped.summary;
    // A failed call always has a reason; the engine sets it with the verdict.
    let stop_reason = stop_reason.unwrap_or(StopReason::Aborted);
    match (stop_reason, rejection, stopped.last) {
        (StopReason::CircuitOpen, Some(rejection), _) => CallError::CircuitOpen(rejection),
        (StopReason::Aborted, _, last) => {
            CallError::Aborted(AbortedError { attempts, last_class, last_failure: last, abort_error: stopped.abort })
        }
        (StopReason::Scheduled, _, last) => CallError::Exhausted(RetryExhaustedError {
            stop_reason,
            attempts,
            last_class,
            last_failure: last,
            next_sleep,
            retry_forbidden,
        }),
        (_, _, Some(Failure::Error(error))) => {
            CallError::Failed(FailedError { error, stop_reason, attempts, last_class, retry_forbidden })
        }
        (_, _, last) => CallError::Exhausted(RetryExhaustedError {
            stop_reason,
            attempts,
            last_class,
            last_failure: last,
            next_sleep,
            retry_forbidden,
        }),
    }
}
