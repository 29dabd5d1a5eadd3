//! The observer, which maps events and attempts to metrics.

use cadence::StatsdClient;
use redress_metric_sink::{MetricObserver, observer_methods};

use crate::builder::DatadogObserverBuilder;
use crate::dogstatsd::DogStatsD;

/// Sends a policy's events as counts, distributions and gauges.
///
/// A handle: clones share one observer. Use clones of one observer for all policies, because the
/// [limits on names](DatadogObserverBuilder::operation_limit) apply to each observer separately.
///
/// Whether a call waits for the network is up to the sink of the client:
/// [`Datagrams`](crate::Datagrams) never does.
///
/// ```
/// use std::time::Duration;
/// use cadence::StatsdClient;
/// use redress::{Budget, CircuitBreaker, Policy, Retry};
/// use redress::observe::datadog::{DatadogObserver, Datagrams};
///
/// let metrics = DatadogObserver::new(StatsdClient::from_sink("", Datagrams::udp("127.0.0.1:8125")?));
/// let breaker = CircuitBreaker::builder().name("billing").build()?;
/// metrics.watch(&breaker); // sent before it first opens
/// let policy = Policy::builder().circuit_breaker(&breaker).observer(metrics.clone()).build()?;
///
/// let budget = Budget::new(100, Duration::from_secs(60))?;
/// metrics.watch_budget("process", &budget);
/// let policy = Policy::builder().retry(Retry::builder().budget(budget)).observer(metrics.clone()).build()?;
///
/// let hosts = policy.keyed(CircuitBreaker::builder().failure_threshold(5))?;
/// metrics.watch_keyed(hosts.breakers());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct DatadogObserver {
    observer: MetricObserver<DogStatsD>,
}

impl DatadogObserver {
    /// Creates an observer with the defaults; see [`builder`](Self::builder).
    #[must_use]
    pub fn new(client: StatsdClient) -> Self {
        Self::builder(client).build()
    }

    /// Returns a builder with the defaults.
    pub const fn builder(client: StatsdClient) -> DatadogObserverBuilder {
        DatadogObserverBuilder::new(client)
    }

    pub(crate) const fn of(observer: MetricObserver<DogStatsD>) -> Self {
        Self { observer }
    }
}

observer_methods!(DatadogObserver, observer, "A cleared gauge is not sent any more, so its line in Datadog ends.");
