//! Checks spans made by `tracing` and exported by `tracing-opentelemetry`: each attempt sends its
//! own span as the parent.

use std::io::{Error, ErrorKind};
use std::sync::Mutex;
use std::time::Duration;

use http::HeaderMap;
use opentelemetry::global;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use redress::observe::opentelemetry::inject_context;
use redress::observe::tracing::TracingObserver;
use redress::runtime::tokio::AsyncPolicy;
use redress::{Retry, fixed};
use tracing::Level;
use tracing_subscriber::layer::SubscriberExt as _;

#[tokio::test]
async fn each_attempt_sends_its_own_span() {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("checkout"));
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(spans));

    let policy = AsyncPolicy::builder()
        .retry(Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3))
        .observer(TracingObserver::builder().attempt_span_level(Level::INFO).build())
        .build()
        .expect("a valid policy");
    let sent = Mutex::new(Vec::new());
    let fails = policy.call_with(async |attempt| {
        let mut headers = HeaderMap::new();
        inject_context(&mut headers, attempt);
        sent.lock().expect("no panic").push(headers["traceparent"].clone());
        Err::<(), _>(Error::from(ErrorKind::ConnectionReset))
    });
    fails.await.expect_err("it never succeeds");

    let spans = exporter.get_finished_spans().expect("it is in memory");
    let call = spans.iter().find(|span| span.name == "redress.call").expect("a call has a span");
    let attempts: Vec<_> = spans.iter().filter(|span| span.name == "redress.attempt").collect();
    assert!(attempts.iter().all(|attempt| attempt.parent_span_id == call.span_context.span_id()));
    let parents: Vec<_> = attempts
        .iter()
        .map(|attempt| format!("00-{}-{}-01", call.span_context.trace_id(), attempt.span_context.span_id()))
        .collect();
    assert_eq!(*sent.lock().expect("no panic"), parents);
    assert_eq!(parents.len(), 3);
}
