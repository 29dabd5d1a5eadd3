//! An SDK with in-memory exporters, and the exported data in a form that tests can compare.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::trace::TracerProvider;
use opentelemetry::{KeyValue, SpanId};
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, HistogramDataPoint, MetricData, ResourceMetrics, ScopeMetrics,
};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracer, SdkTracerProvider, SpanData};
use redress_core::policy::RetryBuilder;
use redress_core::{Retry, fixed};
use redress_opentelemetry::{OtelObserver, OtelObserverBuilder};

pub(crate) struct Telemetry {
    spans: InMemorySpanExporter,
    tracers: SdkTracerProvider,
    metrics: InMemoryMetricExporter,
    meters: SdkMeterProvider,
}

impl Telemetry {
    pub(crate) fn new() -> Self {
        let spans = InMemorySpanExporter::default();
        let metrics = InMemoryMetricExporter::default();
        Self {
            tracers: SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build(),
            meters: SdkMeterProvider::builder().with_periodic_exporter(metrics.clone()).build(),
            spans,
            metrics,
        }
    }

    pub(crate) fn tracer(&self) -> SdkTracer {
        self.tracers.tracer("redress")
    }

    pub(crate) fn meter(&self) -> Meter {
        self.meters.meter("redress")
    }

    pub(crate) fn builder(&self) -> OtelObserverBuilder {
        OtelObserver::builder().tracer(self.tracer()).meter(self.meter())
    }

    pub(crate) fn observer(&self) -> OtelObserver {
        self.builder().build()
    }

    /// Returns the ended spans in the order of their ends.
    pub(crate) fn spans(&self) -> Vec<SpanData> {
        self.spans.get_finished_spans().unwrap()
    }

    /// Returns the only span of this name.
    pub(crate) fn span(&self, name: &str) -> SpanData {
        let mut named: Vec<_> = self.spans().into_iter().filter(|span| span.name == name).collect();
        assert_eq!(named.len(), 1, "spans called {name:?}");
        named.remove(0)
    }

    /// Returns the series of a metric at its last collection.
    pub(crate) fn points(&self, metric: &str) -> Vec<Point> {
        self.metrics.reset();
        self.meters.force_flush().unwrap();
        let exported = self.metrics.get_finished_metrics().unwrap();
        let all = exported.iter().flat_map(ResourceMetrics::scope_metrics).flat_map(ScopeMetrics::metrics);
        let named = all.filter(|each| each.name() == metric);
        named.flat_map(|each| points_of(each.unit(), each.data())).collect()
    }
}

/// One series of a metric.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) kind: &'static str,
    pub(crate) unit: String,
    pub(crate) attributes: BTreeMap<String, String>,
    /// The sum, for a histogram.
    pub(crate) value: f64,
    /// The number of measurements, for a histogram.
    pub(crate) count: u64,
    pub(crate) bounds: Vec<f64>,
}

impl Point {
    pub(crate) fn get(&self, attribute: &str) -> &str {
        self.attributes.get(attribute).map_or("", String::as_str)
    }
}

fn points_of(unit: &str, data: &AggregatedMetrics) -> Vec<Point> {
    let point = |kind, attributes: BTreeMap<String, String>, value| Point {
        kind,
        unit: unit.to_owned(),
        attributes,
        value,
        count: 1,
        bounds: Vec::new(),
    };
    match data {
        AggregatedMetrics::U64(MetricData::Sum(sum)) => {
            let kind = if sum.is_monotonic() { "counter" } else { "sum" };
            sum.data_points().map(|each| point(kind, texts(each.attributes()), each.value() as f64)).collect()
        }
        AggregatedMetrics::U64(MetricData::Gauge(gauge)) => {
            gauge.data_points().map(|each| point("gauge", texts(each.attributes()), each.value() as f64)).collect()
        }
        AggregatedMetrics::F64(MetricData::Gauge(gauge)) => {
            gauge.data_points().map(|each| point("gauge", texts(each.attributes()), each.value())).collect()
        }
        AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
            let of = |each: &HistogramDataPoint<f64>| Point {
                count: each.count(),
                bounds: each.bounds().collect(),
                ..point("histogram", texts(each.attributes()), each.sum())
            };
            histogram.data_points().map(of).collect()
        }
        other => panic!("unexpected kind of metric: {other:?}"),
    }
}

pub(crate) fn texts<'a>(attributes: impl IntoIterator<Item = &'a KeyValue>) -> BTreeMap<String, String> {
    attributes.into_iter().map(|each| (each.key.to_string(), each.value.to_string())).collect()
}

/// Converts the attributes written in a test.
pub(crate) fn map<const N: usize>(attributes: [(&str, &str); N]) -> BTreeMap<String, String> {
    attributes.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// Returns the span's events with their attributes.
pub(crate) fn events(span: &SpanData) -> Vec<(String, BTreeMap<String, String>)> {
    span.events.iter().map(|event| (event.name.to_string(), texts(&event.attributes))).collect()
}

/// Returns the names of a span's events.
pub(crate) fn names(span: &SpanData) -> Vec<&str> {
    span.events.iter().map(|event| &*event.name).collect()
}

pub(crate) fn is_root(span: &SpanData) -> bool {
    span.parent_span_id == SpanId::INVALID
}

pub(crate) fn is_child(child: &SpanData, parent: &SpanData) -> bool {
    child.parent_span_id == parent.span_context.span_id()
        && child.span_context.trace_id() == parent.span_context.trace_id()
}

/// Up to three attempts without a wait between them.
pub(crate) fn at_once() -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3)
}

/// A failure that is retried.
pub(crate) fn reset() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionReset)
}
