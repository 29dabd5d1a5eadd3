//! What a collector receives over OTLP, decoded from protobuf; and collectors that refuse, send
//! invalid responses or are absent.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Tracer, TracerProvider};
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue as ProtoKeyValue};
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value::AsInt;
use opentelemetry_proto::tonic::resource::v1::Resource as ProtoResource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use redress_core::{CircuitBreaker, StopReason};
use redress_opentelemetry::OtelObserver;
use redress_tokio::AsyncPolicy;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::collector::Collector;
use crate::telemetry::{at_once, reset};

/// Creates an SDK that exports over OTLP to an address.
struct Exporting {
    tracers: SdkTracerProvider,
    meters: SdkMeterProvider,
}

impl Exporting {
    fn to(address: SocketAddr) -> Self {
        let endpoint = format!("http://{address}");
        let timeout = Duration::from_secs(2);
        let resource = || Resource::builder_empty().with_attribute(KeyValue::new("service.name", "orders")).build();
        let spans =
            SpanExporter::builder().with_tonic().with_endpoint(&endpoint).with_timeout(timeout).build().unwrap();
        let metrics =
            MetricExporter::builder().with_tonic().with_endpoint(&endpoint).with_timeout(timeout).build().unwrap();
        Self {
            tracers: SdkTracerProvider::builder().with_batch_exporter(spans).with_resource(resource()).build(),
            meters: SdkMeterProvider::builder().with_periodic_exporter(metrics).with_resource(resource()).build(),
        }
    }

    fn observer(&self, breaker: &CircuitBreaker) -> OtelObserver {
        let scope = opentelemetry::InstrumentationScope::builder("redress").with_version("1").build();
        OtelObserver::builder()
            .tracer(self.tracers.tracer_with_scope(scope.clone()))
            .meter(self.meters.meter_with_scope(scope))
            .watch(breaker)
            .build()
    }

    /// Exports everything and ignores errors of the collector.
    async fn flush(self) -> Self {
        tokio::task::spawn_blocking(move || {
            let _ = self.tracers.force_flush();
            let _ = self.meters.force_flush();
            self
        })
        .await
        .unwrap()
    }
}

/// Runs two calls concurrently: one succeeds at the third attempt, with a span in each, and one
/// fails.
async fn calls(exporting: &Exporting) {
    let breaker = CircuitBreaker::builder().name("users-db").build().unwrap();
    let observer = exporting.observer(&breaker);
    let policy =
        AsyncPolicy::builder().retry(at_once()).circuit_breaker(breaker).observer(observer.clone()).build().unwrap();
    let tracer = exporting.tracers.tracer("app");
    let made = Cell::new(0);
    let late = async {
        let operation = || async {
            made.set(made.get() + 1);
            tokio::task::yield_now().await;
            tracer.in_span("query", |_| ());
            if made.get() < 3 { Err(reset()) } else { Ok(()) }
        };
        policy.operation("load_user").call(operation).await.unwrap();
    };
    let fails = async {
        let operation = || async {
            tokio::task::yield_now().await;
            Err::<(), _>(io::Error::other("a secret"))
        };
        policy.operation("store\0\u{1b}[31m").call(operation).await.unwrap_err();
    };
    futures_util::future::join(late, fails).await;
    // The gauge must be read before its observer is dropped.
    let meters = exporting.meters.clone();
    tokio::task::spawn_blocking(move || meters.force_flush()).await.unwrap().ok();
    drop(observer);
}

fn texts(attributes: &[ProtoKeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::DoubleValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let value = |each: &ProtoKeyValue| each.value.as_ref().and_then(|any| any.value.as_ref()).map(text);
    attributes.iter().map(|each| (each.key.clone(), value(each).unwrap_or_default())).collect()
}

fn is_ours(scope: Option<&InstrumentationScope>) -> bool {
    scope.is_some_and(|scope| scope.name == "redress" && scope.version == "1")
}

fn check_resource(resource: Option<&ProtoResource>) {
    assert_eq!(texts(&resource.unwrap().attributes)["service.name"], "orders");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_as_a_collector_sees_them() {
    let collector = Collector::default();
    let exporting = Exporting::to(collector.serve().await);
    calls(&exporting).await;
    exporting.flush().await;

    let mut ours: Vec<Span> = Vec::new();
    let mut queries: Vec<Span> = Vec::new();
    for sent in collector.traces.lock().unwrap().iter().flat_map(|request| &request.resource_spans) {
        check_resource(sent.resource.as_ref());
        for scope in &sent.scope_spans {
            let to = if is_ours(scope.scope.as_ref()) { &mut ours } else { &mut queries };
            to.extend(scope.spans.iter().cloned());
        }
    }
    assert_eq!((ours.len(), queries.len()), (2, 3));
    let call = ours.iter().find(|span| span.name == "load_user").unwrap();
    assert!(call.parent_span_id.is_empty());
    assert_eq!(call.kind(), SpanKind::Internal);
    assert_eq!(call.status.as_ref().map_or(StatusCode::Unset, Status::code), StatusCode::Unset);
    assert!(call.start_time_unix_nano <= call.end_time_unix_nano);
    assert_eq!(texts(&call.attributes)["retry.attempts"], "3");
    let events: Vec<_> = call.events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(events, ["retry", "retry", "success"]);
    assert_eq!(texts(&call.events[1].attributes)["retry.attempt"], "2");
    for query in &queries {
        assert_eq!((&query.parent_span_id, &query.trace_id), (&call.span_id, &call.trace_id));
    }

    let failed = ours.iter().find(|span| span.name != "load_user").unwrap();
    assert_eq!(failed.name, "store\0\u{1b}[31m");
    assert_ne!(failed.trace_id, call.trace_id);
    let status = failed.status.as_ref().unwrap();
    assert_eq!(status.code(), StatusCode::Error);
    let attributes = texts(&failed.attributes);
    let reason = StopReason::ALL.iter().find(|reason| reason.as_str() == attributes["retry.stop_reason"]).unwrap();
    assert_eq!(status.message, reason.description());
    assert_eq!(attributes["error.type"], std::any::type_name::<io::Error>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_as_a_collector_sees_them() {
    let collector = Collector::default();
    let exporting = Exporting::to(collector.serve().await);
    calls(&exporting).await;
    exporting.flush().await;

    let mut metrics: BTreeMap<String, Metric> = BTreeMap::new();
    for sent in collector.metrics.lock().unwrap().iter().flat_map(|request| &request.resource_metrics) {
        check_resource(sent.resource.as_ref());
        for scope in &sent.scope_metrics {
            assert!(is_ours(scope.scope.as_ref()));
            metrics.extend(scope.metrics.iter().map(|metric| (metric.name.clone(), metric.clone())));
        }
    }
    let units: Vec<_> = metrics.values().map(|metric| (metric.name.as_str(), metric.unit.as_str())).collect();
    let expected = [
        ("redress.circuit.state", "{circuit}"),
        ("redress.retries", "{retry}"),
        ("redress.retry.duration", "s"),
        ("redress.retry.success_after_retries", "{call}"),
    ];
    assert_eq!(units, expected);
    assert!(metrics.values().all(|metric| !metric.description.is_empty()));

    let Some(Data::Sum(retries)) = &metrics["redress.retries"].data else { panic!("retries are a sum") };
    assert!(retries.is_monotonic);
    let late = retries.data_points.iter().find(|point| texts(&point.attributes)["operation"] == "load_user").unwrap();
    assert_eq!(late.value, Some(AsInt(2)));

    let Some(Data::Histogram(durations)) = &metrics["redress.retry.duration"].data else { panic!("a histogram") };
    assert_eq!(durations.data_points.len(), 2);
    assert!(durations.data_points.iter().all(|point| point.count == 1 && point.explicit_bounds.len() == 16));

    let Some(Data::Gauge(states)) = &metrics["redress.circuit.state"].data else { panic!("a gauge") };
    let set = |state: &str| {
        let point = states.data_points.iter().find(|point| texts(&point.attributes)["circuit.state"] == state).unwrap();
        assert_eq!(texts(&point.attributes)["breaker"], "users-db");
        point.value
    };
    assert_eq!([set("closed"), set("open"), set("half_open")], [Some(AsInt(1)), Some(AsInt(0)), Some(AsInt(0))]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_refuses_or_answers_garbage_or_is_not_there_disturbs_no_call() {
    let refusing = Collector::refusing();
    let garbled = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let absent = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let addresses = [refusing.serve().await, garbled.local_addr().unwrap(), absent];
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = garbled.accept().await {
            let _ = stream.write_all(b"\0\0\xff\xffHTTP/9.9 -1 what\r\n\r\n\x00").await;
        }
    });
    for address in addresses {
        let exporting = Exporting::to(address);
        calls(&exporting).await;
        let exporting = exporting.flush().await;
        calls(&exporting).await;
    }
    assert!(!refusing.traces.lock().unwrap().is_empty(), "the collector received a request");
}
