//! Attribute names, and conversions from events to attributes of spans and metrics.

use std::borrow::Cow;
use std::time::Duration;

use opentelemetry::{KeyValue, Value};
use redress_core::observe::CallOutcome;
use redress_core::{Cause, ErrorClass, Event, StopReason};

// Names from the Python original.
pub(crate) const OPERATION: &str = "operation";
pub(crate) const ATTEMPT: &str = "retry.attempt";
pub(crate) const ATTEMPTS: &str = "retry.attempts";
pub(crate) const ERROR_CLASS: &str = "error.class";
pub(crate) const CIRCUIT_STATE: &str = "circuit.state";

// Names from OpenTelemetry's semantic conventions.
pub(crate) const ERROR_TYPE: &str = "error.type";

// Names specific to this crate.
pub(crate) const OUTCOME: &str = "retry.outcome";
pub(crate) const STOP_REASON: &str = "retry.stop_reason";
pub(crate) const CAUSE: &str = "retry.cause";
pub(crate) const SLEEP: &str = "retry.sleep";
pub(crate) const RETRY_AFTER: &str = "retry.retry_after";
pub(crate) const POLICY: &str = "policy";
pub(crate) const BREAKER: &str = "breaker";
pub(crate) const BUDGET: &str = "budget";
pub(crate) const DETAIL: &str = "retry.detail";
pub(crate) const CIRCUIT_OPEN_FOR: &str = "circuit.open_for";
pub(crate) const CIRCUIT_RETRY_IN: &str = "circuit.retry_in";

/// The outcome of a call that ends with this event. A panic is also reported as `Cancelled`; the
/// unwinding thread tells them apart.
pub(crate) fn outcome_of(event: &Event<'_>) -> Option<CallOutcome> {
    match event.outcome() {
        Some(CallOutcome::Cancelled) => Some(CallOutcome::of_unfinished()),
        outcome => outcome,
    }
}

/// The `error.type` of a failure: the error's type name, otherwise `timeout`, otherwise the class.
/// `None` without a cause, because an event such as the opening of a breaker is not a failure.
pub(crate) fn error_type(
    type_name: Option<&'static str>,
    cause: Option<Cause>,
    class: Option<ErrorClass>,
) -> Option<&'static str> {
    match (type_name, cause, class) {
        (Some(name), _, _) => Some(name),
        (None, Some(Cause::Timeout), _) => Some("timeout"),
        (None, Some(_), class) => class.map(ErrorClass::as_str),
        (None, None, _) => None,
    }
}

/// The `error.type` of an event.
pub(crate) fn error_type_of(event: &Event<'_>) -> Option<&'static str> {
    error_type(event.error_type, event.cause, event.class)
        .or_else(|| event.stop_reason.filter(|reason| *reason == StopReason::CircuitOpen).map(StopReason::as_str))
}

/// An attribute with a value supplied by the program.
pub(crate) fn text(key: &'static str, value: &str) -> KeyValue {
    KeyValue::new(key, Cow::<'static, str>::Owned(value.to_owned()))
}

/// A duration, in seconds.
pub(crate) fn seconds(duration: Duration) -> Value {
    Value::F64(duration.as_secs_f64())
}

/// A count. Attributes have signed integers only.
pub(crate) fn count(count: u32) -> Value {
    Value::I64(i64::from(count))
}

/// A fixed-capacity list of attributes on the stack, for measurements.
pub(crate) struct Labels<const N: usize> {
    items: [KeyValue; N],
    len: usize,
}

impl<const N: usize> Labels<N> {
    pub(crate) fn new() -> Self {
        Self { items: std::array::from_fn(|_| KeyValue::new("", false)), len: 0 }
    }

    /// Adds the attribute if it is present and there is room for it.
    pub(crate) fn with(mut self, attribute: Option<KeyValue>) -> Self {
        if let (Some(attribute), Some(slot)) = (attribute, self.items.get_mut(self.len)) {
            *slot = attribute;
            self.len += 1;
        }
        self
    }

    pub(crate) fn as_slice(&self) -> &[KeyValue] {
        &self.items[..self.len]
    }
}
