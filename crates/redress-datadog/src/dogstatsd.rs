//! The client as a sink.

use std::time::Duration;

use cadence::{Counted as _, Distributed as _, Gauged as _, MetricBuilder, StatsdClient, Timed as _};
use redress_metric_sink::{LabelValue, Metric, MetricSink};

use crate::text;

/// Writes to a client.
pub(crate) struct DogStatsD {
    pub(crate) client: StatsdClient,
    /// Whether durations are timings, in milliseconds, instead of distributions, in seconds.
    pub(crate) timings: bool,
}

/// A name and its tags, in Datadog's form.
pub(crate) struct Series {
    name: String,
    tags: Vec<(&'static str, String)>,
}

impl Series {
    /// Adds the tags and sends. An error goes to the error handler of the client.
    fn send<'s, M: cadence::Metric + From<String>>(&'s self, metric: MetricBuilder<'s, '_, M>) {
        self.tags.iter().fold(metric, |metric, (key, value)| metric.with_tag(key, value)).send();
    }
}

impl MetricSink for DogStatsD {
    type Series = Series;

    fn series(&self, metric: &Metric, labels: &[(&'static str, LabelValue)]) -> Series {
        let tags = labels.iter().map(|(key, value)| (*key, text::tag_value(value.as_str()))).collect();
        Series { name: text::metric_name(&metric.name), tags }
    }

    fn count(&self, series: &Series) {
        series.send(self.client.count_with_tags(&series.name, 1_u64));
    }

    fn record(&self, series: &Series, duration: Duration) {
        if self.timings {
            series.send(self.client.time_with_tags(&series.name, duration));
        } else {
            series.send(self.client.distribution_with_tags(&series.name, duration.as_secs_f64()));
        }
    }

    fn set(&self, series: &Series, value: f64) {
        series.send(self.client.gauge_with_tags(&series.name, value));
    }

    /// A gauge without new values ends in Datadog.
    fn clear(&self, _: &Series) {}
}
