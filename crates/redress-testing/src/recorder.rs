//! An observer that records events and attempts.

use std::sync::{Arc, Mutex};

use redress_core::observe::{AttemptContext, AttemptDecision};
use redress_core::{Event, EventName, Observer};

use crate::lock::lock;

/// An observer that records every event and attempt.
///
/// A handle: clones share the record, so keep one and pass a clone to a policy or a call.
///
/// ```
/// use std::io;
/// use redress::{EventName, Policy, Retry};
/// use redress::testing::{Recorder, instant_retries};
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
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    recorded: Arc<Mutex<Recorded>>,
}

#[derive(Debug, Default)]
struct Recorded {
    events: Vec<Event<'static>>,
    attempts: Vec<AttemptContext<'static>>,
}

impl Recorder {
    /// Creates an empty recorder.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the events so far, in order.
    #[must_use]
    pub fn events(&self) -> Vec<Event<'static>> {
        lock(&self.recorded).events.clone()
    }

    /// Returns the names of the events so far, in order.
    #[must_use]
    pub fn event_names(&self) -> Vec<EventName> {
        lock(&self.recorded).events.iter().map(|event| event.name).collect()
    }

    /// Returns the starts and ends of attempts so far, in order. A start has no decision.
    #[must_use]
    pub fn attempts(&self) -> Vec<AttemptContext<'static>> {
        lock(&self.recorded).attempts.clone()
    }

    /// Returns the decision after each completed attempt, in order.
    #[must_use]
    pub fn decisions(&self) -> Vec<AttemptDecision> {
        lock(&self.recorded).attempts.iter().filter_map(|attempt| attempt.decision).collect()
    }

    /// Clears the record.
    pub fn clear(&self) {
        *lock(&self.recorded) = Recorded::default();
    }
}

impl Observer for Recorder {
    fn on_event(&self, event: &Event<'_>) {
        lock(&self.recorded).events.push(event.clone().into_owned());
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        lock(&self.recorded).attempts.push(attempt.clone().into_owned());
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        lock(&self.recorded).attempts.push(attempt.clone().into_owned());
    }
}
