//! [`RetryOutcome`], the full outcome of a call: the value or the last failure, the stop reason,
//! and the number of attempts and the time it took.

use std::time::Duration;

use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;
use crate::outcome::call_error::CallError;
use crate::outcome::circuit_open_error::CircuitOpenError;
use crate::outcome::ending::Ending;
use crate::outcome::failure::{Cause, Failure};
use crate::outcome::stop_reason::StopReason;
use crate::outcome::summary::OutcomeSummary;
use crate::outcome::timeline::RetryTimeline;
use crate::resume::ResumeToken;

/// The full outcome of a call. Returned by `execute`.
///
/// ```
/// use std::io::{Error, ErrorKind};
/// use redress::{Policy, Retry, StopReason, fixed};
/// use std::time::Duration;
///
/// let policy = Policy::builder()
///     .retry(Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3))
///     .build()?;
/// let outcome = policy.execute(|| Err::<u32, _>(Error::from(ErrorKind::ConnectionReset)));
/// assert!(!outcome.is_ok());
/// assert_eq!(outcome.stop_reason(), Some(StopReason::MaxAttempts));
/// assert_eq!(outcome.attempts(), 3);
/// assert_eq!(outcome.last_error().unwrap().kind(), ErrorKind::ConnectionReset);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Debug)]
#[must_use = "an outcome may be a failure, which is lost if it is not looked at"]
pub struct RetryOutcome<T, E> {
    result: Result<(T, OutcomeSummary), Ending<T, E>>,
    timeline: Option<RetryTimeline>,
    /// Boxed, because few calls are deferred.
    pub(crate) token: Option<Box<ResumeToken>>,
}

impl<T, E> RetryOutcome<T, E> {
    pub(crate) const fn succeeded(value: T, summary: OutcomeSummary, timeline: Option<RetryTimeline>) -> Self {
        Self { result: Ok((value, summary)), timeline, token: None }
    }

    pub(crate) const fn stopped(ending: Ending<T, E>, timeline: Option<RetryTimeline>) -> Self {
        Self { result: Err(ending), timeline, token: None }
    }

    /// Creates a success after one attempt and no time, for stubbed policies in tests.
    pub const fn from_value(value: T) -> Self {
        Self::succeeded(value, OutcomeSummary::of_attempts(1), None)
    }

    /// Creates a failure after `attempts` attempts and no time, for stubbed policies in tests.
    pub fn from_failure(reason: StopReason, attempts: u32, class: ErrorClass, failure: Failure<T, E>) -> Self {
        let mut summary = OutcomeSummary::of_attempts(attempts);
        summary.stop_reason = Some(reason);
        summary.last_class = Some(class);
        summary.cause = Some(failure.cause());
        let classification = Some(Classification::new(class));
        Self::stopped(Ending { last: Some(failure), abort: None, classification, summary }, None)
    }

    /// Creates the outcome of a rejected call, for stubbed policies in tests.
    pub fn from_rejection(rejection: CircuitOpenError) -> Self {
        let mut summary = OutcomeSummary::of_attempts(0);
        summary.stop_reason = Some(StopReason::CircuitOpen);
        summary.rejected = Some(rejection.state());
        summary.is_forced = rejection.is_forced();
        summary.retry_in = rejection.retry_in();
        summary.name = rejection.into_breaker();
        Self::stopped(Ending { last: None, abort: None, classification: None, summary }, None)
    }

    /// Sets the elapsed time, for stubbed policies in tests.
    pub const fn with_elapsed(mut self, elapsed: Duration) -> Self {
        match &mut self.result {
            Ok((_, summary)) | Err(Ending { summary, .. }) => summary.elapsed = elapsed,
        }
        self
    }

    pub(crate) fn with_token(self, token: Option<ResumeToken>) -> Self {
        Self { token: token.map(Box::new), ..self }
    }

    /// Sets the token, for stubbed policies in tests.
    pub fn with_resume_token(self, token: ResumeToken) -> Self {
        self.with_token(Some(token))
    }

    /// The outcome without its value and errors.
    #[must_use]
    pub const fn summary(&self) -> &OutcomeSummary {
        match &self.result {
            Ok((_, summary)) | Err(Ending { summary, .. }) => summary,
        }
    }

    /// Whether the call succeeded. If not, there is a [`stop_reason`](Self::stop_reason).
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        self.summary().is_ok()
    }

    /// Why the call ended without success; `None` after a success.
    #[must_use]
    pub const fn stop_reason(&self) -> Option<StopReason> {
        self.summary().stop_reason()
    }

    /// The number of attempts started.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.summary().attempts()
    }

    /// Time from the start of the call to its end, on the policy's clock.
    #[must_use]
    pub const fn elapsed(&self) -> Duration {
        self.summary().elapsed()
    }

    /// The class of the last failure; `None` after a success, even if attempts failed before it.
    #[must_use]
    pub const fn last_class(&self) -> Option<ErrorClass> {
        self.summary().last_class()
    }

    /// The kind of the last failure.
    #[must_use]
    pub const fn cause(&self) -> Option<Cause> {
        self.summary().cause()
    }

    /// The delay of a deferred retry, which the call did not wait. `None` for every other ending:
    /// prefer it to [`retry_in`](Self::retry_in) to schedule the retry that a sleep handler
    /// deferred, and only that.
    #[must_use]
    pub const fn next_delay(&self) -> Option<Duration> {
        self.summary().next_delay()
    }

    /// How long to wait before calling again: the [delay](Self::next_delay) of a deferred retry,
    /// the time until an open breaker's next probe, or the hint that did not fit the call's
    /// deadline.
    #[must_use]
    pub const fn retry_in(&self) -> Option<Duration> {
        self.summary().retry_in()
    }

    /// The breaker's rejection, if it rejected the call.
    #[must_use]
    pub fn rejection(&self) -> Option<CircuitOpenError> {
        self.summary().rejection()
    }

    /// Why a retry was forbidden, if the call ended as
    /// [`RetryForbidden`](StopReason::RetryForbidden); for example `streaming_body`.
    #[must_use]
    pub const fn retry_forbidden(&self) -> Option<&'static str> {
        self.summary().retry_forbidden()
    }

    /// The value of a success, by reference.
    #[must_use]
    pub const fn value(&self) -> Option<&T> {
        match &self.result {
            Ok((value, _)) => Some(value),
            Err(_) => None,
        }
    }

    /// Returns the value of a success.
    #[must_use]
    pub fn into_value(self) -> Option<T> {
        self.result.ok().map(|(value, _)| value)
    }

    /// The last failure.
    #[must_use]
    pub const fn last_failure(&self) -> Option<&Failure<T, E>> {
        match &self.result {
            Ok(_) => None,
            Err(ending) => ending.last.as_ref(),
        }
    }

    /// Returns the last failure by value.
    #[must_use]
    pub fn into_last_failure(self) -> Option<Failure<T, E>> {
        self.result.err().and_then(|ending| ending.last)
    }

    /// The error of the last failure, if it was an error.
    #[must_use]
    pub fn last_error(&self) -> Option<&E> {
        self.last_failure().and_then(Failure::error)
    }

    /// The value of the last failure, if it was a value.
    #[must_use]
    pub fn last_result(&self) -> Option<&T> {
        self.last_failure().and_then(Failure::result)
    }

    /// The classification of the [last failure](Self::last_failure): its class, hint and details.
    /// `None` after a success, a rejection, and a call that ended while it waited for its next
    /// attempt.
    ///
    /// ```
    /// use std::io::{Error, ErrorKind};
    /// use redress::{Classification, ErrorClass, Policy, error_classifier};
    ///
    /// let busy = |_: &Error| Classification::new(ErrorClass::Permanent).with_detail("quota", "used up");
    /// let policy = Policy::builder().classifier(error_classifier(busy)).build()?;
    /// let outcome = policy.execute(|| Err::<(), _>(Error::from(ErrorKind::Other)));
    /// assert_eq!(outcome.last_classification().and_then(|failure| failure.detail("quota")), Some("used up"));
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn last_classification(&self) -> Option<&Classification> {
        match &self.result {
            Ok(_) => None,
            Err(ending) => ending.classification.as_ref(),
        }
    }

    /// The value that the operation returned last, whether it counts as a success or a failure. See
    /// [`into_last_value`](Self::into_last_value).
    #[must_use]
    pub fn last_value(&self) -> Option<&T> {
        match &self.result {
            Ok((value, _)) => Some(value),
            Err(ending) => ending.last_value(),
        }
    }

    /// The operation's error that aborted the call. A value that aborts a call is the [last
    /// result](Self::last_result).
    #[must_use]
    pub const fn abort_error(&self) -> Option<&E> {
        match &self.result {
            Ok(_) => None,
            Err(ending) => ending.abort.as_ref(),
        }
    }

    /// The events of the call, if its timeline was captured. A call that the breaker rejected has
    /// no timeline.
    #[must_use]
    pub const fn timeline(&self) -> Option<&RetryTimeline> {
        self.timeline.as_ref()
    }

    /// Converts the outcome into the `Result` of `call`. A value that the classifier called a
    /// failure is dropped; to keep it, use [`into_last_value`](Self::into_last_value).
    ///
    /// # Errors
    ///
    /// The [`CallError`] that `call` would have returned.
    pub fn into_result(self) -> Result<T, CallError<E>> {
        self.result.map(|(value, _)| value).map_err(Ending::into_error)
    }

    /// Returns the value that the operation returned last, whether it counts as a success or a
    /// failure. For code that passes failed values on, such as a response with an error status.
    ///
    /// # Errors
    ///
    /// The call's error, if its last attempt returned no value: it failed with an error, timed out,
    /// aborted the call with an error, or there was no attempt.
    ///
    /// ```
    /// use redress::{ErrorClass, Policy};
    /// use redress::classify::result_classifier;
    ///
    /// let policy = Policy::builder()
    ///     .classifier(result_classifier(|status: &u16| (*status >= 500).then_some(ErrorClass::ServerError)))
    ///     .build()?;
    /// let outcome = policy.execute(|| Ok::<_, std::io::Error>(503));
    /// assert_eq!((outcome.is_ok(), outcome.into_last_value().ok()), (false, Some(503)));
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    pub fn into_last_value(self) -> Result<T, CallError<E>> {
        self.result.map(|(value, _)| value).or_else(Ending::into_last_value)
    }
}
