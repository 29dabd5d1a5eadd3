//! The observer, which maps events and attempts to metrics.

use prometheus_client::registry::Registry;
use redress_metric_sink::{MetricObserver, observer_methods};

use crate::builder::PrometheusObserverBuilder;
use crate::families::Families;

/// Writes a policy's events to the counters, histograms and gauges that it registered.
///
/// A handle: clones share one observer. Use clones of one observer for all policies, because the
/// [limits on names](PrometheusObserverBuilder::operation_limit) apply to each observer separately,
/// and the metrics can be registered once.
///
/// ```
/// use std::time::Duration;
/// use prometheus_client::registry::Registry;
/// use redress::{Budget, CircuitBreaker, Policy, Retry};
/// use redress::observe::prometheus::PrometheusObserver;
///
/// let mut registry = Registry::default();
/// let metrics = PrometheusObserver::register(&mut registry);
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
pub struct PrometheusObserver {
    observer: MetricObserver<Families>,
}

impl PrometheusObserver {
    /// Registers the metrics with the defaults; see [`builder`](Self::builder). Names begin with
    /// the prefix of the registry, if it has one.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        Self::builder().register(registry)
    }

    /// Returns a builder with the defaults.
    pub fn builder() -> PrometheusObserverBuilder {
        PrometheusObserverBuilder::new()
    }

    pub(crate) const fn of(observer: MetricObserver<Families>) -> Self {
        Self { observer }
    }
}

observer_methods!(PrometheusObserver, observer, "A cleared gauge is no longer on the page.");
