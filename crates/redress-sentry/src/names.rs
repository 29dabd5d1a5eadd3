//! [`Names`]: the limits on names that become tags and parts of fingerprints.

use redress_core::Event;
use redress_metric_sink::{LabelValue, LimitedNames, LimitedOperations};

/// The names that have a tag value of their own so far.
pub(crate) struct Names {
    operations: LimitedOperations<LabelValue>,
    policies: LimitedNames<LabelValue>,
    breakers: LimitedNames<LabelValue>,
    details: LimitedNames<LabelValue>,
}

/// The names of one event within the limits. Absent and empty ones are `None`.
pub(crate) struct Limited {
    pub(crate) operation: Option<String>,
    pub(crate) policy: Option<String>,
    pub(crate) breaker: Option<String>,
    pub(crate) detail: Option<String>,
}

impl Names {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            operations: LimitedOperations::new(limit, &[], |name| name),
            policies: LimitedNames::new(limit, |name| name),
            breakers: LimitedNames::new(limit, |name| name),
            details: LimitedNames::new(limit, |name| name),
        }
    }

    pub(crate) fn of(&self, event: &Event<'_>) -> Limited {
        let text = |value: &LabelValue| value.as_str().to_owned();
        Limited {
            operation: present(event.operation.as_deref()).map(|name| text(&self.operations.get(Some(name)))),
            policy: present(event.policy.as_deref()).map(|name| text(&self.policies.get(Some(name)))),
            breaker: present(event.breaker.as_deref()).map(|name| text(&self.breakers.get(Some(name)))),
            detail: present(event.detail()).map(|detail| text(&self.details.get(Some(detail)))),
        }
    }
}

/// An empty name counts as none.
pub(crate) fn present(name: Option<&str>) -> Option<&str> {
    name.filter(|name| !name.is_empty())
}
