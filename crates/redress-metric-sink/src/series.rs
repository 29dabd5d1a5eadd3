//! The series of one operation through one policy and breaker.
//!
//! Making a series may allocate, so those of the success path are made once for each combination of
//! operation, policy and breaker.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use redress_core::observe::{AttemptContext, AttemptDecision, CallOutcome};
use redress_core::{Event, EventName};

use crate::label;
use crate::limited_names::LimitedNames;
use crate::metric::Metric;
use crate::settings::Settings;
use crate::sink::MetricSink;
use crate::value::LabelValue;

/// What all series of an observer share.
pub(crate) struct Writer<S> {
    pub(crate) sink: S,
    pub(crate) settings: Settings,
}

impl<S: MetricSink> Writer<S> {
    /// Makes a series; `value` returns the value of each of its labels.
    pub(crate) fn series(&self, metric: &Metric, value: impl Fn(&'static str) -> LabelValue) -> S::Series {
        let keys = self.settings.labels(metric);
        let labels: Vec<_> = keys.into_iter().map(|key| (key, value(key))).collect();
        self.sink.series(metric, &labels)
    }
}

type Known<S> = HashMap<(usize, usize), Arc<Series<S>>>;

/// The series of one breaker's calls. They belong to the breaker, because its name may be
/// forgotten, and the names of operations and policies are not.
pub(crate) struct SeriesOfBreaker<S: MetricSink> {
    /// Keyed by the addresses of operation and policy. Both outlive this map, and the limits on
    /// their names bound its size.
    known: RwLock<Known<S>>,
}

impl<S: MetricSink> SeriesOfBreaker<S> {
    pub(crate) fn new() -> Self {
        Self { known: RwLock::default() }
    }

    /// Returns the series for calls of this operation through this policy and breaker.
    pub(crate) fn get(
        &self,
        writer: &Arc<Writer<S>>,
        operation: &Arc<LabelValue>,
        policy: &Arc<LabelValue>,
        breaker: &LabelValue,
    ) -> Arc<Series<S>> {
        let met = (Arc::as_ptr(operation).addr(), Arc::as_ptr(policy).addr());
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&met).map(Arc::clone);
        known.unwrap_or_else(|| {
            let names = Names {
                operation: LabelValue::clone(operation),
                policy: LabelValue::clone(policy),
                breaker: breaker.clone(),
            };
            let made = Arc::new(Series::new(Arc::clone(writer), names));
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(met).or_insert(made))
        })
    }
}

/// The names in a series' labels.
struct Names {
    operation: LabelValue,
    policy: LabelValue,
    breaker: LabelValue,
}

impl Names {
    /// The value of a label with a name; `None` for other labels.
    fn get(&self, key: &str) -> Option<LabelValue> {
        match key {
            label::OPERATION => Some(self.operation.clone()),
            label::POLICY => Some(self.policy.clone()),
            label::BREAKER => Some(self.breaker.clone()),
            _ => None,
        }
    }
}

/// The series of one operation through one policy and breaker.
pub(crate) struct Series<S: MetricSink> {
    writer: Arc<Writer<S>>,
    names: Names,
    attempts: Option<S::Series>,
    success: S::Series,
    success_duration: Option<S::Series>,
}

impl<S: MetricSink> Series<S> {
    fn new(writer: Arc<Writer<S>>, names: Names) -> Self {
        let success = Event::new(EventName::Success);
        let of_success = |metric: &Metric| {
            writer.series(metric, |key| names.get(key).unwrap_or_else(|| label::of_event(key, &success)))
        };
        let settings = &writer.settings;
        let attempts = settings.attempts.as_ref().map(of_success);
        let success_duration = settings.durations.as_ref().map(of_success);
        Self { success: of_success(&settings.events), attempts, success_duration, names, writer }
    }

    pub(crate) fn count_attempt(&self) {
        if let Some(attempts) = &self.attempts {
            self.writer.sink.count(attempts);
        }
    }

    pub(crate) fn count_event(&self, event: &Event<'_>, details: &LimitedNames<LabelValue>) {
        if event.name == EventName::Success {
            // A success has neither class nor cause, even after retries.
            self.writer.sink.count(&self.success);
            return;
        }
        let detail = details.get(event.detail());
        let series = self.writer.series(&self.writer.settings.events, |key| match key {
            label::DETAIL => LabelValue::clone(&detail),
            key => self.names.get(key).unwrap_or_else(|| label::of_event(key, event)),
        });
        self.writer.sink.count(&series);
    }

    /// A rejection has no elapsed time and is recorded as zero, so that the count is the number of
    /// calls. A cancelled call whose clock panicked has no elapsed time and is not recorded.
    pub(crate) fn record_duration(&self, event: &Event<'_>) {
        let Some(outcome) = event.outcome() else { return };
        let rejected = (outcome == CallOutcome::Rejected).then_some(Duration::ZERO);
        let Some(took) = event.elapsed.or(rejected) else { return };
        if outcome == CallOutcome::Success {
            if let Some(success) = &self.success_duration {
                self.writer.sink.record(success, took);
            }
        } else if let Some(durations) = &self.writer.settings.durations {
            let value = |key| self.names.get(key).unwrap_or_else(|| label::of_event(key, event));
            self.writer.sink.record(&self.writer.series(durations, value), took);
        }
    }

    /// Called when an attempt ends, not at the retry event: a retry that was announced may still be
    /// deferred or aborted.
    pub(crate) fn record_sleep(&self, attempt: &AttemptContext<'_>) {
        let Some(sleeps) = &self.writer.settings.sleeps else { return };
        if let (Some(AttemptDecision::Retry), Some(sleep)) = (attempt.decision, attempt.delay) {
            let class = attempt.classification.as_ref().map(|classification| classification.class().as_str());
            let class = class.map_or(LabelValue::NONE, LabelValue::Fixed);
            let series = self.writer.series(sleeps, |key| self.names.get(key).unwrap_or_else(|| class.clone()));
            self.writer.sink.record(&series, sleep);
        }
    }
}
