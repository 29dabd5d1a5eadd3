//! Keeps what an observer is told.
//!
//! Owns the copies. Judges nothing: what they should have been is the test's to say.

use std::sync::{Arc, Mutex};

use redress_core::observe::{AttemptContext, AttemptDecision};
use redress_core::{Event, EventName, Observer};

use crate::lock::lock;

/// An observer that keeps every event and attempt it hears of.
///
/// A handle: clones share the record, so keep one and give a clone to a policy or a call.
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
    heard: Arc<Mutex<Heard>>,
}

#[derive(Debug, Default)]
struct Heard {
    events: Vec<Event<'static>>,
    attempts: Vec<AttemptContext<'static>>,
}

impl Recorder {
    /// A recorder that has heard nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The events so far, in order.
    #[must_use]
    pub fn events(&self) -> Vec<Event<'static>> {
        lock(&self.heard).events.clone()
    }

    /// The names of the events so far, in order.
    #[must_use]
    pub fn event_names(&self) -> Vec<EventName> {
        lock(&self.heard).events.iter().map(|event| event.name).collect()
    }

    /// The starts and ends of attempts so far, in order. One that has no decision is an attempt's
    /// start.
    #[must_use]
    pub fn attempts(&self) -> Vec<AttemptContext<'static>> {
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
        lock(&self.heard).events.push(event.clone().into_owned());
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        lock(&self.heard).attempts.push(attempt.clone().into_owned());
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        lock(&self.heard).attempts.push(attempt.clone().into_owned());
    }
}
