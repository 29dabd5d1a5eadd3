//! The bounds of a histogram's buckets, checked once.

use std::sync::Arc;

use redress_core::ConfigError;
use redress_core::error::ConfigIssue;

const FIELD: &str = "buckets";

/// The upper bounds of a histogram's buckets, in seconds. The encoder adds the bucket of all longer
/// durations.
///
/// ```
/// use prometheus_client::registry::Registry;
/// use redress::observe::prometheus::{Buckets, PrometheusObserver};
///
/// let metrics = PrometheusObserver::builder()
///     .call_duration_buckets(Buckets::new([0.01, 0.1, 1.0, 10.0])?)
///     .register(&mut Registry::default());
/// # drop(metrics);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Buckets {
    bounds: Arc<[f64]>,
}

impl Buckets {
    /// Takes the bounds in ascending order.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] on `buckets` if there is no bound, if one is infinite or NaN, or if one is
    /// not above the one before it. Scrapers reject such a histogram.
    pub fn new(bounds: impl IntoIterator<Item = f64>) -> Result<Self, ConfigError> {
        let bounds: Arc<[f64]> = bounds.into_iter().collect();
        let issue = |rule| Err(ConfigIssue::new(FIELD, format!("{bounds:?}"), rule).into());
        if bounds.is_empty() {
            return issue("have at least one bound");
        }
        if !bounds.iter().all(|bound| bound.is_finite()) {
            return issue("be finite");
        }
        if !bounds.is_sorted_by(|lower, upper| lower < upper) {
            return issue("ascend");
        }
        Ok(Self { bounds })
    }

    pub(crate) fn into_bounds(self) -> Arc<[f64]> {
        self.bounds
    }
}
