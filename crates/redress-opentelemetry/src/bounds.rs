//! Caps the number of distinct attribute values in metrics. Spans are not limited.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use opentelemetry::{KeyValue, StringValue};
use redress_core::Event;

use crate::attributes::{BREAKER, DETAIL, OPERATION, POLICY};

/// The default number of values of an attribute in metrics.
pub(crate) const DEFAULT_LIMIT: usize = 100;

/// The shared value of everything over a limit.
const OTHER: &str = "other";

/// The longest attribute value in metrics, in bytes.
const LONGEST: usize = 128;

/// The metric attributes with values supplied by the program.
pub(crate) struct Bounds {
    operations: Values,
    /// A separate limit, so that paths cannot displace the names of operations.
    paths: Values,
    policies: Values,
    breakers: Values,
    details: Values,
}

impl Bounds {
    /// Reserves a place for each of `declared` in addition to `limit`. Paths get half of `limit`,
    /// rounded up.
    pub(crate) fn new(limit: usize, declared: Vec<String>) -> Self {
        let (paths, operations): (Vec<_>, Vec<_>) = declared.into_iter().partition(|name| is_path(name));
        Self {
            operations: Values::new(limit, operations),
            paths: Values::new(limit.div_ceil(2), paths),
            policies: Values::new(limit, Vec::new()),
            breakers: Values::new(limit, Vec::new()),
            details: Values::new(limit, Vec::new()),
        }
    }

    pub(crate) fn operation(&self, event: &Event<'_>) -> Option<KeyValue> {
        let name = event.operation.as_deref()?;
        let values = if is_path(name) { &self.paths } else { &self.operations };
        Some(KeyValue::new(OPERATION, values.get(name)))
    }

    pub(crate) fn policy(&self, event: &Event<'_>) -> Option<KeyValue> {
        event.policy.as_deref().map(|name| KeyValue::new(POLICY, self.policies.get(name)))
    }

    pub(crate) fn breaker(&self, event: &Event<'_>) -> Option<KeyValue> {
        event.breaker.as_deref().map(|name| KeyValue::new(BREAKER, self.breakers.get(name)))
    }

    pub(crate) fn detail(&self, event: &Event<'_>) -> Option<KeyValue> {
        event.detail().map(|detail| KeyValue::new(DETAIL, self.details.get(detail)))
    }
}

/// Whether a name looks like the path of one request, with or without a method, rather than a route
/// template.
fn is_path(name: &str) -> bool {
    name.contains('/') && !name.contains(['{', ':'])
}

struct Values {
    limit: usize,
    known: RwLock<HashSet<Arc<str>>>,
}

impl Values {
    fn new(limit: usize, declared: Vec<String>) -> Self {
        let known: HashSet<Arc<str>> = declared.into_iter().map(Into::into).collect();
        Self { limit: limit.saturating_add(known.len()), known: RwLock::new(known) }
    }

    fn get(&self, value: &str) -> StringValue {
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = known.get(value) {
                return Arc::clone(known).into();
            }
            if known.len() >= self.limit || value.len() > LONGEST {
                return Cow::Borrowed(OTHER).into();
            }
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have taken the last place.
        if known.len() >= self.limit && !known.contains(value) {
            return Cow::Borrowed(OTHER).into();
        }
        let value: Arc<str> = value.into();
        known.insert(Arc::clone(&value));
        value.into()
    }
}
