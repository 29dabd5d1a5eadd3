//! The configuration of an observer.

use std::fmt;
use std::sync::Arc;

use prometheus_client::registry::Registry;
use redress_metric_sink::{Metric, MetricObserver, Settings, builder_methods};

use crate::buckets::Buckets;
use crate::exemplar::Exemplars;
use crate::families::Families;
use crate::observer::PrometheusObserver;

/// Builds a [`PrometheusObserver`]. Returned by [`PrometheusObserver::builder`].
///
/// ```
/// use prometheus_client::registry::Registry;
/// use redress::Policy;
/// use redress::observe::prometheus::PrometheusObserver;
///
/// let mut registry = Registry::default();
/// let metrics = PrometheusObserver::builder().operation_limit(20).with_error_type().register(&mut registry);
/// let policy = Policy::builder().observer(metrics).build()?;
/// # drop(policy);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `register` is called"]
pub struct PrometheusObserverBuilder {
    settings: Settings,
    call_durations: Option<Buckets>,
    retry_sleeps: Option<Buckets>,
    exemplars: Exemplars,
}

impl PrometheusObserverBuilder {
    pub(crate) fn new() -> Self {
        Self { settings: Settings::all(), call_durations: None, retry_sleeps: None, exemplars: Exemplars::default() }
    }

    /// Sets where counters and histograms get their exemplars: a label and its value, usually
    /// `trace_id` and the id of the current trace, or `None` outside of one. Default: no exemplars.
    ///
    /// The closure runs on the thread of the call, for every measurement, where the span around the
    /// call is current. Only OpenMetrics shows exemplars, each with its time. A series keeps its
    /// last one, a histogram the last one of each bucket. An exemplar with an invalid label, or
    /// with more than 128 characters in label and value together, is omitted, because a scraper
    /// may reject the page for it. A panic in the closure counts as `None`.
    ///
    /// ```
    /// use std::cell::RefCell;
    /// use prometheus_client::registry::Registry;
    /// use redress::observe::prometheus::PrometheusObserver;
    ///
    /// thread_local! {
    ///     /// Stands for the tracing library's current span.
    ///     static TRACE: RefCell<Option<String>> = const { RefCell::new(None) };
    /// }
    ///
    /// let metrics = PrometheusObserver::builder()
    ///     .exemplar(|| TRACE.with_borrow(|id| id.clone()).map(|id| ("trace_id", id)))
    ///     .register(&mut Registry::default());
    /// ```
    pub fn exemplar(mut self, current: impl Fn() -> Option<(&'static str, String)> + Send + Sync + 'static) -> Self {
        self.exemplars = Exemplars::new(current);
        self
    }

    /// Sets the buckets of the durations of calls. Default: those of
    /// [`Metric::CALL_DURATION`], from 5 ms to 60 s.
    pub fn call_duration_buckets(mut self, buckets: Buckets) -> Self {
        self.call_durations = Some(buckets);
        self
    }

    /// Sets the buckets of the waits before retries. Default: those of [`Metric::RETRY_SLEEP`].
    pub fn retry_sleep_buckets(mut self, buckets: Buckets) -> Self {
        self.retry_sleeps = Some(buckets);
        self
    }

    /// Registers the metrics and returns the observer. Register one observer with a registry, and
    /// clone it: `prometheus-client` shows a metric that is registered twice twice, which scrapers
    /// reject.
    #[must_use]
    pub fn register(self, registry: &mut Registry) -> PrometheusObserver {
        let set = [
            (Metric::CALL_DURATION.name, self.call_durations.map(Buckets::into_bounds)),
            (Metric::RETRY_SLEEP.name, self.retry_sleeps.map(Buckets::into_bounds)),
        ];
        let bounds = |metric: &Metric| -> Arc<[f64]> {
            let set = set.iter().find(|(name, _)| *name == metric.name).and_then(|(_, bounds)| bounds.clone());
            set.unwrap_or_else(|| metric.buckets.into())
        };
        let families = Families::register(registry, self.settings.metrics(), bounds, self.exemplars);
        PrometheusObserver::of(MetricObserver::new(families, self.settings))
    }
}

builder_methods!(PrometheusObserverBuilder, settings);

impl fmt::Debug for PrometheusObserverBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrometheusObserverBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
