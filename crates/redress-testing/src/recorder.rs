//! Keeps what an observer is told.
//!
//! Owns the copies. Judges nothing: what they should have been is the test's to say.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use redress_core::{
    AttemptContext, AttemptDecision, Cause, CircuitState, Classification, ErrorClass, Event, EventName, Observer,
    StopReason,
};

use crate::lock::lock;

/// An observer that keeps every event and attempt it hears of.
///
/// A handle: clones share the record, so keep one and give a clone to a policy or a call.
///
/// ```
/// use std::io;
/// use redress_core::{EventName, Policy, Retry};
/// use redress_testing::{Recorder, instant_retries};
///
/// let recorder = Recorder::new();
/// let policy = Policy::builder()
///     .retry(Retry::builder().strategy(instant_retries()).max_attempts(2))
///     .observer(recorder.clone())
///     .build()?;
///
/// let _ = policy.operation("sync_user").call(|| Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionReset)));
/// assert_eq!(recorder.event_names(), [EventName::Retry, EventName::MaxAttemptsExceeded]);
/// assert_eq!(recorder.events()[0].operation.as_deref(), Some("sync_user"));
/// # Ok::<(), redress_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    heard: Arc<Mutex<Heard>>,
}

#[derive(Debug, Default)]
struct Heard {
    events: Vec<RecordedEvent>,
    attempts: Vec<RecordedAttempt>,
}

/// An [`Event`] of its own; the fields mean the same.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedEvent {
    /// What happened.
    pub name: EventName,
    /// The attempt it is about, counted from 1; 0 for breaker events and for a call that made none.
    pub attempt: u32,
    /// The delay before the next attempt, of `Retry` and `Scheduled`; else zero.
    pub sleep: Duration,
    /// Time since the call began; none for breaker events.
    pub elapsed: Option<Duration>,
    /// The class of the failure.
    pub class: Option<ErrorClass>,
    /// Why the call ended, of terminal events other than `Success`.
    pub stop_reason: Option<StopReason>,
    /// What failed.
    pub cause: Option<Cause>,
    /// The breaker's state after the event, of breaker events.
    pub state: Option<CircuitState>,
    /// The name the breaker was given, of breaker events.
    pub breaker: Option<String>,
    /// The name the caller gave the operation.
    pub operation: Option<String>,
    /// The failed error's type name, when an error caused the event.
    pub error_type: Option<&'static str>,
    /// The whole classification, when the event is about a failure just made.
    pub classification: Option<Classification>,
}

/// An [`AttemptContext`] of its own; the fields mean the same. One that has no decision is an attempt's start.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedAttempt {
    /// The attempt, counted from 1.
    pub attempt: u32,
    /// The name the caller gave the operation.
    pub operation: Option<String>,
    /// Time since the call began.
    pub elapsed: Duration,
    /// What the classifier made of a failure; none at the start and on success.
    pub classification: Option<Classification>,
    /// What was decided; none at the start.
    pub decision: Option<AttemptDecision>,
    /// Why the call ends, if it does.
    pub stop_reason: Option<StopReason>,
    /// What failed, if something did.
    pub cause: Option<Cause>,
    /// The delay before the next attempt, of `Retry` and `Scheduled`.
    pub sleep: Option<Duration>,
    /// The failed error's type name, if an error failed the attempt.
    pub error_type: Option<&'static str>,
}

impl Recorder {
    /// A recorder that has heard nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The events so far, in order.
    #[must_use]
    pub fn events(&self) -> Vec<RecordedEvent> {
        lock(&self.heard).events.clone()
    }

    /// The names of the events so far, in order.
    #[must_use]
    pub fn event_names(&self) -> Vec<EventName> {
        lock(&self.heard).events.iter().map(|event| event.name).collect()
    }

    /// The starts and ends of attempts so far, in order.
    #[must_use]
    pub fn attempts(&self) -> Vec<RecordedAttempt> {
        lock(&self.heard).attempts.clone()
    }

    /// What was decided after each attempt that ended, in order.
    #[must_use]
    pub fn decisions(&self) -> Vec<AttemptDecision> {
        lock(&self.heard).attempts.iter().filter_map(|attempt| attempt.decision).collect()
    }

    /// Forgets everything so far.
    pub fn clear(&self) {
        *lock(&self.heard) = Heard::default();
    }
}

impl Observer for Recorder {
    fn on_event(&self, event: &Event<'_>) {
        lock(&self.heard).events.push(event.into());
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        lock(&self.heard).attempts.push(attempt.into());
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        lock(&self.heard).attempts.push(attempt.into());
    }
}

impl From<&Event<'_>> for RecordedEvent {
    fn from(event: &Event<'_>) -> Self {
        Self {
            name: event.name,
            attempt: event.attempt,
            sleep: event.sleep,
            elapsed: event.elapsed,
            class: event.class,
            stop_reason: event.stop_reason,
            cause: event.cause,
            state: event.state,
            breaker: event.breaker.map(str::to_owned),
            operation: event.operation.map(str::to_owned),
            error_type: event.error_type,
            classification: event.classification.cloned(),
        }
    }
}

impl From<&AttemptContext<'_>> for RecordedAttempt {
    fn from(attempt: &AttemptContext<'_>) -> Self {
        Self {
            attempt: attempt.attempt,
            operation: attempt.operation.map(str::to_owned),
            elapsed: attempt.elapsed,
            classification: attempt.classification.cloned(),
            decision: attempt.decision,
            stop_reason: attempt.stop_reason,
            cause: attempt.cause,
            sleep: attempt.sleep,
            error_type: attempt.error_type,
        }
    }
}
