//! [`Settings`]: which metrics and labels an observer writes, and how many names it keeps.

use crate::metric::Metric;

/// The default limit for each of operations, policies, breakers and details.
const DEFAULT_LIMIT: usize = 100;

/// The metrics and labels of a [`MetricObserver`](crate::MetricObserver), and its limits on names,
/// for the builders of observers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The counter of events. Default: [`Metric::EVENTS`].
    pub events: Metric,
    /// The counter of attempts, if it is written. Default: [`Metric::ATTEMPTS`].
    pub attempts: Option<Metric>,
    /// The histogram of calls, if it is written. Default: [`Metric::CALL_DURATION`].
    pub durations: Option<Metric>,
    /// The histogram of waits, if it is written. Default: [`Metric::RETRY_SLEEP`].
    pub sleeps: Option<Metric>,
    /// The gauge of breakers, if it is written. Default: [`Metric::CIRCUIT_STATE`].
    pub states: Option<Metric>,
    /// The gauge of budgets, if it is written. Default: [`Metric::BUDGET_REMAINING`].
    pub budgets: Option<Metric>,
    /// Whether series have the label `operation`. Default: true.
    pub operation: bool,
    /// Whether events have the label `error_type`. Default: false.
    pub error_type: bool,
    /// Operations with a reserved place. Default: none.
    pub operations: Vec<String>,
    /// How many different operations have series. Default: 100.
    pub operation_limit: usize,
    /// How many different policies have series. Default: 100.
    pub policy_limit: usize,
    /// How many different breakers have series. Default: 100.
    pub breaker_limit: usize,
    /// How many different details become label values. Default: 100.
    pub detail_limit: usize,
}

impl Settings {
    /// All metrics, with the default labels and limits.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            events: Metric::EVENTS,
            attempts: Some(Metric::ATTEMPTS),
            durations: Some(Metric::CALL_DURATION),
            sleeps: Some(Metric::RETRY_SLEEP),
            states: Some(Metric::CIRCUIT_STATE),
            budgets: Some(Metric::BUDGET_REMAINING),
            operation: true,
            error_type: false,
            operations: Vec::new(),
            operation_limit: DEFAULT_LIMIT,
            policy_limit: DEFAULT_LIMIT,
            breaker_limit: DEFAULT_LIMIT,
            detail_limit: DEFAULT_LIMIT,
        }
    }

    /// The counter of events, and nothing else.
    #[must_use]
    pub fn only_events(events: Metric) -> Self {
        Self { events, attempts: None, durations: None, sleeps: None, states: None, budgets: None, ..Self::all() }
    }

    /// The metrics that are written.
    pub fn metrics(&self) -> impl Iterator<Item = &Metric> {
        let others = [&self.attempts, &self.durations, &self.sleeps, &self.states, &self.budgets];
        [&self.events].into_iter().chain(others.into_iter().flatten())
    }

    /// The label keys of a metric's series, in their order.
    #[must_use]
    pub fn labels(&self, metric: &Metric) -> Vec<&'static str> {
        use crate::label::{ERROR_TYPE, EVENT, OPERATION};

        let added = (self.error_type && metric.labels.contains(&EVENT)).then_some(ERROR_TYPE);
        let kept = metric.labels.iter().copied().filter(|&key| self.operation || key != OPERATION);
        kept.chain(added).collect()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::all()
    }
}
