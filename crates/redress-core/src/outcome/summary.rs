//! [`OutcomeSummary`]: how a call ended, without its value and errors.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::breaker::CircuitState;
use crate::classify::class::ErrorClass;
use crate::outcome::circuit_open_error::CircuitOpenError;
use crate::outcome::error_text::ErrorText;
use crate::outcome::failure::Cause;
use crate::outcome::stop_reason::StopReason;

/// A call's outcome without its value and errors. Cheap to clone, so integrations can attach it to
/// a response. See [`RetryOutcome::summary`](crate::RetryOutcome::summary).
///
/// `Display` prints the text of the call's error, such as
/// `sync_user timed out (transient): the attempts allowed were used up`. Two calls that end in the
/// same way have the same text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeSummary {
    /// The breaker's name for a rejected call, the operation's name for any other failed call. One
    /// field for both keeps the summary small, because it is passed by value. A success has none,
    /// so that it does not allocate.
    pub(crate) name: Option<Arc<str>>,
    pub(crate) stop_reason: Option<StopReason>,
    pub(crate) attempts: u32,
    pub(crate) last_class: Option<ErrorClass>,
    pub(crate) cause: Option<Cause>,
    pub(crate) elapsed: Duration,
    /// The delay of a deferred retry, the time until the breaker's next probe, or the hint that did
    /// not fit the deadline.
    pub(crate) retry_in: Option<Duration>,
    /// The breaker's state, if it rejected the call.
    pub(crate) rejected: Option<CircuitState>,
    /// Whether that breaker is forced open.
    pub(crate) is_forced: bool,
    /// Why the last failure must not be retried, if that ended the call.
    pub(crate) retry_forbidden: Option<&'static str>,
}

impl OutcomeSummary {
    /// The summary of a successful call with this many attempts and no elapsed time.
    pub(crate) const fn of_attempts(attempts: u32) -> Self {
        Self {
            name: None,
            stop_reason: None,
            attempts,
            last_class: None,
            cause: None,
            elapsed: Duration::ZERO,
            retry_in: None,
            rejected: None,
            is_forced: false,
            retry_forbidden: None,
        }
    }

    /// Whether the call succeeded: exactly when there is no [`stop_reason`](Self::stop_reason).
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        self.stop_reason.is_none()
    }

    /// The operation's name, if it was set and the call failed. Successes and rejections do not
    /// keep it, because they must not allocate.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        self.name.as_deref().filter(|_| self.rejected.is_none())
    }

    /// Why the call ended without success; `None` after a success.
    #[must_use]
    pub const fn stop_reason(&self) -> Option<StopReason> {
        self.stop_reason
    }

    /// The number of attempts started.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Time from the start of the call to its end, on the policy's clock.
    #[must_use]
    pub const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The class of the last failure; `None` after a success, even if attempts failed before it.
    #[must_use]
    pub const fn last_class(&self) -> Option<ErrorClass> {
        self.last_class
    }

    /// The kind of the last failure.
    #[must_use]
    pub const fn cause(&self) -> Option<Cause> {
        self.cause
    }

    /// The delay of a deferred retry, which the call did not wait. `None` for every other ending:
    /// prefer it to [`retry_in`](Self::retry_in) to schedule the retry that a sleep handler
    /// deferred, and only that.
    #[must_use]
    pub const fn next_delay(&self) -> Option<Duration> {
        match self.stop_reason {
            Some(StopReason::Scheduled) => self.retry_in,
            _ => None,
        }
    }

    /// How long to wait before calling again: the [delay](Self::next_delay) of a deferred retry,
    /// the time until an open breaker's next probe, or the hint that did not fit the call's
    /// deadline.
    #[must_use]
    pub const fn retry_in(&self) -> Option<Duration> {
        self.retry_in
    }

    /// The breaker's rejection, if it rejected the call.
    #[must_use]
    pub fn rejection(&self) -> Option<CircuitOpenError> {
        self.rejected.map(|state| {
            CircuitOpenError::by_breaker(state, self.retry_in, self.name.clone()).forced_if(self.is_forced)
        })
    }

    /// Why a retry was forbidden, if the call ended as
    /// [`RetryForbidden`](StopReason::RetryForbidden); for example `streaming_body`.
    #[must_use]
    pub const fn retry_forbidden(&self) -> Option<&'static str> {
        self.retry_forbidden
    }
}

impl fmt::Display for OutcomeSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.stop_reason, self.rejection()) {
            (None, _) => f.write_str("the call succeeded"),
            (Some(_), Some(rejection)) => fmt::Display::fmt(&rejection, f),
            (Some(reason), None) => {
                let text = ErrorText {
                    operation: self.operation(),
                    cause: self.cause,
                    class: self.last_class,
                    reason,
                    retry_forbidden: self.retry_forbidden,
                };
                fmt::Display::fmt(&text, f)
            }
        }
    }
}
