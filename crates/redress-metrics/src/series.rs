//! The metric series: their keys, and the calls into the facade.
//!
//! Handles are not cached: a handle is bound to the recorder installed when it was created, and
//! becomes useless when an exporter drops the idle series. Building a key allocates, so the keys of
//! the success path are cached for each combination of operation, policy and breaker.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use metrics::{Key, KeyName, Label, Level, Metadata, SharedString, with_recorder};
use redress_core::observe::{AttemptContext, AttemptDecision, CallOutcome};
use redress_core::{Event, EventName};

use crate::bounded::Bounded;
use crate::labels;
use crate::names;

static METADATA: Metadata<'static> = Metadata::new("redress", Level::INFO, Some(module_path!()));

/// The names of the metrics to write; `None` for those to omit.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(crate) events: KeyName,
    pub(crate) attempts: Option<KeyName>,
    pub(crate) durations: Option<KeyName>,
    pub(crate) sleeps: Option<KeyName>,
    pub(crate) states: Option<KeyName>,
    pub(crate) budgets: Option<KeyName>,
}

impl Metrics {
    pub(crate) const fn all() -> Self {
        Self {
            events: KeyName::from_const_str(names::EVENTS_TOTAL),
            attempts: Some(KeyName::from_const_str(names::ATTEMPTS_TOTAL)),
            durations: Some(KeyName::from_const_str(names::CALL_DURATION_SECONDS)),
            sleeps: Some(KeyName::from_const_str(names::RETRY_SLEEP_SECONDS)),
            states: Some(KeyName::from_const_str(names::CIRCUIT_STATE)),
            budgets: Some(KeyName::from_const_str(names::BUDGET_REMAINING)),
        }
    }
}

/// Optional labels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extras {
    pub(crate) operation: bool,
    pub(crate) error_type: bool,
}

/// A policy, identified by its name in events.
pub(crate) struct PolicyName(pub(crate) SharedString);

/// An operation, identified by its name in events.
pub(crate) struct Operation {
    metrics: Metrics,
    extras: Extras,
    name: SharedString,
}

impl Operation {
    pub(crate) const fn new(metrics: Metrics, extras: Extras, name: SharedString) -> Self {
        Self { metrics, extras, name }
    }
}

/// The series of one breaker's calls. They belong to the breaker, because its name may be
/// forgotten, and the names of operations and policies are not.
#[derive(Default)]
pub(crate) struct SeriesOfBreaker {
    /// Keyed by the addresses of operation and policy. Both outlive this map, and the limits on
    /// their names bound its size.
    known: RwLock<HashMap<(usize, usize), Arc<Series>>>,
}

impl SeriesOfBreaker {
    /// Returns the series for calls of this operation through this policy and breaker.
    pub(crate) fn get(
        &self,
        operation: &Arc<Operation>,
        policy: &Arc<PolicyName>,
        breaker: &SharedString,
    ) -> Arc<Series> {
        let met = (Arc::as_ptr(operation).addr(), Arc::as_ptr(policy).addr());
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&met).map(Arc::clone);
        known.unwrap_or_else(|| {
            let names = Names { operation: operation.name.clone(), policy: policy.0.clone(), breaker: breaker.clone() };
            let made = Arc::new(Series::new(operation.metrics.clone(), operation.extras, names));
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(met).or_insert(made))
        })
    }
}

/// The names in a series' labels.
struct Names {
    operation: SharedString,
    policy: SharedString,
    breaker: SharedString,
}

/// The series of one operation through one policy and breaker.
pub(crate) struct Series {
    metrics: Metrics,
    extras: Extras,
    policy: Label,
    breaker: Label,
    operation: Option<Label>,
    attempts: Option<Key>,
    success: Key,
    success_duration: Option<Key>,
}

impl Series {
    fn new(metrics: Metrics, extras: Extras, names: Names) -> Self {
        let mut series = Self {
            attempts: None,
            success: Key::from_static_name(""),
            success_duration: None,
            policy: labels::named(labels::POLICY, names.policy),
            breaker: labels::named(labels::BREAKER, names.breaker),
            operation: extras.operation.then(|| labels::named(labels::OPERATION, names.operation)),
            metrics,
            extras,
        };
        series.attempts = series.metrics.attempts.clone().map(|name| series.key(name, []));
        let no_detail = labels::named(labels::DETAIL, labels::NONE.into());
        series.success = series.event_key(&Event::new(EventName::Success), no_detail);
        series.success_duration = series.duration_key(CallOutcome::Success);
        series
    }

    pub(crate) fn count_attempt(&self) {
        if let Some(key) = &self.attempts {
            count(key);
        }
    }

    pub(crate) fn count_event(&self, event: &Event<'_>, details: &Bounded<Label>) {
        if event.name == EventName::Success {
            // A success has neither class nor cause, even after retries.
            count(&self.success);
        } else {
            let detail = details.get(event.detail());
            count(&self.event_key(event, Label::clone(&detail)));
        }
    }

    /// A rejection has no elapsed time and is recorded as zero, so that the count is the number of
    /// calls. A cancelled call whose clock panicked has no elapsed time and is not recorded.
    pub(crate) fn record_duration(&self, event: &Event<'_>) {
        let Some(outcome) = event.outcome() else { return };
        let rejected = (outcome == CallOutcome::Rejected).then_some(Duration::ZERO);
        let Some(took) = event.elapsed.or(rejected) else { return };
        if outcome == CallOutcome::Success {
            if let Some(key) = &self.success_duration {
                record(key, took);
            }
        } else if let Some(key) = self.duration_key(outcome) {
            record(&key, took);
        }
    }

    /// Called when an attempt ends, not at the retry event: a retry that was announced may still be
    /// deferred or aborted.
    pub(crate) fn record_sleep(&self, attempt: &AttemptContext<'_>) {
        if let (Some(AttemptDecision::Retry), Some(sleep)) = (attempt.decision, attempt.delay) {
            if let Some(name) = self.metrics.sleeps.clone() {
                let class = attempt.classification.as_ref().map(|classification| classification.class());
                record(&self.key(name, [labels::class(class)]), sleep);
            }
        }
    }

    fn event_key(&self, event: &Event<'_>, detail: Label) -> Key {
        let labels = [
            labels::event(event.name),
            labels::class(event.class),
            labels::cause(event.cause),
            detail,
            labels::stop_reason(event.stop_reason),
            self.breaker.clone(),
        ];
        let error_type = self.extras.error_type.then(|| labels::error_type(event.error_type));
        self.key(self.metrics.events.clone(), labels.into_iter().chain(error_type))
    }

    fn duration_key(&self, outcome: CallOutcome) -> Option<Key> {
        self.metrics.durations.clone().map(|name| self.key(name, [labels::outcome(outcome)]))
    }

    fn key(&self, name: KeyName, labels: impl IntoIterator<Item = Label>) -> Key {
        let ours = [self.policy.clone()].into_iter().chain(self.operation.clone());
        Key::from_parts(name, labels.into_iter().chain(ours).collect::<Vec<_>>())
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
