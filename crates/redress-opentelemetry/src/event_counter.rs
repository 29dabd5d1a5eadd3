//! Every event in one counter.
//!
//! Owns the counterpart of the original's `otel_metric_hook`. Does not know spans.

use std::fmt;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Meter};
use redress_core::breaker::CircuitState;
use redress_core::{ErrorClass, Event, Observer};

use crate::attributes::{BREAKER, Labels, OPERATION, POLICY, text};

/// An observer that counts every event by name, in one counter: the plain form of metrics, beside or instead of
/// [`OtelObserver`](crate::OtelObserver)'s.
///
/// The attributes are `event`, and where the event has them `class`, `err` (the error's type), `cause`, `stop_reason`, `state`,
/// `policy`, `breaker` and `operation`. Of the original's tags, the attempt and the sleep are no attributes here: each of their values would
/// make a series of its own.
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
    with_operation: bool,
}

impl EventCounter {
    /// The counter's name in the original: `redress_attempts`.
    pub const NAME: &'static str = "redress_attempts";

    /// Counts events in a counter of this name.
    #[must_use]
    pub fn new(meter: &Meter, name: &'static str) -> Self {
        let counter = meter.u64_counter(name).with_unit("{event}").with_description("Events of calls.").build();
        Self { counter, with_operation: true }
    }

    /// Leaves the `operation` attribute out, where its names are many. Default: it is there.
    #[must_use]
    pub fn without_operation(mut self) -> Self {
        self.with_operation = false;
        self
    }
}

impl Observer for EventCounter {
    fn on_event(&self, event: &Event<'_>) {
        let fixed = |key, value: Option<&'static str>| value.map(|value| KeyValue::new(key, value));
        let operation = event.operation.as_deref().filter(|_| self.with_operation);
        let labels = Labels::<9>::new()
            .with(fixed("event", Some(event.name.as_str())))
            .with(fixed("class", event.class.map(ErrorClass::as_str)))
            .with(fixed("err", event.error_type))
            .with(fixed("cause", event.cause.map(redress_core::Cause::as_str)))
            .with(fixed("stop_reason", event.stop_reason.map(redress_core::StopReason::as_str)))
            .with(fixed("state", event.state.map(CircuitState::as_str)))
            .with(event.policy.as_deref().map(|policy| text(POLICY, policy)))
            .with(event.breaker.as_deref().map(|breaker| text(BREAKER, breaker)))
            .with(operation.map(|operation| text(OPERATION, operation)));
        self.counter.add(1, labels.as_slice());
    }
}

impl fmt::Debug for EventCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventCounter").field("with_operation", &self.with_operation).finish_non_exhaustive()
    }
}
