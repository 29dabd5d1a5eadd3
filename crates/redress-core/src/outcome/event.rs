//! The event stream: what an observer is told, and nothing an observer could change.
//!
//! Owns the names and fields of events. Emitted in one place, `engine/events.rs`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::breaker::CircuitState;
use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;
use crate::closed_set::closed_set;
use crate::outcome::call_outcome::CallOutcome;
use crate::outcome::detail::detail_of;
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
    /// The failure is not to be retried, because of its class or because this one failure must not
    /// be. Terminal.
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
    /// The call was dropped, or a panic went through it, before it ended in any other way.
    /// Terminal.
    Cancelled,
    /// The circuit breaker opened.
    CircuitOpened,
    /// The circuit breaker admitted a probe.
    CircuitHalfOpen,
    /// The circuit breaker closed.
    CircuitClosed,
    /// The circuit breaker rejected the call. Terminal.
    CircuitRejected,
}

closed_set! {
    /// Every name, in declaration order.
    EventName {
        Success,
        Retry,
        PermanentFail,
        DeadlineExceeded,
        MaxAttemptsExceeded,
        MaxUnknownAttemptsExceeded,
        NoStrategyConfigured,
        BudgetExhausted,
        Scheduled,
        Aborted,
        Cancelled,
        CircuitOpened,
        CircuitHalfOpen,
        CircuitClosed,
        CircuitRejected,
    }
}

impl EventName {
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
            Self::Cancelled => "cancelled",
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

/// One event of a call.
///
/// Fit for metric labels, because they have few values, are the name, outcome, class, stop reason,
/// cause, state, policy, breaker, error type and [detail](Self::detail), and the operation if its
/// names are kept few.
///
/// In a call it borrows its names and its classification, and nothing is allocated for it. To keep
/// one for later, make it [its own](Self::into_owned).
///
/// ```
/// use std::io;
/// use std::sync::Mutex;
/// use redress::{Event, Policy};
///
/// let kept: Mutex<Vec<Event<'static>>> = Mutex::default();
/// let policy = Policy::builder().name("orders").build()?;
/// let context = policy.operation("load").on_metric(|event| kept.lock().unwrap().push(event.clone().into_owned()));
/// context.call(|| Ok::<_, io::Error>(())).unwrap();
/// assert_eq!(kept.lock().unwrap()[0].policy.as_deref(), Some("orders"));
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event<'a> {
    /// What happened.
    pub name: EventName,
    /// The attempt it is about, counted from 1; 0 for breaker events and for a call that made none.
    pub attempt: u32,
    /// The delay before the next attempt, of `Retry` and `Scheduled`; else zero.
    pub delay: Duration,
    /// Time since the call began; none for breaker events, which are not the call's own, and for a
    /// `Cancelled` call whose end has no instant.
    pub elapsed: Option<Duration>,
    /// The class of the failure.
    pub class: Option<ErrorClass>,
    /// Why the call ended, of terminal events other than `Success` and `Cancelled`.
    pub stop_reason: Option<StopReason>,
    /// What failed.
    pub cause: Option<Cause>,
    /// The breaker's state after the event, of breaker events.
    pub state: Option<CircuitState>,
    /// How long the circuit stays open before it admits a probe, of `CircuitOpened`, if its breaker
    /// says so.
    pub open_for: Option<Duration>,
    /// How long until the circuit admits a probe, of `CircuitRejected`, if its breaker knows.
    pub retry_in: Option<Duration>,
    /// The [name](crate::policy::PolicyBuilder::name) of the call's policy, if it has one.
    pub policy: Option<Cow<'a, str>>,
    /// The [name](crate::breaker::CircuitBreakerBuilder::name) of the policy's breaker, if it has
    /// one.
    pub breaker: Option<Cow<'a, str>>,
    /// The name the caller gave the operation; an empty name is none.
    pub operation: Option<Cow<'a, str>>,
    /// The type name of the error that caused the event, if one did: of the error that
    /// [decided](crate::classify::DefaultClassifier) its class, where the classifier tells, else of
    /// the one that the operation returned.
    pub error_type: Option<&'static str>,
    /// The whole classification, with hint and details, when the event is about a failure just
    /// made.
    pub classification: Option<Cow<'a, Classification>>,
}

impl Event<'_> {
    /// An event with this name and nothing else; set the fields as needed. For testing observers:
    /// in a call the engine makes it.
    #[must_use]
    pub const fn new(name: EventName) -> Self {
        Self {
            name,
            attempt: 0,
            delay: Duration::ZERO,
            elapsed: None,
            class: None,
            stop_reason: None,
            cause: None,
            state: None,
            open_for: None,
            retry_in: None,
            policy: None,
            breaker: None,
            operation: None,
            error_type: None,
            classification: None,
        }
    }

    /// How the call ended, if the event ends it: `Some` of [terminal](EventName::is_terminal)
    /// events.
    #[must_use]
    pub const fn outcome(&self) -> Option<CallOutcome> {
        match self.name {
            EventName::Success => Some(CallOutcome::Success),
            EventName::PermanentFail
            | EventName::DeadlineExceeded
            | EventName::MaxAttemptsExceeded
            | EventName::MaxUnknownAttemptsExceeded
            | EventName::NoStrategyConfigured
            | EventName::BudgetExhausted => Some(CallOutcome::Failure),
            EventName::Scheduled => Some(CallOutcome::Scheduled),
            EventName::Aborted => Some(CallOutcome::Aborted),
            EventName::Cancelled => Some(CallOutcome::Cancelled),
            EventName::CircuitRejected => Some(CallOutcome::Rejected),
            EventName::Retry | EventName::CircuitOpened | EventName::CircuitHalfOpen | EventName::CircuitClosed => None,
        }
    }

    /// What the failure was, in one word fit for a label: the first of the classification's
    /// [details](Classification#details-that-become-labels) `status`, `grpc`, `http2` and `io`,
    /// such as `503`, `UNAVAILABLE` or `ConnectionReset`; else `timeout` for an attempt that was
    /// cut at its timeout. Other details are never here.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        detail_of(self.classification.as_deref(), self.cause)
    }

    /// How long the other side asked to wait, if it did.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.classification.as_deref().and_then(Classification::retry_after)
    }

    /// The event with names and classification of its own, to be kept for longer than the observer
    /// is called.
    #[must_use]
    pub fn into_owned(self) -> Event<'static> {
        Event {
            name: self.name,
            attempt: self.attempt,
            delay: self.delay,
            elapsed: self.elapsed,
            class: self.class,
            stop_reason: self.stop_reason,
            cause: self.cause,
            state: self.state,
            open_for: self.open_for,
            retry_in: self.retry_in,
            policy: self.policy.map(owned),
            breaker: self.breaker.map(owned),
            operation: self.operation.map(owned),
            error_type: self.error_type,
            classification: self.classification.map(owned),
        }
    }
}

/// A borrowed value as one of its own.
pub(crate) fn owned<B: ToOwned + ?Sized + 'static>(value: Cow<'_, B>) -> Cow<'static, B> {
    Cow::Owned(value.into_owned())
}
