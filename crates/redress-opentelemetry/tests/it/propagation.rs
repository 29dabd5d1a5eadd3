//! The trace context that servers receive over real sockets, attempt by attempt.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{
    FutureExt as _, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider,
};
use opentelemetry::{Context, global};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanData};
use redress::integration::http::http_retry_after_classifier;
use redress::integration::hyper::{RetryingClient, hyper_classifier};
use redress::integration::tonic::{GrpcLayer, GrpcService, grpc_classifier};
use redress::integration::tower::PolicyLayer;
use redress::integration::tower::http::HttpProtocol;
use redress_core::policy::{Async, PolicyBuilder};
use redress_grpc_fixture::{EchoClient, Ping};
use redress_opentelemetry::{OtelObserver, inject_context};
use redress_tokio::{AsyncPolicy, TokioTimer};
use tonic::transport::Endpoint;
use tower_layer::Layer as _;
use tower_service::Service as _;

use crate::backends::{Backend, FAILURES};
use crate::telemetry::{Telemetry, at_once};

type HttpClient = Client<HttpConnector, Empty<Bytes>>;

const MINE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A context value that makes the propagator panic.
struct Trap;

/// The SDK's propagator, except that it panics in a context with a trap.
#[derive(Debug, Default)]
struct Propagator(TraceContextPropagator);

impl TextMapPropagator for Propagator {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        assert!(context.get::<Trap>().is_none(), "a propagator that panics");
        self.0.inject_context(context, injector);
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        self.0.extract_with_context(context, extractor)
    }

    fn fields(&self) -> FieldIter<'_> {
        self.0.fields()
    }
}

fn policy(observer: OtelObserver) -> PolicyBuilder<redress_core::classify::DefaultClassifier, Async<TokioTimer>> {
    global::set_text_map_propagator(Propagator::default());
    AsyncPolicy::builder().retry(at_once()).observer(observer)
}

fn http_client() -> HttpClient {
    Client::builder(TokioExecutor::new()).build_http()
}

/// Sends a GET through the hyper client with these headers.
async fn get(address: SocketAddr, observer: OtelObserver, headers: &[(&'static str, &'static str)]) {
    let policy = policy(observer).classifier(hyper_classifier()).build().unwrap();
    let client = RetryingClient::new(http_client(), policy).attempt_headers(inject_context);
    let mut request = client.get(format!("http://{address}/stock"));
    for (name, value) in headers {
        request = request.header(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    assert_eq!(request.send().await.unwrap().status(), 200);
}

async fn through_tower(address: SocketAddr, observer: OtelObserver) {
    let policy = policy(observer).classifier(http_retry_after_classifier()).build().unwrap();
    let protocol = HttpProtocol::new().attempt_headers(inject_context);
    let mut service = PolicyLayer::new(policy).protocol(protocol).layer(http_client());
    let request = Request::get(format!("http://{address}/stock")).body(Empty::new()).unwrap();
    assert_eq!(service.call(request).await.unwrap().status(), 200);
}

async fn through_tonic(address: SocketAddr, observer: OtelObserver) {
    let policy = policy(observer).classifier(grpc_classifier()).build().unwrap();
    let channel = Endpoint::try_from(format!("http://{address}")).unwrap().connect_lazy();
    let layer = GrpcLayer::new(policy).attempt_headers(inject_context);
    let mut client: EchoClient<GrpcService> = EchoClient::new(layer.layer(channel));
    client.once(Ping { text: "7".to_owned() }).await.unwrap();
}

/// The header that names this span.
fn traceparent(span: &SpanContext, flags: &str) -> Option<String> {
    Some(format!("00-{}-{}-{flags}", span.trace_id(), span.span_id()))
}

fn attempts(telemetry: &Telemetry) -> Vec<SpanData> {
    telemetry.spans().into_iter().filter(|span| span.name == "redress.attempt").collect()
}

/// Checks that the server received each attempt's span as the parent.
fn check_parents(telemetry: &Telemetry, backend: &Backend) {
    let attempts = attempts(telemetry);
    assert_eq!(attempts.len(), FAILURES + 1);
    let parents: Vec<_> = attempts.iter().map(|attempt| traceparent(&attempt.span_context, "01")).collect();
    assert_eq!(backend.came("traceparent"), parents);
    assert_eq!(attempts[0].span_context.trace_id(), attempts[2].span_context.trace_id());
    assert_ne!(parents[0], parents[1]);
    assert_ne!(parents[1], parents[2]);
}

#[tokio::test]
async fn each_attempt_of_a_hyper_client_is_the_parent_that_its_server_sees() {
    let (telemetry, backend) = (Telemetry::new(), Backend::default());
    get(backend.http().await, telemetry.builder().attempt_spans(true).build(), &[]).await;
    check_parents(&telemetry, &backend);
    assert_eq!(backend.came("tracestate"), [None, None, None], "there is no state to hand on");
}

#[tokio::test]
async fn each_attempt_of_a_layer_over_http_is_the_parent_that_its_server_sees() {
    let (telemetry, backend) = (Telemetry::new(), Backend::default());
    through_tower(backend.http().await, telemetry.builder().attempt_spans(true).build()).await;
    check_parents(&telemetry, &backend);
}

#[tokio::test]
async fn each_attempt_of_a_grpc_channel_is_the_parent_that_its_server_sees() {
    let (telemetry, backend) = (Telemetry::new(), Backend::default());
    through_tonic(backend.grpc().await, telemetry.builder().attempt_spans(true).build()).await;
    check_parents(&telemetry, &backend);
    let one_and_two = ["1", "2"].map(|number| Some(number.to_owned()));
    assert_eq!(backend.came("grpc-previous-rpc-attempts")[1..], one_and_two, "the layer's own headers are there");
}

#[tokio::test]
async fn without_spans_of_attempts_the_call_is_the_parent() {
    let (telemetry, backend) = (Telemetry::new(), Backend::default());
    get(backend.http().await, telemetry.observer(), &[]).await;
    let call = traceparent(&telemetry.span("GET /stock").span_context, "01");
    assert_eq!(backend.came("traceparent"), [call.clone(), call.clone(), call]);
}

#[tokio::test]
async fn a_call_that_is_not_sampled_says_so() {
    let backend = Backend::default();
    let tracers = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOff).build();
    let observer = OtelObserver::builder().tracer(tracers.tracer("redress")).attempt_spans(true).build();
    get(backend.http().await, observer, &[]).await;
    let came = backend.came("traceparent");
    assert!(came.iter().flatten().all(|parent| parent.ends_with("-00")), "{came:?}");
    assert_eq!((came.len(), came[0].is_some()), (3, true));
}

#[tokio::test]
async fn without_a_current_span_a_request_is_as_its_caller_made_it() {
    let (telemetry, backend) = (Telemetry::new(), Backend::default());
    let address = backend.http().await;
    let no_spans = || telemetry.builder().spans(false).build();
    get(address, no_spans(), &[]).await;
    get(address, no_spans(), &[("traceparent", MINE), ("tracestate", "shop=7")]).await;
    assert_eq!(backend.came("traceparent"), [None, None, None, Some(MINE.to_owned())]);
    assert_eq!(backend.came("tracestate"), [None, None, None, Some("shop=7".to_owned())]);
}

/// The context of a received request in the trace of [`MINE`].
fn of_my_trace() -> Context {
    let trace_id = TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap();
    let state = TraceState::from_key_value([("shop", "7")]).unwrap();
    let remote = SpanContext::new(trace_id, SpanId::from_bytes([9; 8]), TraceFlags::SAMPLED, true, state);
    Context::new().with_remote_span_context(remote)
}

#[tokio::test]
async fn a_context_of_the_same_trace_is_replaced_by_the_attempts() {
    let (telemetry, backend) = (Telemetry::new(), Backend::default());
    let observer = telemetry.builder().attempt_spans(true).build();
    get(backend.http().await, observer, &[("traceparent", MINE), ("tracestate", "old=1")])
        .with_context(of_my_trace())
        .await;
    check_parents(&telemetry, &backend);
    assert!(backend.came("traceparent")[0].as_ref().unwrap().starts_with(&MINE[..36]));
    assert_eq!(backend.came("tracestate")[2].as_deref(), Some("shop=7"), "the state goes along");
}

#[tokio::test]
async fn a_context_of_another_trace_is_the_callers_word() {
    let (telemetry, backend) = (Telemetry::new(), Backend::default());
    let observer = telemetry.builder().attempt_spans(true).build();
    get(backend.http().await, observer, &[("traceparent", MINE), ("tracestate", "shop=7")]).await;
    assert_eq!(backend.came("traceparent"), [MINE, MINE, MINE].map(|mine| Some(mine.to_owned())));
    assert_eq!(backend.came("tracestate")[0].as_deref(), Some("shop=7"));
    assert_eq!(attempts(&telemetry).len(), 3);
}

#[tokio::test]
async fn a_context_that_cannot_be_read_is_replaced() {
    let (telemetry, backend) = (Telemetry::new(), Backend::default());
    let observer = telemetry.builder().attempt_spans(true).build();
    get(backend.http().await, observer, &[("traceparent", "00-0-0-01"), ("tracestate", "old=1")]).await;
    check_parents(&telemetry, &backend);
    assert_eq!(backend.came("tracestate"), [None, None, None], "the state of what could not be read goes with it");
}

#[tokio::test]
async fn a_propagator_that_panics_costs_the_header_alone() {
    let (telemetry, backend) = (Telemetry::new(), Backend::default());
    let observer = telemetry.builder().attempt_spans(true).build();
    get(backend.http().await, observer, &[]).with_context(Context::new().with_value(Trap)).await;
    assert_eq!(backend.came("traceparent"), [None, None, None]);
    assert_eq!(attempts(&telemetry).len(), 3);
}
