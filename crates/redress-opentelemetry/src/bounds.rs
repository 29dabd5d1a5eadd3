//! Caps the number of distinct attribute values in metrics. Spans are not limited.

use opentelemetry::{KeyValue, StringValue};
use redress_core::Event;
use redress_metric_sink::{LabelValue, LimitedNames, LimitedOperations};

use crate::attributes::{BREAKER, DETAIL, OPERATION, POLICY};

/// The default number of values of an attribute in metrics.
pub(crate) const DEFAULT_LIMIT: usize = 100;

/// The metric attributes with values supplied by the program.
pub(crate) struct Bounds {
    operations: LimitedOperations<StringValue>,
    policies: LimitedNames<StringValue>,
    breakers: LimitedNames<StringValue>,
    details: LimitedNames<StringValue>,
}

impl Bounds {
    /// Reserves a place for each of `declared` in addition to `limit`.
    pub(crate) fn new(limit: usize, declared: &[String]) -> Self {
        let values = || LimitedNames::new(limit, value);
        let operations = LimitedOperations::new(limit, declared, value);
        Self { operations, policies: values(), breakers: values(), details: values() }
    }

    pub(crate) fn operation(&self, event: &Event<'_>) -> Option<KeyValue> {
        let name = event.operation.as_deref()?;
        Some(KeyValue::new(OPERATION, StringValue::clone(&self.operations.get(Some(name)))))
    }

    pub(crate) fn policy(&self, event: &Event<'_>) -> Option<KeyValue> {
        attribute(POLICY, event.policy.as_deref(), &self.policies)
    }

    pub(crate) fn breaker(&self, event: &Event<'_>) -> Option<KeyValue> {
        attribute(BREAKER, event.breaker.as_deref(), &self.breakers)
    }

    pub(crate) fn detail(&self, event: &Event<'_>) -> Option<KeyValue> {
        attribute(DETAIL, event.detail(), &self.details)
    }
}

fn attribute(key: &'static str, name: Option<&str>, values: &LimitedNames<StringValue>) -> Option<KeyValue> {
    name.map(|name| KeyValue::new(key, StringValue::clone(&values.get(Some(name)))))
}

fn value(value: LabelValue) -> StringValue {
    match value {
        LabelValue::Fixed(text) => text.into(),
        LabelValue::Named(name) => name.into(),
    }
}
