//! The observer, which maps events and attempts to metrics.

use redress_metric_sink::{MetricObserver, Settings, observer_methods};

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
/// use std::time::Duration;
/// use redress::{Budget, CircuitBreaker, Policy, Retry};
/// use redress::observe::metrics::MetricsObserver;
///
/// let metrics = MetricsObserver::builder().operation_limit(20).build();
/// let breaker = CircuitBreaker::builder().name("billing").build()?;
/// metrics.watch(&breaker); // shown before it first opens
/// let policy = Policy::builder().circuit_breaker(&breaker).observer(metrics.clone()).build()?;
///
/// let budget = Budget::new(100, Duration::from_secs(60))?;
/// metrics.watch_budget("process", &budget);
/// let policy = Policy::builder().retry(Retry::builder().budget(budget)).observer(metrics.clone()).build()?;
///
/// let hosts = policy.keyed(CircuitBreaker::builder().failure_threshold(5))?;
/// metrics.watch_keyed(hosts.breakers());
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
}

observer_methods!(
    MetricsObserver,
    observer,
    "A recorder cannot remove a series, so the gauge becomes NaN: no alert comparison is true for it, and an exporter that drops idle series drops it."
);

impl Default for MetricsObserver {
    fn default() -> Self {
        Self::new()
    }
}
