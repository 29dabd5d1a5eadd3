//! The families of a registry as a sink.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use prometheus_client::metrics::exemplar::{CounterWithExemplar, HistogramWithExemplars};
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge;
use prometheus_client::registry::{Registry, Unit};
use redress_metric_sink::{LabelValue, Metric, MetricKind, MetricSink};

use crate::exemplar::{self, Exemplar, Exemplars};
use crate::labels::Labels;

type Counter = CounterWithExemplar<Exemplar>;
type Histogram = HistogramWithExemplars<Exemplar>;
type Gauge = gauge::Gauge<f64, AtomicU64>;

/// The registered metrics.
pub(crate) struct Families {
    by_name: Vec<(Cow<'static, str>, Registered)>,
    exemplars: Exemplars,
}

#[derive(Clone)]
enum Registered {
    Counter(Family<Labels, Counter>),
    Histogram(Family<Labels, Histogram, Bounds>),
    Gauge(Family<Labels, Gauge>),
}

/// The bounds of a histogram's buckets, in seconds.
#[derive(Clone)]
pub(crate) struct Bounds(Arc<[f64]>);

impl MetricConstructor<Histogram> for Bounds {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

/// A series, looked up in its family when it is first written, because a lookup shows it.
pub(crate) enum Series {
    Counter(Family<Labels, Counter>, Labels, OnceLock<Counter>),
    Histogram(Family<Labels, Histogram, Bounds>, Labels, OnceLock<Histogram>),
    /// Looked up each time, because it may have been removed.
    Gauge(Family<Labels, Gauge>, Labels),
    /// Of a metric that is not registered.
    None,
}

impl Families {
    /// Registers these metrics. `bounds` returns those of a histogram's buckets.
    pub(crate) fn register<'m>(
        registry: &mut Registry,
        metrics: impl Iterator<Item = &'m Metric>,
        bounds: impl Fn(&Metric) -> Arc<[f64]>,
        exemplars: Exemplars,
    ) -> Self {
        let registered = |metric: &Metric| (metric.name.clone(), register(registry, metric, &bounds));
        Self { by_name: metrics.map(registered).collect(), exemplars }
    }
}

fn register(registry: &mut Registry, metric: &Metric, bounds: &impl Fn(&Metric) -> Arc<[f64]>) -> Registered {
    // The registry adds the full stop.
    let (name, help) = (&*metric.name, metric.help.trim_end_matches('.'));
    match metric.kind {
        MetricKind::Counter => {
            let family = Family::default();
            // The encoder adds `_total`, and the registry panics on a name that has it.
            registry.register(name.trim_end_matches("_total"), help, family.clone());
            Registered::Counter(family)
        }
        MetricKind::Histogram => {
            let family = Family::new_with_constructor(Bounds(bounds(metric)));
            match name.strip_suffix("_seconds") {
                Some(name) => registry.register_with_unit(name, help, Unit::Seconds, family.clone()),
                None => registry.register(name, help, family.clone()),
            }
            Registered::Histogram(family)
        }
        MetricKind::Gauge => {
            let family = Family::default();
            registry.register(name, help, family.clone());
            Registered::Gauge(family)
        }
    }
}

impl MetricSink for Families {
    type Series = Series;

    fn series(&self, metric: &Metric, labels: &[(&'static str, LabelValue)]) -> Series {
        let labels = Labels::from(labels);
        match self.by_name.iter().find(|(name, _)| *name == metric.name).map(|(_, registered)| registered.clone()) {
            Some(Registered::Counter(family)) => Series::Counter(family, labels, OnceLock::new()),
            Some(Registered::Histogram(family)) => Series::Histogram(family, labels, OnceLock::new()),
            Some(Registered::Gauge(family)) => Series::Gauge(family, labels),
            None => Series::None,
        }
    }

    fn count(&self, series: &Series) {
        let Series::Counter(family, labels, known) = series else { return };
        let exemplar = self.exemplars.current();
        let counter = known.get_or_init(|| family.get_or_create_owned(labels));
        if exemplar.is_some() {
            counter.inc_by(1, exemplar, Some(exemplar::now()));
        } else {
            // `inc_by` without an exemplar would remove the last one.
            counter.inner().fetch_add(1, Ordering::Relaxed);
        }
    }

    fn record(&self, series: &Series, duration: Duration) {
        let Series::Histogram(family, labels, known) = series else { return };
        let exemplar = self.exemplars.current();
        let histogram = known.get_or_init(|| family.get_or_create_owned(labels));
        let time = exemplar.is_some().then(exemplar::now);
        histogram.observe(duration.as_secs_f64(), exemplar, time);
    }

    fn set(&self, series: &Series, value: f64) {
        let Series::Gauge(family, labels) = series else { return };
        family.get_or_create(labels).set(value);
    }

    fn clear(&self, series: &Series) {
        let Series::Gauge(family, labels) = series else { return };
        family.remove(labels);
    }
}
