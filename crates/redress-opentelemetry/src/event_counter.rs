//! Counts every event in one counter, as `otel_metric_hook` of the Python original does.

use std::fmt;
use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Meter};
use redress_core::breaker::CircuitState;
use redress_core::{ErrorClass, Event, Observer};

use crate::attributes::Labels;
use crate::bounds::{Bounds, DEFAULT_LIMIT};

/// An observer that counts every event by name in one counter. Use it in addition to
/// [`OtelObserver`](crate::OtelObserver), or instead of its metrics.
///
/// The attributes are `event`, and if the event has them `class`, `err` (the error's type),
/// `cause`, `stop_reason`, `state`, `retry.detail`, `policy`, `breaker` and `operation`. The
/// original's tags for the attempt and the sleep are omitted, because each of their values would
/// add a series.
///
/// ```
/// use opentelemetry::global;
/// use redress::Policy;
/// use redress::observe::opentelemetry::EventCounter;
///
/// let counter = EventCounter::new(&global::meter("my-service"), EventCounter::NAME);
/// let policy = Policy::builder().observer(counter).build()?;
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct EventCounter {
    counter: Counter<u64>,
    bounds: Arc<Bounds>,
    with_operation: bool,
}

impl EventCounter {
    /// The counter's name in the original: `redress_attempts`.
    pub const NAME: &'static str = "redress_attempts";

    /// Creates an observer that counts events in a counter of this name.
    #[must_use]
    pub fn new(meter: &Meter, name: &'static str) -> Self {
        let counter = meter.u64_counter(name).with_unit("{event}").with_description("Events of calls.").build();
        Self { counter, bounds: Arc::new(Bounds::new(DEFAULT_LIMIT, &[])), with_operation: true }
    }

    /// Omits the attribute `operation`, for programs with many names. Default: included.
    #[must_use]
    pub fn without_operation(mut self) -> Self {
        self.with_operation = false;
        self
    }
}

impl Observer for EventCounter {
    fn on_event(&self, event: &Event<'_>) {
        let fixed = |key, value: Option<&'static str>| value.map(|value| KeyValue::new(key, value));
        let operation = if self.with_operation { self.bounds.operation(event) } else { None };
        let labels = Labels::<10>::new()
            .with(fixed("event", Some(event.name.as_str())))
            .with(fixed("class", event.class.map(ErrorClass::as_str)))
            .with(fixed("err", event.error_type))
            .with(fixed("cause", event.cause.map(redress_core::Cause::as_str)))
            .with(fixed("stop_reason", event.stop_reason.map(redress_core::StopReason::as_str)))
            .with(fixed("state", event.state.map(CircuitState::as_str)))
            .with(self.bounds.policy(event))
            .with(self.bounds.breaker(event))
            .with(self.bounds.detail(event))
            .with(operation);
        self.counter.add(1, labels.as_slice());
    }
}

impl fmt::Debug for EventCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventCounter").field("with_operation", &self.with_operation).finish_non_exhaustive()
    }
}
