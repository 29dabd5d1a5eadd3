//! The observer, which maps events and attempts to metrics.

use std::fmt;
use std::sync::Arc;

use redress_core::breaker::KeyedBreakers;
use redress_core::observe::AttemptContext;
use redress_core::{Budget, CircuitBreaker, Event, Observer};
use redress_metric_sink::{MetricObserver, Settings};

use crate::builder::MetricsObserverBuilder;
use crate::facade::Facade;

/// Writes a policy's events to the [`metrics`] facade: the counters, histograms and gauges listed
/// in [`names`](crate::names).
///
/// A handle: clones share one observer. Use clones of one observer for all policies, because the
/// [limits on names](MetricsObserverBuilder::operation_limit) apply to each observer separately.
///
/// Each measurement goes to the recorder installed at that time, so an observer can be built before
/// the recorder is installed. Earlier measurements are lost; call [`describe`](crate::describe) and
/// [`refresh`](Self::refresh) again after installing it.
///
/// ```
/// use redress::{CircuitBreaker, Policy};
/// use redress::observe::metrics::MetricsObserver;
///
/// let metrics = MetricsObserver::builder().operation_limit(20).build();
/// let breaker = CircuitBreaker::builder().name("billing").build()?;
/// metrics.watch(&breaker); // shown before it first opens
/// let policy = Policy::builder().circuit_breaker(&breaker).observer(metrics.clone()).build()?;
/// # drop(policy);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct MetricsObserver {
    observer: MetricObserver<Facade>,
}

impl MetricsObserver {
    /// Creates an observer with the defaults; see [`builder`](Self::builder).
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Returns a builder with the defaults.
    pub const fn builder() -> MetricsObserverBuilder {
        MetricsObserverBuilder::new(Settings::all())
    }

    pub(crate) const fn of(observer: MetricObserver<Facade>) -> Self {
        Self { observer }
    }

    /// Shows a breaker's state from now on, read from the breaker instead of from events.
    ///
    /// An unwatched breaker has a gauge after its first change of state. A watched one has it at
    /// once, and the gauge is correct even if threads report changes out of order. Reads are
    /// triggered by events of policies with this observer; for a breaker that is also used
    /// directly, call [`refresh`](Self::refresh).
    ///
    /// The observer keeps the breaker alive until it is [unwatched](Self::unwatch). Watching
    /// another breaker of the same name replaces it.
    pub fn watch(&self, breaker: &CircuitBreaker) {
        self.observer.watch(breaker);
    }

    /// Shows the states of keyed breakers, each under its key.
    ///
    /// A key has a gauge if it has a breaker now, and otherwise after its first change of state. At
    /// most as many names as the [limit](MetricsObserverBuilder::breaker_limit) have one. When a
    /// breaker is evicted, its gauge becomes NaN, as for [`unwatch`](Self::unwatch). Its name keeps
    /// its place within the limit, so that keys which come and go cannot add series for ever.
    ///
    /// The observer does not keep the breakers alive.
    ///
    /// ```
    /// use redress::observe::metrics::MetricsObserver;
    /// use redress::{CircuitBreaker, Policy};
    ///
    /// let metrics = MetricsObserver::builder().breaker_limit(500).build();
    /// let policy = Policy::builder().observer(metrics.clone()).build()?;
    /// let hosts = policy.keyed(CircuitBreaker::builder().failure_threshold(5))?;
    /// metrics.watch_keyed(hosts.breakers());
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    pub fn watch_keyed(&self, breakers: &KeyedBreakers) {
        self.observer.watch_keyed(breakers);
    }

    /// Stops watching the breaker of this [name](CircuitBreaker::name), releases it, and forgets
    /// the name, whose place within the [limit](MetricsObserverBuilder::breaker_limit) is free
    /// then. Use it for a breaker that is no longer used, such as that of a removed host. An
    /// empty name stands for the unnamed breaker. Does nothing if the name is not known.
    ///
    /// A recorder cannot remove a series, so the gauge becomes NaN: no alert comparison is true for
    /// it, and an exporter that drops idle series drops it. The next change of state of a breaker
    /// of this name sets it again.
    pub fn unwatch(&self, name: &str) {
        self.observer.unwatch(name);
    }

    /// Shows the retries a budget has left as [`BUDGET_REMAINING`](crate::names::BUDGET_REMAINING)
    /// under this name, until it is [unwatched](Self::unwatch_budget). Watching another budget
    /// under the same name replaces it.
    ///
    /// The gauge is written at each retry, and at each event until the budget is full again. Tokens
    /// return with time, so call [`refresh`](Self::refresh) before scrapes if calls are rare.
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
    pub fn watch_budget(&self, name: impl Into<Arc<str>>, budget: &Budget) {
        self.observer.watch_budget(name, budget);
    }

    /// Stops watching the budget of this name, and releases it. Its gauge becomes NaN, as for
    /// [`unwatch`](Self::unwatch).
    pub fn unwatch_budget(&self, name: &str) {
        self.observer.unwatch_budget(name);
    }

    /// Writes the gauges of all watched breakers and budgets. Call it after installing a recorder
    /// late, or periodically if the exporter drops idle series.
    pub fn refresh(&self) {
        self.observer.refresh();
    }
}

impl Observer for MetricsObserver {
    fn on_event(&self, event: &Event<'_>) {
        self.observer.on_event(event);
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        self.observer.on_attempt_start(attempt);
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        self.observer.on_attempt_end(attempt);
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
