//! [`Event`], what observers receive, and [`EventName`], the kinds of events. `engine/events.rs`
//! emits them.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::breaker::{CircuitState, Trip};
use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;
use crate::closed_set::closed_set;
use crate::nesting::Nesting;
use crate::outcome::call_outcome::CallOutcome;
use crate::outcome::decision::Decision;
use crate::outcome::detail::detail_of;
use crate::outcome::failure::Cause;
use crate::outcome::stop_reason::StopReason;

/// The kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventName {
    /// The call succeeded. Terminal.
    Success,
    /// An attempt failed and will be retried after a delay.
    Retry,
    /// The failure is not retried, because of its class or because its classification forbids it.
    /// Terminal.
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
    /// The call was dropped, or a panic unwound through it, before it ended in another way.
    /// Terminal.
    Cancelled,
    /// The call is within another one, and the retries of both multiply. Sent once for each
    /// operation name of a policy, for the first 32 names.
    Nested,
    /// The circuit breaker opened.
    CircuitOpened,
    /// The circuit breaker admitted a probe.
    CircuitHalfOpen,
    /// The circuit breaker closed.
    CircuitClosed,
    /// The circuit breaker rejected the call. Terminal.
    CircuitRejected,
    /// The circuit breaker only [watches](crate::breaker::Mode::Watching), and would have rejected
    /// the call.
    CircuitWouldReject,
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
        Nested,
        CircuitOpened,
        CircuitHalfOpen,
        CircuitClosed,
        CircuitRejected,
        CircuitWouldReject,
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
            Self::Nested => "nested",
            Self::CircuitOpened => "circuit_opened",
            Self::CircuitHalfOpen => "circuit_half_open",
            Self::CircuitClosed => "circuit_closed",
            Self::CircuitRejected => "circuit_rejected",
            Self::CircuitWouldReject => "circuit_would_reject",
        }
    }

    /// Whether the event ends its call. Every call that starts has exactly one terminal event.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        !matches!(
            self,
            Self::Retry
                | Self::Nested
                | Self::CircuitOpened
                | Self::CircuitHalfOpen
                | Self::CircuitClosed
                | Self::CircuitWouldReject
        )
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One event of a call.
///
/// These have few values and are suitable as metric labels: name, outcome, class, stop reason,
/// cause, state, policy, breaker, error type and [detail](Self::detail). So is the operation, if
/// the program uses few names.
///
/// Events borrow names and classification from the call and do not allocate. To keep an event,
/// convert it with [`into_owned`](Self::into_owned).
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
    /// The number of the attempt, from 1; 0 for calls without an attempt, and for breaker events
    /// other than a rejection between two attempts.
    pub attempt: u32,
    /// The delay before the next attempt, for `Retry` and `Scheduled`; else zero.
    pub delay: Duration,
    /// Time since the start of the call. `None` for breaker events, which do not belong to the
    /// call, and for a `Cancelled` call whose end has no timestamp.
    pub elapsed: Option<Duration>,
    /// The class of the failure.
    pub class: Option<ErrorClass>,
    /// Why the call ended, for terminal events other than `Success` and `Cancelled`.
    pub stop_reason: Option<StopReason>,
    /// The kind of the failure.
    pub cause: Option<Cause>,
    /// The breaker's state after the event, for breaker events.
    pub state: Option<CircuitState>,
    /// How long the circuit stays open before it admits a probe, for `CircuitOpened`, if the
    /// breaker reports it.
    pub open_for: Option<Duration>,
    /// What the breaker saw when it opened, for `CircuitOpened`, if the breaker reports it. If the
    /// circuit has opened again before the event is made, because the open wait passed and a probe
    /// failed on another thread, this and `open_for` are those of the later opening.
    pub trip: Option<Trip>,
    /// Time until the circuit admits a probe, for `CircuitRejected` and `CircuitWouldReject`, if
    /// the breaker reports it.
    pub retry_in: Option<Duration>,
    /// How deep the call is within others, and how many attempts that may make, for `Nested`.
    pub nesting: Option<Nesting>,
    /// The [name](crate::policy::PolicyBuilder::name) of the call's policy, if it has one.
    pub policy: Option<Cow<'a, str>>,
    /// The [name](crate::breaker::CircuitBreakerBuilder::name) of the policy's breaker, if it has
    /// one.
    pub breaker: Option<Cow<'a, str>>,
    /// The operation's name, if the caller set one; an empty name counts as none.
    pub operation: Option<Cow<'a, str>>,
    /// The type name of the error that caused the event, if any. This is the error that
    /// [decided](crate::classify::DefaultClassifier) the class, if the classifier reports it, or
    /// else the error that the operation returned.
    pub error_type: Option<&'static str>,
    /// The classification, with hint and details, if the event is about a failure that just
    /// happened.
    pub classification: Option<Cow<'a, Classification>>,
    /// The gate that ended the call, and what it compared, for terminal events other than `Success`
    /// and `Cancelled`. For `Retry`, the time limit that cut the attempt, if one did.
    pub decision: Option<Decision>,
}

impl Event<'_> {
    /// Creates an event with this name, for tests of observers. All other fields are empty.
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
            trip: None,
            retry_in: None,
            nesting: None,
            policy: None,
            breaker: None,
            operation: None,
            error_type: None,
            classification: None,
            decision: None,
        }
    }

    /// How the call ended, for [terminal](EventName::is_terminal) events; else `None`.
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
            EventName::Retry
            | EventName::Nested
            | EventName::CircuitOpened
            | EventName::CircuitHalfOpen
            | EventName::CircuitClosed
            | EventName::CircuitWouldReject => None,
        }
    }

    /// The failure in one word, suitable as a metric label: the first of the classification's
    /// [details](Classification#details-that-become-labels) that become labels, such as `503`,
    /// `UNAVAILABLE`, `40001` or `ConnectionReset`. Without these, `timeout` for an attempt that
    /// was cut at its timeout, else `None`.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        detail_of(self.classification.as_deref(), self.cause)
    }

    /// The wait that the dependency asked for, if it did.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.classification.as_deref().and_then(Classification::retry_after)
    }

    /// Converts borrowed names and classification into owned ones, so that the event can outlive
    /// the call of the observer.
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
            trip: self.trip,
            retry_in: self.retry_in,
            nesting: self.nesting,
            policy: self.policy.map(owned),
            breaker: self.breaker.map(owned),
            operation: self.operation.map(owned),
            error_type: self.error_type,
            classification: self.classification.map(owned),
            decision: self.decision,
        }
    }
}

/// Converts a borrowed value into an owned one.
pub(crate) fn owned<B: ToOwned + ?Sized + 'static>(value: Cow<'_, B>) -> Cow<'static, B> {
    Cow::Owned(value.into_owned())
}
