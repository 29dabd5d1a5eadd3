//! The configuration of an observer.

use redress_metric_sink::{MetricObserver, Settings, builder_methods};

use crate::facade::Facade;
use crate::names;
use crate::observer::MetricsObserver;

/// Builds a [`MetricsObserver`]. Returned by [`MetricsObserver::builder`].
///
/// ```
/// use redress::Policy;
/// use redress::observe::metrics::MetricsObserver;
///
/// let metrics = MetricsObserver::builder().operation_limit(20).with_error_type().build();
/// let policy = Policy::builder().observer(metrics).build()?;
/// # drop(policy);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct MetricsObserverBuilder {
    settings: Settings,
}

impl MetricsObserverBuilder {
    pub(crate) const fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// Builds the observer and describes its metrics to the installed recorder, as
    /// [`describe`](crate::describe) does.
    #[must_use]
    pub fn build(self) -> MetricsObserver {
        self.settings.metrics().for_each(names::describe_one);
        MetricsObserver::of(MetricObserver::new(Facade, self.settings))
    }
}

builder_methods!(MetricsObserverBuilder, settings);
