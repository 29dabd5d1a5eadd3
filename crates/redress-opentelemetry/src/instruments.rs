//! The instruments for retries, durations and late successes.

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter};
use redress_core::{ErrorClass, Event, EventName};

use crate::attributes::{ERROR_CLASS, ERROR_TYPE, Labels as LabelsOf, OUTCOME, error_type_of};
use crate::bounds::Bounds;

type Labels = LabelsOf<7>;

/// The boundaries that the semantic conventions advise for request durations, in seconds, plus 30
/// and 60: calls with retries last longer than requests, and a policy's default deadline is a
/// minute.
const BOUNDARIES: [f64; 16] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0];

pub(crate) struct Instruments {
    retries: Counter<u64>,
    duration: Histogram<f64>,
    success_after_retries: Counter<u64>,
    bounds: Bounds,
    with_operation: bool,
}

impl Instruments {
    pub(crate) fn new(meter: &Meter, bounds: Bounds, with_operation: bool) -> Self {
        Self {
            retries: meter
                .u64_counter("redress.retries")
                .with_unit("{retry}")
                .with_description("Retries granted after a failed attempt.")
                .build(),
            duration: meter
                .f64_histogram("redress.retry.duration")
                .with_unit("s")
                .with_description("Duration of calls, with every attempt and every wait.")
                .with_boundaries(BOUNDARIES.to_vec())
                .build(),
            success_after_retries: meter
                .u64_counter("redress.retry.success_after_retries")
                .with_unit("{call}")
                .with_description("Calls that succeeded after at least one retry.")
                .build(),
            bounds,
            with_operation,
        }
    }

    pub(crate) fn on_event(&self, event: &Event<'_>) {
        if event.name == EventName::Retry {
            self.retries.add(1, self.failure(self.labels(event), event).as_slice());
        }
        if event.name == EventName::Success && event.attempt > 1 {
            self.success_after_retries.add(1, self.labels(event).as_slice());
        }
        if let (Some(outcome), Some(elapsed)) = (event.outcome(), event.elapsed) {
            let outcome = KeyValue::new(OUTCOME, outcome.as_str());
            let labels = self.failure(self.labels(event).with(Some(outcome)), event);
            self.duration.record(elapsed.as_secs_f64(), labels.as_slice());
        }
    }

    fn labels(&self, event: &Event<'_>) -> Labels {
        let operation = if self.with_operation { self.bounds.operation(event) } else { None };
        Labels::new().with(operation).with(self.bounds.policy(event)).with(self.bounds.breaker(event))
    }

    /// Adds the labels of a failure; a success has no class, so none are added.
    fn failure(&self, labels: Labels, event: &Event<'_>) -> Labels {
        labels
            .with(event.class.map(ErrorClass::as_str).map(|class| KeyValue::new(ERROR_CLASS, class)))
            .with(error_type_of(event).map(|error_type| KeyValue::new(ERROR_TYPE, error_type)))
            .with(self.bounds.detail(event))
    }
}
