//! The configuration of an observer.

use cadence::StatsdClient;
use redress_metric_sink::{MetricObserver, Settings, builder_methods};

use crate::dogstatsd::DogStatsD;
use crate::observer::DatadogObserver;

/// Builds a [`DatadogObserver`]. Returned by [`DatadogObserver::builder`].
///
/// ```
/// use cadence::{NopMetricSink, StatsdClient};
/// use redress::Policy;
/// use redress::observe::datadog::DatadogObserver;
///
/// let client = StatsdClient::from_sink("", NopMetricSink);
/// let metrics = DatadogObserver::builder(client).operation_limit(20).with_error_type().build();
/// let policy = Policy::builder().observer(metrics).build()?;
/// # drop(policy);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct DatadogObserverBuilder {
    settings: Settings,
    client: StatsdClient,
    timings: bool,
}

impl DatadogObserverBuilder {
    pub(crate) const fn new(client: StatsdClient) -> Self {
        Self { settings: Settings::all(), client, timings: false }
    }

    /// Sends durations as timings, in whole milliseconds, instead of distributions, in seconds: for
    /// servers that know StatsD's types alone. Default: distributions, of which Datadog computes
    /// percentiles over all hosts.
    pub const fn with_timings(mut self) -> Self {
        self.timings = true;
        self
    }

    /// Builds the observer.
    #[must_use]
    pub fn build(self) -> DatadogObserver {
        let sink = DogStatsD { client: self.client, timings: self.timings };
        DatadogObserver::of(MetricObserver::new(sink, self.settings))
    }
}

builder_methods!(DatadogObserverBuilder, settings);
