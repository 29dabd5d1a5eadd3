//! Prints the spans of a few calls as a tree, and their metrics as a list.
//!
//! The exporters keep everything in memory until it is printed; a service would export over OTLP.

use std::cell::Cell;
use std::error::Error;
use std::io;
use std::time::Duration;

use opentelemetry::trace::{SpanId, Tracer, TracerProvider};
use opentelemetry::{KeyValue, global};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ScopeMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use redress::observe::opentelemetry::OtelObserver;
use redress::runtime::tokio::AsyncPolicy;
use redress::{CircuitBreaker, Retry, fixed};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let spans = InMemorySpanExporter::default();
    let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    let metrics = InMemoryMetricExporter::default();
    let meters = SdkMeterProvider::builder().with_periodic_exporter(metrics.clone()).build();
    // Set the providers before building observers.
    global::set_tracer_provider(tracers.clone());
    global::set_meter_provider(meters.clone());

    let breaker = CircuitBreaker::builder().name("users-db").failure_threshold(1).build()?;
    let otel = OtelObserver::builder().watch(&breaker).build();
    let policy = AsyncPolicy::builder()
        .retry(Retry::builder().strategy(fixed(Duration::from_millis(5))).max_attempts(3))
        .circuit_breaker(breaker)
        .observer(otel)
        .build()?;

    let tracer = tracers.tracer("app");
    let late = call(&policy, "load_user", 2, &tracer);
    let soon = call(&policy, "load_cart", 0, &tracer);
    let _ = tokio::join!(late, soon);
    let _ = call(&policy, "store_user", 9, &tracer).await;
    let _ = call(&policy, "load_user_again", 0, &tracer).await;

    println!("spans:");
    let finished = spans.get_finished_spans()?;
    for root in finished.iter().filter(|span| span.parent_span_id == SpanId::INVALID) {
        print_span(root, &finished, 1);
    }
    println!("metrics:");
    meters.force_flush()?;
    for resource in metrics.get_finished_metrics()?.iter().take(1) {
        for metric in resource.scope_metrics().flat_map(ScopeMetrics::metrics) {
            print_metric(metric.name(), metric.unit(), metric.data());
        }
    }
    Ok(())
}

/// A call whose first attempts fail, with an application span in each attempt.
async fn call(
    policy: &AsyncPolicy,
    name: &str,
    failures: u32,
    tracer: &impl Tracer<Span: Send + Sync + 'static>,
) -> Result<(), Box<dyn Error>> {
    let made = Cell::new(0);
    let operation = || async {
        made.set(made.get() + 1);
        tokio::task::yield_now().await;
        tracer.in_span("query", |_| ());
        if made.get() <= failures { Err(io::Error::from(io::ErrorKind::ConnectionReset)) } else { Ok(()) }
    };
    policy.operation(name).call(operation).await.map_err(|error| error.to_string().into())
}

fn print_span(span: &SpanData, all: &[SpanData], depth: usize) {
    let indent = "  ".repeat(depth);
    println!("{indent}{} {}", span.name, texts(&span.attributes));
    for event in span.events.iter() {
        println!("{indent}  * {} {}", event.name, texts(&event.attributes));
    }
    for child in all.iter().filter(|child| child.parent_span_id == span.span_context.span_id()) {
        print_span(child, all, depth + 1);
    }
}

fn print_metric(name: &str, unit: &str, data: &AggregatedMetrics) {
    match data {
        AggregatedMetrics::U64(MetricData::Sum(sum)) => {
            for point in sum.data_points() {
                println!("  {name} {} {unit} {}", point.value(), texts(point.attributes()));
            }
        }
        AggregatedMetrics::U64(MetricData::Gauge(gauge)) => {
            for point in gauge.data_points() {
                println!("  {name} {} {}", point.value(), texts(point.attributes()));
            }
        }
        AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
            for point in histogram.data_points() {
                println!("  {name} {} x, {:.3} {unit} {}", point.count(), point.sum(), texts(point.attributes()));
            }
        }
        _ => {}
    }
}

fn texts<'a>(attributes: impl IntoIterator<Item = &'a KeyValue>) -> String {
    let mut texts: Vec<_> = attributes.into_iter().map(|each| format!("{}={}", each.key, each.value)).collect();
    texts.sort();
    format!("{{{}}}", texts.join(" "))
}
