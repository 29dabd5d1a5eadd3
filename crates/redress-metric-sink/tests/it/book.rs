//! A sink that writes down what it is asked to do.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redress_metric_sink::{LabelValue, Metric, MetricSink};

/// What was asked, in order, and the series that were made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    asked: Vec<String>,
    made: usize,
    names: HashSet<String>,
}

impl Book {
    fn write(&self, entry: String) {
        self.0.lock().unwrap().asked.push(entry);
    }

    /// What was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }

    /// How many series were made so far, and how many different ones.
    pub(crate) fn made(&self) -> (usize, usize) {
        let entries = self.0.lock().unwrap();
        (entries.made, entries.names.len())
    }
}

impl MetricSink for Book {
    type Series = String;

    fn series(&self, metric: &Metric, labels: &[(&'static str, LabelValue)]) -> String {
        let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={}", value.as_str())).collect();
        let series = format!("{} {}", metric.name, labels.join(" "));
        let mut entries = self.0.lock().unwrap();
        entries.made += 1;
        entries.names.insert(series.clone());
        series
    }

    fn count(&self, series: &String) {
        self.write(format!("count {series}"));
    }

    fn record(&self, series: &String, duration: Duration) {
        self.write(format!("record {series}: {duration:?}"));
    }

    fn set(&self, series: &String, value: f64) {
        self.write(format!("set {series}: {value}"));
    }

    fn clear(&self, series: &String) {
        self.write(format!("clear {series}"));
    }
}
