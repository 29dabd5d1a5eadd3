//! The observer: what is written when.
//!
//! Owns the mapping from what is heard to what is counted. Holds no state of calls, so it needs
//! nothing along with each.

use std::fmt;
use std::sync::Arc;

use metrics::{Label, SharedString};
use redress_core::observe::AttemptContext;
use redress_core::{Budget, CircuitBreaker, Event, Observer};

use crate::bounded::Bounded;
use crate::budgets::Budgets;
use crate::builder::MetricsObserverBuilder;
use crate::circuit::Circuit;
use crate::labels;
use crate::operations::Operations;
use crate::series::{Metrics, Operation, PolicyName, Series};

/// Writes a policy's events to the [`metrics`] facade: the counters, histograms and gauges listed
/// in [`names`](crate::names).
///
/// A handle: clones are the same observer. Give clones of one to all policies, since each counts
/// the [names it lets through](MetricsObserverBuilder::operation_limit) for itself.
///
/// Whatever is written goes to the recorder that is installed at that time, so an observer may be
/// older than the recorder; only what was counted before is lost, and [`describe`](crate::describe)
/// and [`refresh`](Self::refresh) have to be called again.
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
    operations: Operations,
    policies: Bounded<PolicyName>,
    circuits: Bounded<Circuit>,
    details: Bounded<Label>,
    budgets: Budgets,
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
        let MetricsObserverBuilder { metrics, extras, operations, .. } = builder;
        let (gauge, budgets) = (metrics.states.clone(), Budgets::new(metrics.budgets.clone()));
        let make = move |name| Operation::new(metrics.clone(), extras, name);
        let declared = if extras.operation { operations } else { Vec::new() };
        Self {
            shared: Arc::new(Shared {
                operations: Operations::new(builder.operation_limit, &declared, make),
                policies: Bounded::new(builder.policy_limit, PolicyName),
                circuits: Bounded::new(builder.breaker_limit, move |name| Circuit::new(gauge.clone(), name)),
                details: Bounded::new(builder.detail_limit, |detail| labels::named(labels::DETAIL, detail)),
                budgets,
            }),
        }
    }

    /// Shows a breaker's state from now on, by looking at it instead of by what events say.
    ///
    /// Without it a breaker has a gauge from its first change of state on. With it, the gauge is
    /// there at once, and is right whatever the order in which threads come to tell of changes.
    /// Changes still have to be told: by policies that have this observer, or by
    /// [`refresh`](Self::refresh) for a breaker that is also used by hand.
    ///
    /// The observer keeps the breaker alive until it is [unwatched](Self::unwatch). A later breaker
    /// of the same name takes the earlier one's place.
    pub fn watch(&self, breaker: &CircuitBreaker) {
        self.shared.circuits.get_always(breaker.name()).watch(breaker.clone());
    }

    /// Lets go of the watched breaker of this [name](CircuitBreaker::name), for one that is used no
    /// more, such as that of a host that is gone; empty for the one without a name. Does nothing if
    /// none is watched.
    ///
    /// A recorder cannot take a series back, so the gauge becomes NaN: no alert compares true with
    /// it, and an exporter that forgets idle series forgets it. A policy that tells of a breaker of
    /// this name writes it again.
    pub fn unwatch(&self, name: &str) {
        if let Some(circuit) = self.shared.circuits.known(name) {
            circuit.unwatch();
        }
    }

    /// Shows what a budget has left from now on, as
    /// [`BUDGET_REMAINING`](crate::names::BUDGET_REMAINING) under this name, until it is
    /// [unwatched](Self::unwatch_budget). A later budget of the same name takes the earlier one's
    /// place.
    ///
    /// The gauge is written at each retry, and at each event until the budget is full again. Where
    /// calls are rare, call [`refresh`](Self::refresh) before scrapes, since tokens come back as
    /// time goes by.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress::{Budget, Policy, Retry};
    /// use redress::observe::metrics::MetricsObserver;
    ///
    /// let (metrics, budget) = (MetricsObserver::new(), Budget::new(100, Duration::from_secs(60))?);
    /// metrics.watch_budget("process", &budget);
    /// let policy = Policy::builder().retry(Retry::builder().budget(budget)).observer(metrics).build()?;
    /// # drop(policy);
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    pub fn watch_budget(&self, name: impl Into<SharedString>, budget: &Budget) {
        self.shared.budgets.watch(name.into(), budget.clone());
    }

    /// Lets go of the budget watched under this name. Its gauge becomes NaN, as
    /// [`unwatch`](Self::unwatch) says.
    pub fn unwatch_budget(&self, name: &str) {
        self.shared.budgets.unwatch(name);
    }

    /// Writes the gauges of the watched breakers and budgets again: after a recorder was installed
    /// late, or from time to time if the exporter forgets what is not written to.
    pub fn refresh(&self) {
        self.shared.budgets.refresh();
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
        series.count_event(event, &self.shared.details);
        self.shared.budgets.hear(event);
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
