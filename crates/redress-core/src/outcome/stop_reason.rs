//! [`StopReason`]: why a call ended without success. `engine/` decides it.

use std::fmt;

use crate::closed_set::closed_set;
use crate::outcome::event::EventName;

/// Why a call ended without success.
///
/// The printed names are those of the Python original, kept for compatible dashboards:
/// `MaxAttempts` is `MAX_ATTEMPTS_GLOBAL` in metrics and logs ([`as_str`](Self::as_str)), and its
/// event is `max_attempts_exceeded` ([`event`](Self::event)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// The attempts were used up.
    MaxAttempts,
    /// The retries of this class were used up.
    MaxAttemptsPerClass,
    /// The deadline passed, or the next delay would have ended at or after it.
    DeadlineExceeded,
    /// The retries of failures of class [`Unknown`](crate::ErrorClass::Unknown) were used up.
    MaxUnknownAttempts,
    /// The failure's class is never retried.
    NonRetryableClass,
    /// There is no strategy for the failure's class.
    NoStrategy,
    /// The failure would have been retried, but its classification [forbids
    /// it](crate::Classification::forbid_retry): the request cannot be sent again, or the server
    /// asked not to retry.
    RetryForbidden,
    /// The retry budget was empty.
    BudgetExhausted,
    /// The sleep handler deferred the retry. Call again after the delay, for instance from a queue.
    Scheduled,
    /// The caller, an abort handle, the operation or the sleep handler aborted the call.
    Aborted,
    /// The circuit breaker rejected the call. The operation did not run.
    CircuitOpen,
}

closed_set! {
    /// Every reason, in declaration order.
    StopReason {
        MaxAttempts,
        MaxAttemptsPerClass,
        DeadlineExceeded,
        MaxUnknownAttempts,
        NonRetryableClass,
        NoStrategy,
        RetryForbidden,
        BudgetExhausted,
        Scheduled,
        Aborted,
        CircuitOpen,
    }
}

impl StopReason {
    /// The reason's name in metrics and logs, such as `MAX_ATTEMPTS_GLOBAL`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MaxAttempts => "MAX_ATTEMPTS_GLOBAL",
            Self::MaxAttemptsPerClass => "MAX_ATTEMPTS_PER_CLASS",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::MaxUnknownAttempts => "MAX_UNKNOWN_ATTEMPTS",
            Self::NonRetryableClass => "NON_RETRYABLE_CLASS",
            Self::NoStrategy => "NO_STRATEGY",
            Self::RetryForbidden => "RETRY_FORBIDDEN",
            Self::BudgetExhausted => "BUDGET_EXHAUSTED",
            Self::Scheduled => "SCHEDULED",
            Self::Aborted => "ABORTED",
            Self::CircuitOpen => "CIRCUIT_OPEN",
        }
    }

    /// The reason in words, such as `the attempts allowed were used up`.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::MaxAttempts => "the attempts allowed were used up",
            Self::MaxAttemptsPerClass => "the retries allowed for this class were used up",
            Self::DeadlineExceeded => "the deadline leaves no time for another attempt",
            Self::MaxUnknownAttempts => "the retries allowed for unrecognised failures were used up",
            Self::NonRetryableClass => "failures of this class are not retried",
            Self::NoStrategy => "there is no strategy for this class",
            Self::RetryForbidden => "it must not be tried again",
            Self::BudgetExhausted => "the shared retry budget is used up",
            Self::Scheduled => "the retry was deferred",
            Self::Aborted => "the call was aborted",
            Self::CircuitOpen => "the circuit breaker is open",
        }
    }

    /// The [description](Self::description), worded for the number of attempts made. After a single
    /// attempt no retry was allowed, so none were used up.
    #[must_use]
    pub const fn description_after(self, attempts: u32) -> &'static str {
        match self {
            Self::MaxAttempts if attempts == 1 => "only one attempt is allowed",
            Self::MaxAttemptsPerClass if attempts == 1 => "no retry is allowed for this class",
            Self::MaxUnknownAttempts if attempts == 1 => "no retry is allowed for unrecognised failures",
            _ => self.description(),
        }
    }

    /// The terminal event of a call that ends for this reason.
    #[must_use]
    pub const fn event(self) -> EventName {
        match self {
            Self::MaxAttempts | Self::MaxAttemptsPerClass => EventName::MaxAttemptsExceeded,
            Self::DeadlineExceeded => EventName::DeadlineExceeded,
            Self::MaxUnknownAttempts => EventName::MaxUnknownAttemptsExceeded,
            Self::NonRetryableClass | Self::RetryForbidden => EventName::PermanentFail,
            Self::NoStrategy => EventName::NoStrategyConfigured,
            Self::BudgetExhausted => EventName::BudgetExhausted,
            Self::Scheduled => EventName::Scheduled,
            Self::Aborted => EventName::Aborted,
            Self::CircuitOpen => EventName::CircuitRejected,
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
