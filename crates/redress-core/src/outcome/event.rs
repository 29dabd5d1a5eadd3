//! The event stream: what an observer is told, and nothing an observer could change.
//!
//! Owns the names and fields of events. Emitted in one place, `engine/events.rs`.

use std::fmt;
use std::time::Duration;

use crate::breaker::CircuitState;
use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;
use crate::outcome::failure::Cause;
use crate::outcome::stop_reason::StopReason;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventName {
    /// The call succeeded. Terminal.
    Success,
    /// An attempt failed and will be tried again after a delay.
    Retry,
    /// The failure is not to be retried, because of its class or because this one failure must not be. Terminal.
    PermanentFail,
    /// The deadline ended the call. Terminal.
    DeadlineExceeded,
    /// The attempts, or the retries of one class, were used up. Terminal.
    MaxAttemptsExceeded,
    /// The retries of unrecognised failures were used up. Terminal.
    MaxUnknownAttemptsExceeded,
    /// There is no strategy for the failure's class. Terminal.
    NoStrategyConfigured,
    /// The budget refused the retry. Terminal.
    BudgetExhausted,
    /// The sleep handler deferred the retry. Terminal.
    Scheduled,
    /// The call was aborted. Terminal.
    Aborted,
    /// The circuit breaker opened.
    CircuitOpened,
    /// The circuit breaker admitted a probe.
    CircuitHalfOpen,
    /// The circuit breaker closed.
    CircuitClosed,
    /// The circuit breaker rejected the call. Terminal.
    CircuitRejected,
}

impl EventName {
    /// Every name, in declaration order.
    pub const ALL: [Self; 14] = [
        Self::Success,
        Self::Retry,
        Self::PermanentFail,
        Self::DeadlineExceeded,
        Self::MaxAttemptsExceeded,
        Self::MaxUnknownAttemptsExceeded,
        Self::NoStrategyConfigured,
        Self::BudgetExhausted,
        Self::Scheduled,
        Self::Aborted,
        Self::CircuitOpened,
        Self::CircuitHalfOpen,
        Self::CircuitClosed,
        Self::CircuitRejected,
    ];

    /// The event's name in metrics and logs, such as `max_attempts_exceeded`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Retry => "retry",
            Self::PermanentFail => "permanent_fail",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::MaxAttemptsExceeded => "max_attempts_exceeded",
            Self::MaxUnknownAttemptsExceeded => "max_unknown_attempts_exceeded",
            Self::NoStrategyConfigured => "no_strategy_configured",
            Self::BudgetExhausted => "budget_exhausted",
            Self::Scheduled => "scheduled",
            Self::Aborted => "aborted",
            Self::CircuitOpened => "circuit_opened",
            Self::CircuitHalfOpen => "circuit_half_open",
            Self::CircuitClosed => "circuit_closed",
            Self::CircuitRejected => "circuit_rejected",
        }
    }

    /// Whether the event ends its call. A call that started has exactly one such event.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        !matches!(self, Self::Retry | Self::CircuitOpened | Self::CircuitHalfOpen | Self::CircuitClosed)
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One event of a call. Fit for metric labels, because they have few values, are the name, class, stop reason, cause, state,
/// breaker and error type, and the operation if its names are kept few.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event<'a> {
    /// What happened.
    pub name: EventName,
    /// The attempt it is about, counted from 1; 0 for breaker events and for a call that made none.
    pub attempt: u32,
    /// The delay before the next attempt, of `Retry` and `Scheduled`; else zero.
    pub sleep: Duration,
    /// Time since the call began; none for breaker events, which are not the call's own.
    pub elapsed: Option<Duration>,
    /// The class of the failure.
    pub class: Option<ErrorClass>,
    /// Why the call ended, of terminal events other than `Success` and `CircuitRejected`.
    pub stop_reason: Option<StopReason>,
    /// What failed.
    pub cause: Option<Cause>,
    /// The breaker's state after the event, of breaker events.
    pub state: Option<CircuitState>,
    /// The [name](crate::CircuitBreakerBuilder::name) the breaker was given, of breaker events.
    pub breaker: Option<&'a str>,
    /// The name the caller gave the operation; an empty name is none.
    pub operation: Option<&'a str>,
    /// The failed error's type name, when an error caused the event.
    pub error_type: Option<&'static str>,
    /// The whole classification, with hint and details, when the event is about a failure just made.
    pub classification: Option<&'a Classification>,
}

impl<'a> Event<'a> {
    /// An event with this name and nothing else; set the fields as needed. For testing observers: in a call the
    /// engine makes it.
    #[must_use]
    pub const fn new(name: EventName) -> Self {
        Self {
            name,
            attempt: 0,
            sleep: Duration::ZERO,
            elapsed: None,
            class: None,
            stop_reason: None,
            cause: None,
            state: None,
            breaker: None,
            operation: None,
            error_type: None,
            classification: None,
        }
    }

    /// How long the other side asked to wait, if it did.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.classification.and_then(Classification::retry_after)
    }
}
