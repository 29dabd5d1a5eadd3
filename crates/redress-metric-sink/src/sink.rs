//! [`MetricSink`], what a metrics library has to do.

use std::time::Duration;

use crate::metric::Metric;
use crate::value::LabelValue;

/// A metrics library, as [`MetricObserver`](crate::MetricObserver) writes to it.
///
/// No method is called while a lock is held. A panic in one is caught by the engine, as in any
/// observer.
pub trait MetricSink: Send + Sync + 'static {
    /// A metric with its label values, kept for as long as the names in it are known. Making one
    /// must not show it: a gauge appears when it is first set.
    type Series: Send + Sync;

    /// Makes a series. `labels` has the keys of `metric`, unless the observer omits or adds some,
    /// in a fixed order.
    fn series(&self, metric: &Metric, labels: &[(&'static str, LabelValue)]) -> Self::Series;

    /// Adds one to a counter.
    fn count(&self, series: &Self::Series);

    /// Records a duration in a histogram.
    fn record(&self, series: &Self::Series, duration: Duration);

    /// Sets a gauge.
    fn set(&self, series: &Self::Series, value: f64);

    /// Stops showing a gauge that was set.
    fn clear(&self, series: &Self::Series);
}
