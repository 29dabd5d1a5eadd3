//! The `metrics` facade as a sink.
//!
//! Handles are not cached: a handle is bound to the recorder installed when it was created, and
//! becomes useless when an exporter drops the idle series.

use std::borrow::Cow;
use std::time::Duration;

use metrics::{Key, KeyName, Label, Level, Metadata, SharedString, with_recorder};
use redress_metric_sink::{LabelValue, Metric, MetricSink};

static METADATA: Metadata<'static> = Metadata::new("redress", Level::INFO, Some(module_path!()));

/// Writes to the recorder that is installed at the time.
pub(crate) struct Facade;

impl MetricSink for Facade {
    type Series = Key;

    fn series(&self, metric: &Metric, labels: &[(&'static str, LabelValue)]) -> Key {
        let labels: Vec<Label> = labels.iter().map(|(key, value)| Label::new(*key, text(value))).collect();
        Key::from_parts(key_name(metric), labels)
    }

    fn count(&self, key: &Key) {
        with_recorder(|recorder| recorder.register_counter(key, &METADATA).increment(1));
    }

    fn record(&self, key: &Key, duration: Duration) {
        with_recorder(|recorder| recorder.register_histogram(key, &METADATA).record(duration));
    }

    fn set(&self, key: &Key, value: f64) {
        with_recorder(|recorder| recorder.register_gauge(key, &METADATA).set(value));
    }

    /// A recorder cannot remove a series. No alert comparison is true for NaN, and an exporter that
    /// drops idle series drops it.
    fn clear(&self, key: &Key) {
        self.set(key, f64::NAN);
    }
}

/// The facade's name of a metric.
pub(crate) fn key_name(metric: &Metric) -> KeyName {
    match &metric.name {
        Cow::Borrowed(name) => KeyName::from_const_str(name),
        Cow::Owned(name) => KeyName::from(name.clone()),
    }
}

fn text(value: &LabelValue) -> SharedString {
    match value {
        LabelValue::Fixed(text) => SharedString::const_str(text),
        LabelValue::Named(name) => SharedString::from_shared(name.clone()),
    }
}
