//! The observer: what is written when.
//!
//! Owns the mapping from what is heard to what is counted. Holds no state of calls, so it needs nothing along with each.

use std::fmt;
use std::sync::Arc;

use redress_core::observe::AttemptContext;
use redress_core::{CircuitBreaker, Event, Observer};

use crate::bounded::Bounded;
use crate::builder::MetricsObserverBuilder;
use crate::circuit::Circuit;
use crate::series::{Metrics, Operation, PolicyName, Series};

/// Writes a policy's events to the [`metrics`] facade: the counters, histograms and gauge listed in [`names`](crate::names).
///
/// A handle: clones are the same observer. Give clones of one to all policies, since each counts the
/// [names it lets through](MetricsObserverBuilder::operation_limit) for itself.
///
/// Whatever is written goes to the recorder that is installed at that time, so an observer may be older than the recorder; only
/// what was counted before is lost, and [`describe`](crate::describe) and [`refresh`](Self::refresh) have to be called again.
///
/// ```
/// use redress::{CircuitBreaker, Policy};
/// use redress::observe::metrics::MetricsObserver;
///
/// let metrics = MetricsObserver::builder().operation_limit(20).build();
/// let breaker = CircuitBreaker::builder().name("billing").build()?;
/// metrics.watch(&breaker); // so that it shows before it ever opens
/// let policy = Policy::builder().circuit_breaker(&breaker).observer(metrics.clone()).build()?;
/// # drop(policy);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct MetricsObserver {
    shared: Arc<Shared>,
}

struct Shared {
    operations: Bounded<Operation>,
    policies: Bounded<PolicyName>,
    circuits: Bounded<Circuit>,
}

impl Shared {
    fn series(&self, operation: Option<&str>, policy: Option<&str>, breaker: &Arc<Circuit>) -> Arc<Series> {
        self.operations.get(operation).series(&self.policies.get(policy), breaker)
    }

    fn series_of(&self, attempt: &AttemptContext<'_>) -> Arc<Series> {
        let breaker = self.circuits.get(attempt.breaker.as_deref());
        self.series(attempt.operation.as_deref(), attempt.policy.as_deref(), &breaker)
    }
}

impl MetricsObserver {
    /// An observer with the defaults; see [`builder`](Self::builder).
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// An observer to be configured.
    pub const fn builder() -> MetricsObserverBuilder {
        MetricsObserverBuilder::new(Metrics::all())
    }

    pub(crate) fn from_builder(builder: MetricsObserverBuilder) -> Self {
        let MetricsObserverBuilder { metrics, extras, operation_limit, policy_limit, breaker_limit } = builder;
        let gauge = metrics.states.clone();
        let operations = Bounded::new(operation_limit, move |name| Operation::new(metrics.clone(), extras, name));
        let circuits = Bounded::new(breaker_limit, move |name| Circuit::new(gauge.clone(), name));
        let policies = Bounded::new(policy_limit, PolicyName);
        Self { shared: Arc::new(Shared { operations, policies, circuits }) }
    }

    /// Shows a breaker's state from now on, by looking at it instead of by what events say.
    ///
    /// Without it a breaker has a gauge from its first change of state on. With it, the gauge is there at once, and is right
    /// whatever the order in which threads come to tell of changes. Changes still have to be told: by policies that have this
    /// observer, or by [`refresh`](Self::refresh) for a breaker that is also used by hand.
    ///
    /// The observer keeps the breaker alive. A later breaker of the same name takes the earlier one's place.
    pub fn watch(&self, breaker: &CircuitBreaker) {
        self.shared.circuits.get_always(breaker.name()).watch(breaker.clone());
    }

    /// Writes the gauges of the watched breakers again: after a recorder was installed late, or from time to time if the
    /// exporter forgets what is not written to.
    pub fn refresh(&self) {
        for circuit in self.shared.circuits.all() {
            circuit.refresh();
        }
    }
}

impl Observer for MetricsObserver {
    fn on_event(&self, event: &Event<'_>) {
        let circuits = &self.shared.circuits;
        let circuit = circuits.get(event.breaker.as_deref());
        let series = self.shared.series(event.operation.as_deref(), event.policy.as_deref(), &circuit);
        series.count_event(event);
        if event.state.is_some() && !circuits.is_other(&circuit) {
            circuit.hear(event);
        }
        series.record_duration(event);
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        self.shared.series_of(attempt).count_attempt();
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        if attempt.delay.is_some() {
            self.shared.series_of(attempt).record_sleep(attempt);
        }
    }
}

impl Default for MetricsObserver {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MetricsObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsObserver").finish_non_exhaustive()
    }
}
