//! From events to series: the key of each, and the few calls into the facade.
//!
//! Owns which labels each metric has. Keeps no handles: a handle is bound to the recorder that was there when it was made,
//! and goes dead when an exporter forgets an idle series. Keys are what costs something to make, so those of the success path
//! are kept for each operation.

use std::time::Duration;

use metrics::{Key, KeyName, Label, Level, Metadata, SharedString, with_recorder};
use redress_core::{AttemptContext, AttemptDecision, Classification, Event, EventName};

use crate::labels;
use crate::names;

static METADATA: Metadata<'static> = Metadata::new("redress", Level::INFO, Some(module_path!()));

/// Which metrics are written, and their names.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(crate) events: KeyName,
    pub(crate) attempts: Option<KeyName>,
    pub(crate) durations: Option<KeyName>,
    pub(crate) sleeps: Option<KeyName>,
    pub(crate) states: Option<KeyName>,
}

impl Metrics {
    pub(crate) const fn all() -> Self {
        Self {
            events: KeyName::from_const_str(names::EVENTS_TOTAL),
            attempts: Some(KeyName::from_const_str(names::ATTEMPTS_TOTAL)),
            durations: Some(KeyName::from_const_str(names::CALL_DURATION_SECONDS)),
            sleeps: Some(KeyName::from_const_str(names::RETRY_SLEEP_SECONDS)),
            states: Some(KeyName::from_const_str(names::CIRCUIT_STATE)),
        }
    }
}

/// What goes into labels beyond what is always there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extras {
    pub(crate) operation: bool,
    pub(crate) error_type: bool,
}

/// The series of one operation.
pub(crate) struct Operation {
    metrics: Metrics,
    extras: Extras,
    label: Option<Label>,
    attempts: Option<Key>,
    success: Key,
    success_duration: Option<Key>,
}

impl Operation {
    pub(crate) fn new(metrics: Metrics, extras: Extras, name: SharedString) -> Self {
        let label = extras.operation.then(|| labels::named(labels::OPERATION, name));
        let mut operation = Self {
            attempts: metrics.attempts.clone().map(|name| Key::from_parts(name, Vec::from_iter(label.clone()))),
            success: Key::from_static_name(""),
            success_duration: None,
            metrics,
            extras,
            label,
        };
        let success = Event::new(EventName::Success);
        operation.success = operation.event_key(&success, labels::NONE.into());
        operation.success_duration = operation.duration_key(EventName::Success);
        operation
    }

    pub(crate) fn count_attempt(&self) {
        if let Some(key) = &self.attempts {
            count(key);
        }
    }

    pub(crate) fn count_event(&self, event: &Event<'_>, breaker: impl FnOnce() -> SharedString) {
        if event.name == EventName::Success {
            // A success carries neither class nor cause, even after retries.
            count(&self.success);
        } else {
            count(&self.event_key(event, breaker()));
        }
    }

    /// A rejected call takes no time, and its event has none; it is here so that the count is that of all calls.
    pub(crate) fn record_duration(&self, event: &Event<'_>) {
        if !event.name.is_terminal() {
            return;
        }
        let took = event.elapsed.unwrap_or_default();
        if event.name == EventName::Success {
            if let Some(key) = &self.success_duration {
                record(key, took);
            }
        } else if let Some(key) = self.duration_key(event.name) {
            record(&key, took);
        }
    }

    /// When an attempt ends and not with the event: a retry that was announced may still be deferred or aborted.
    pub(crate) fn record_sleep(&self, attempt: &AttemptContext<'_>) {
        if let (Some(AttemptDecision::Retry), Some(sleep)) = (attempt.decision, attempt.sleep) {
            if let Some(name) = self.metrics.sleeps.clone() {
                let class = attempt.classification.map(Classification::class);
                record(&self.key(name, [labels::class(class)]), sleep);
            }
        }
    }

    fn event_key(&self, event: &Event<'_>, breaker: SharedString) -> Key {
        let labels = [
            labels::event(event.name),
            labels::class(event.class),
            labels::cause(event.cause),
            labels::stop_reason(event),
            labels::named(labels::BREAKER, breaker),
        ];
        let error_type = self.extras.error_type.then(|| labels::error_type(event.error_type));
        self.key(self.metrics.events.clone(), labels.into_iter().chain(error_type))
    }

    fn duration_key(&self, terminal: EventName) -> Option<Key> {
        self.metrics.durations.clone().map(|name| self.key(name, [labels::outcome(terminal)]))
    }

    fn key(&self, name: KeyName, labels: impl IntoIterator<Item = Label>) -> Key {
        Key::from_parts(name, labels.into_iter().chain(self.label.clone()).collect::<Vec<_>>())
    }
}

fn count(key: &Key) {
    with_recorder(|recorder| recorder.register_counter(key, &METADATA).increment(1));
}

fn record(key: &Key, duration: Duration) {
    with_recorder(|recorder| recorder.register_histogram(key, &METADATA).record(duration));
}

pub(crate) fn set(key: &Key, value: f64) {
    with_recorder(|recorder| recorder.register_gauge(key, &METADATA).set(value));
}
