//! Tracers and exporters that panic, which must affect neither the call nor the context it was made
//! in.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use opentelemetry::trace::{
    Span, SpanBuilder, SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
    TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use redress_core::Policy;
use redress_opentelemetry::OtelObserver;
use redress_tokio::AsyncPolicy;

use crate::telemetry::{at_once, reset};

/// The place where a faulty tracer panics.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Start,
    Context,
    Event,
    Attribute,
    Status,
    End,
    EndAndDrop,
    Nowhere,
}

const PLACES: [Place; 8] = [
    Place::Start,
    Place::Context,
    Place::Event,
    Place::Attribute,
    Place::Status,
    Place::End,
    Place::EndAndDrop,
    Place::Nowhere,
];

#[derive(Clone)]
struct Faulty {
    place: Place,
    ends: Arc<AtomicUsize>,
}

struct FaultySpan {
    tracer: Faulty,
    context: SpanContext,
}

impl Faulty {
    fn new(place: Place) -> Self {
        Self { place, ends: Arc::default() }
    }

    fn at(&self, place: Place) {
        assert!(self.place != place, "of the tracer, at {place:?}");
    }
}

impl Tracer for Faulty {
    type Span = FaultySpan;

    fn build_with_context(&self, _: SpanBuilder, _: &Context) -> FaultySpan {
        self.at(Place::Start);
        let (trace, span) = (TraceId::from_bytes([7; 16]), SpanId::from_bytes([7; 8]));
        let context = SpanContext::new(trace, span, TraceFlags::SAMPLED, false, TraceState::NONE);
        FaultySpan { tracer: self.clone(), context }
    }
}

impl Span for FaultySpan {
    fn add_event_with_timestamp<T: Into<Cow<'static, str>>>(&mut self, _: T, _: SystemTime, _: Vec<KeyValue>) {
        self.tracer.at(Place::Event);
    }

    fn span_context(&self) -> &SpanContext {
        self.tracer.at(Place::Context);
        &self.context
    }

    fn is_recording(&self) -> bool {
        true
    }

    fn set_attribute(&mut self, _: KeyValue) {
        self.tracer.at(Place::Attribute);
    }

    fn set_status(&mut self, _: Status) {
        self.tracer.at(Place::Status);
    }

    fn update_name<T: Into<Cow<'static, str>>>(&mut self, _: T) {}

    fn add_link(&mut self, _: SpanContext, _: Vec<KeyValue>) {}

    fn end_with_timestamp(&mut self, _: SystemTime) {
        self.tracer.ends.fetch_add(1, Ordering::Relaxed);
        self.tracer.at(Place::End);
        self.tracer.at(Place::EndAndDrop);
    }
}

impl Drop for FaultySpan {
    fn drop(&mut self) {
        self.tracer.at(Place::EndAndDrop);
    }
}

#[tokio::test(start_paused = true)]
async fn a_tracer_that_panics_anywhere_changes_no_call() {
    for place in PLACES {
        for attempt_spans in [false, true] {
            let observer = || OtelObserver::builder().tracer(Faulty::new(place)).attempt_spans(attempt_spans).build();
            let policy = Policy::builder().retry(at_once()).observer(observer()).build().unwrap();
            let mut made = 0;
            let answer = policy.operation("load_user").call(|| {
                made += 1;
                if made < 3 { Err(reset()) } else { Ok(made) }
            });
            assert_eq!(answer.unwrap(), 3, "{place:?}");
            policy.call(|| Err::<(), _>(reset())).unwrap_err();

            let policy = AsyncPolicy::builder().retry(at_once()).observer(observer()).build().unwrap();
            let answer = policy.call(|| async { Ok::<_, io::Error>(7) }).await;
            assert_eq!(answer.unwrap(), 7, "{place:?}");
            assert!(!Context::current().has_active_span(), "{place:?} left a context behind");
        }
    }
}

#[test]
fn a_panic_of_the_operation_survives_one_of_the_tracer() {
    for place in PLACES {
        let observer = OtelObserver::builder().tracer(Faulty::new(place)).attempt_spans(true).build();
        let policy = Policy::builder().observer(observer).build().unwrap();
        let gone = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            policy.call(|| -> Result<(), io::Error> { std::panic::panic_any("of the operation") })
        }));
        assert_eq!(gone.unwrap_err().downcast_ref(), Some(&"of the operation"), "{place:?}");
        assert!(!Context::current().has_active_span());
    }
}

#[test]
fn a_span_ends_once() {
    let tracer = Faulty::new(Place::Nowhere);
    let ends = tracer.ends.clone();
    let policy =
        Policy::builder().retry(at_once()).observer(OtelObserver::builder().tracer(tracer).build()).build().unwrap();
    policy.call(|| Ok::<_, io::Error>(())).unwrap();
    policy.call(|| Err::<(), _>(reset())).unwrap_err();
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        policy.call(|| -> Result<(), io::Error> { panic!("of the operation") })
    }));
    assert_eq!(ends.load(Ordering::Relaxed), 3);
}

#[test]
fn any_tracer_will_do() {
    use opentelemetry::global::BoxedTracer;
    use opentelemetry::trace::noop::NoopTracer;

    let boxed = BoxedTracer::new(Box::new(Faulty::new(Place::Nowhere)));
    for observer in [
        OtelObserver::builder().tracer(boxed),
        OtelObserver::builder().tracer(NoopTracer::new()),
        OtelObserver::builder().tracer(Faulty::new(Place::Nowhere)),
    ] {
        let policy = Policy::builder().observer(observer.build()).build().unwrap();
        policy.call(|| Ok::<_, io::Error>(())).unwrap();
    }
}

#[derive(Debug)]
struct PanickingExporter;

impl SpanExporter for PanickingExporter {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        panic!("of the exporter")
    }
}

#[test]
fn an_exporter_that_panics_changes_no_call() {
    let provider = SdkTracerProvider::builder().with_simple_exporter(PanickingExporter).build();
    let observer = OtelObserver::builder().tracer(provider.tracer("redress")).attempt_spans(true).build();
    let policy = Policy::builder().retry(at_once()).observer(observer).build().unwrap();
    for _ in 0..3 {
        assert_eq!(policy.call(|| Ok::<_, io::Error>(7)).unwrap(), 7);
        policy.call(|| Err::<(), _>(reset())).unwrap_err();
    }
    assert!(!Context::current().has_active_span());
}
