//! The metrics: names, kinds, units, labels and help texts. One table for every metrics library.

use std::borrow::Cow;

use crate::label;

/// The bounds of the buckets of [`Metric::CALL_DURATION`], in seconds: fine around single requests,
/// and up to a minute, the default deadline of a policy.
pub const CALL_DURATION_BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// The bounds of the buckets of [`Metric::RETRY_SLEEP`], in seconds: around the default base of the
/// strategies, a quarter of a second, and up to a minute.
pub const RETRY_SLEEP_BUCKETS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// A number that only grows.
    Counter,
    /// A distribution of durations, in seconds.
    Histogram,
    /// A number that is set.
    Gauge,
}

/// A metric of redress: what its name, its labels and its unit are.
///
/// ```
/// use redress::observe::metric_sink::Metric;
///
/// for metric in Metric::ALL {
///     println!("{} {:?}: {}", metric.name, metric.labels, metric.help);
/// }
/// assert_eq!(Metric::EVENTS.name, "redress_events_total");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Metric {
    /// The name, with the ending that Prometheus expects: `_total` for a counter, `_seconds` for
    /// durations.
    pub name: Cow<'static, str>,
    /// The kind.
    pub kind: MetricKind,
    /// The keys of the labels. Every series has all of them, because exporters expect one label set
    /// per name; the value of a label that does not apply is `none`.
    pub labels: &'static [&'static str],
    /// One sentence that says what it counts.
    pub help: &'static str,
    /// The recommended bounds of a histogram's buckets, in seconds.
    pub buckets: &'static [f64],
}

impl Metric {
    /// Counts every event that policies emit: failures by class and cause, retries, ends of calls,
    /// breaker changes.
    pub const EVENTS: Self = Self::new(
        "redress_events_total",
        MetricKind::Counter,
        &[
            label::EVENT,
            label::CLASS,
            label::CAUSE,
            label::DETAIL,
            label::STOP_REASON,
            label::BREAKER,
            label::POLICY,
            label::OPERATION,
        ],
        "Events of redress policies and circuit breakers.",
        &[],
    );

    /// Counts attempts started, first ones and retries: the load on the dependency.
    pub const ATTEMPTS: Self = Self::new(
        "redress_attempts_total",
        MetricKind::Counter,
        &[label::POLICY, label::OPERATION],
        "Attempts started by redress policies, first ones and retries.",
        &[],
    );

    /// Duration of calls in seconds, including waits. Its count is the number of calls. Calls that
    /// were dropped or panicked are recorded as `cancelled`.
    pub const CALL_DURATION: Self = Self::new(
        "redress_call_duration_seconds",
        MetricKind::Histogram,
        &[label::OUTCOME, label::POLICY, label::OPERATION],
        "Time that calls through redress policies took, attempts and waits together.",
        CALL_DURATION_BUCKETS,
    );

    /// Planned waits before retries, in seconds. Retries that a sleep handler deferred are not
    /// recorded.
    pub const RETRY_SLEEP: Self = Self::new(
        "redress_retry_sleep_seconds",
        MetricKind::Histogram,
        &[label::CLASS, label::POLICY, label::OPERATION],
        "Waits before retries, as decided.",
        RETRY_SLEEP_BUCKETS,
    );

    /// The state of a breaker: 0 closed, 1 half-open, 2 open.
    pub const CIRCUIT_STATE: Self = Self::new(
        "redress_circuit_state",
        MetricKind::Gauge,
        &[label::BREAKER],
        "State of the circuit breaker: 0 closed, 1 half-open, 2 open.",
        &[],
    );

    /// The retries that a watched budget has left.
    pub const BUDGET_REMAINING: Self = Self::new(
        "redress_budget_remaining",
        MetricKind::Gauge,
        &[label::BUDGET],
        "Retries that the budget has left.",
        &[],
    );

    /// Every metric.
    pub const ALL: &'static [Self] = &[
        Self::EVENTS,
        Self::ATTEMPTS,
        Self::CALL_DURATION,
        Self::RETRY_SLEEP,
        Self::CIRCUIT_STATE,
        Self::BUDGET_REMAINING,
    ];

    const fn new(
        name: &'static str,
        kind: MetricKind,
        labels: &'static [&'static str],
        help: &'static str,
        buckets: &'static [f64],
    ) -> Self {
        Self { name: Cow::Borrowed(name), kind, labels, help, buckets }
    }

    /// The same metric under another name.
    #[must_use]
    pub fn renamed(&self, name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), ..self.clone() }
    }
}
