//! The layer around a channel that is a function: the requests of each attempt, and errors that no
//! socket produces on demand.

use std::convert::Infallible;
use std::error::Error;
use std::future::pending;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use http_body::{Body as _, Frame, SizeHint};
use redress_core::classify::source_chain;
use redress_core::driver::NoTimer;
use redress_core::error::AbortRetryError;
use redress_core::policy::Deadline;
use redress_core::{
    AbortHandle, AsyncPolicy, CallContext, Cause, ErrorClass, OutcomeSummary, SleepDecision, StopReason,
};
use redress_grpc_fixture::{EchoClient, Pong};
use redress_tonic::{CallFailure, GrpcLayer, ResponseBody, grpc_classifier, outcome};
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::{Code, Status, TimeoutExpired};
use tower_layer::Layer;
use tower_service::Service;

use crate::echo::{channel, ping};
use crate::lab::{Lab, SECOND, ended, retry, told};

/// A body of two frames and trailers.
struct Framed(u8);

impl http_body::Body for Framed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0 += 1;
        Poll::Ready(match self.0 {
            1 => Some(Ok(Frame::data("one".into()))),
            2 => Some(Ok(Frame::data("two".into()))),
            3 => Some(Ok(Frame::trailers(trailers()))),
            _ => None,
        })
    }
}

fn trailers() -> HeaderMap {
    HeaderMap::from_iter([(http::header::ETAG, HeaderValue::from_static("end"))])
}

/// The frames of a body that never waits.
fn frames(mut body: Body) -> Vec<Frame<Bytes>> {
    let mut cx = Context::from_waker(Waker::noop());
    let mut frames = Vec::new();
    while let Poll::Ready(Some(frame)) = Pin::new(&mut body).poll_frame(&mut cx) {
        frames.push(frame.expect("a frame"));
    }
    frames
}

#[test]
fn each_call_has_its_own_deadline_and_abort_handle() {
    let lab = Lab::default();
    let layer = lab.layer(1).context_for(|head| {
        let context = head
            .extensions
            .get::<Deadline>()
            .map_or_else(CallContext::new, |deadline| CallContext::new().deadline(*deadline));
        match head.extensions.get::<AbortHandle>() {
            Some(handle) => context.operation("Echo/Aborted").abort_on(handle),
            None => context,
        }
    });
    let handle = AbortHandle::new();
    let aborted = handle.clone();
    let inner = tower::service_fn(move |request: Request<Body>| {
        if request.extensions().get::<AbortHandle>().is_some() {
            aborted.abort();
        }
        pending::<Result<Response<Body>, Infallible>>()
    });
    let mut service = layer.layer(inner);
    let request =
        || Request::post("http://host/redress.fixture.Echo/Once").body(Body::new(Framed(0))).expect("a request");

    let mut timed = request();
    timed.extensions_mut().insert(Deadline::from_left(SECOND, lab.clock.now()));
    let answer = lab.clock.block_on(service.call(timed)).map(tonic::Response::new);
    let ended = outcome(&answer).expect("a call through a layer");
    assert_eq!((ended.stop_reason(), ended.elapsed()), (Some(StopReason::DeadlineExceeded), SECOND));

    let mut given_up = request();
    given_up.extensions_mut().insert(handle);
    let answer = lab.clock.block_on(service.call(given_up)).map(tonic::Response::new);
    let ended = outcome(&answer).expect("a call through a layer");
    assert_eq!((ended.stop_reason(), ended.attempts()), (Some(StopReason::Aborted), 1));
    assert_eq!(lab.recorder.events().pop().expect("told").operation.as_deref(), Some("Echo/Aborted"));
}

#[test]
fn each_attempt_sends_the_same() {
    let lab = Lab::default();
    let sent = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&sent);
    let inner = tower::service_fn(move |request: Request<Body>| {
        kept.lock().expect("no panic").push(request);
        async { Ok::<_, Infallible>(Status::unavailable("later").into_http::<Body>()) }
    });
    let mut request =
        Request::post("http://host/redress.fixture.Echo/Once?q=1").body(Body::new(Framed(0))).expect("a request");
    *request.version_mut() = Version::HTTP_2;
    request.headers_mut().insert("x-kept", HeaderValue::from_static("1"));
    request.extensions_mut().insert("beside");

    let answer = lab.clock.block_on(lab.layer(3).layer(inner).call(request));

    assert_eq!(answer.expect_err("a failure").code(), Code::Unavailable);
    let sent = std::mem::take(&mut *sent.lock().expect("no panic"));
    assert_eq!(sent.len(), 3);
    for request in sent {
        assert_eq!((request.method(), request.version()), (&http::Method::POST, Version::HTTP_2));
        assert_eq!(request.uri(), "http://host/redress.fixture.Echo/Once?q=1");
        assert_eq!(request.headers()["x-kept"], "1");
        assert_eq!(request.extensions().get(), Some(&"beside"));
        assert_eq!(request.body().size_hint().exact(), None);
        let frames = frames(request.into_body());
        let data: Vec<_> = frames.iter().filter_map(Frame::data_ref).collect();
        assert_eq!(data, ["one", "two"]);
        assert_eq!(frames.last().and_then(Frame::trailers_ref), Some(&trailers()));
    }
}

/// A body that is one frame, and knows how long it is.
struct OneFrame(Option<Bytes>);

impl http_body::Body for OneFrame {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |data| data.len() as u64))
    }
}

#[test]
fn a_response_has_its_first_frame_before_it() {
    let lab = Lab::default();
    let one = || async { Ok::<_, Infallible>(Response::new(OneFrame(Some("one".into())))) };
    let inner = tower::service_fn(move |_: Request<Body>| one());
    let call = lab.layer(1).layer(inner).call(Request::new(Body::empty()));
    let mut body = lab.clock.block_on(call).expect("a response").into_body();
    assert!(!body.is_end_stream());
    assert_eq!(body.size_hint().exact(), None);
    assert_eq!(format!("{body:?}"), "ResponseBody { has_first: true, .. }");

    let mut cx = Context::from_waker(Waker::noop());
    let first = Pin::new(&mut body).poll_frame(&mut cx).map(|frame| frame.expect("a frame").expect("no error"));
    assert!(matches!(first, Poll::Ready(frame) if frame.data_ref().is_some_and(|data| data == "one")));
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
}

/// A body of frames that hold nothing, without an end.
struct Nothings;

impl http_body::Body for Nothings {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::new()))))
    }
}

#[test]
fn a_request_of_nothing_without_an_end_is_not_read_for_ever() {
    let lab = Lab::default();
    let inner = tower::service_fn(|_: Request<Body>| async { Err::<Response<Body>, _>(Status::unavailable("busy")) });
    let call = lab.layer(3).layer(inner).call(Request::new(Body::new(Nothings)));
    let failure = lab.clock.block_on(call).expect_err("a failure");
    let failure = CallFailure::from_status(&failure).expect("the layer's failure");
    assert_eq!(failure.summary().retry_forbidden(), Some("request_too_large"));
}

/// A body of so many frames of one byte each.
struct Bytewise(usize);

impl http_body::Body for Bytewise {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let left = self.0.checked_sub(1);
        self.0 = left.unwrap_or_default();
        Poll::Ready(left.map(|_| Ok(Frame::data("x".into()))))
    }
}

#[test]
fn what_keeping_frames_costs_is_bounded_too() {
    let attempts = |frames| {
        let lab = Lab::default();
        let inner =
            tower::service_fn(|_: Request<Body>| async { Err::<Response<Body>, _>(Status::unavailable("busy")) });
        let call = lab.layer(3).max_replay_bytes(1024).layer(inner).call(Request::new(Body::new(Bytewise(frames))));
        let failure = lab.clock.block_on(call).expect_err("a failure");
        let failure = CallFailure::from_status(&failure).expect("the layer's failure");
        (failure.summary().attempts(), failure.summary().retry_forbidden())
    };
    // 16 KiB beside the bytes that are kept.
    let most = (1024 + 16 * 1024) / size_of::<Bytes>();
    assert_eq!(attempts(most), (3, None));
    assert_eq!(attempts(most + 1), (1, Some("request_too_large")));
}

#[test]
fn a_call_that_is_aborted_before_its_first_attempt_is_cancelled() {
    let (lab, handle) = (Lab::default(), AbortHandle::new());
    handle.abort();
    let layer = lab.layer(3).context_for(move |_| CallContext::new().abort_on(&handle));
    let inner = tower::service_fn(|_: Request<Body>| pending::<Result<Response<Body>, Infallible>>());
    let answer = lab.clock.block_on(EchoClient::new(layer.layer(inner)).once(ping("x")));
    assert_eq!(told(&answer), (0, Some(StopReason::Aborted)));
    assert_eq!(answer.expect_err("no answer").code(), Code::Cancelled);
}

/// The result of a call over a channel that fails with this error.
fn failing<E: Error + Send + Sync + 'static>(lab: &Lab, error: fn() -> E) -> Result<tonic::Response<Pong>, Status> {
    let inner = tower::service_fn(move |_: Request<Body>| async move { Err::<Response<Body>, E>(error()) });
    let mut client = EchoClient::new(lab.layer(2).layer(inner));
    lab.clock.block_on(client.once(ping("x")))
}

#[test]
fn a_channel_that_gives_up_waiting_is_deadline_exceeded() {
    let answer = failing(&Lab::default(), || TimeoutExpired(()));
    assert_eq!(told(&answer), (2, Some(StopReason::MaxAttempts)));
    assert_eq!(
        (ended(&answer).last_class(), ended(&answer).cause()),
        (Some(ErrorClass::Transient), Some(Cause::Timeout))
    );
    let status = answer.expect_err("a failure");
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(source_chain(&status).any(<dyn Error>::is::<TimeoutExpired>));
}

#[test]
fn an_error_that_asks_to_abort_ends_the_call() {
    let answer = failing(&Lab::default(), || AbortRetryError::new("shut down"));
    assert_eq!(told(&answer), (1, Some(StopReason::Aborted)));
    let status = answer.expect_err("a failure");
    assert!(source_chain(&status).any(<dyn Error>::is::<AbortRetryError>), "{status:?}");
}

#[test]
fn a_handler_that_aborts_leaves_the_last_failure() {
    let lab = Lab::default();
    let policy = AsyncPolicy::<_, NoTimer>::builder()
        .timer(lab.clock.timer())
        .classifier(grpc_classifier())
        .retry(retry(5))
        .no_deadline()
        .sleep_handler(|_, _| SleepDecision::Abort)
        .build()
        .expect("a valid policy");
    let inner = tower::service_fn(|_: Request<Body>| async { Err::<Response<Body>, _>(Status::unavailable("busy")) });
    let mut client = EchoClient::new(GrpcLayer::new(policy).layer(inner));
    let answer = lab.clock.block_on(client.once(ping("x")));
    assert_eq!(told(&answer), (1, Some(StopReason::Aborted)));
    assert_eq!(answer.expect_err("a failure").message(), "busy");
}

#[test]
fn a_response_that_a_classifier_of_ones_own_refuses_is_handed_over() {
    let lab = Lab::default();
    let refused = |result: &Result<Response<ResponseBody>, Status>| {
        result
            .as_ref()
            .ok()
            .filter(|response| response.headers().contains_key("x-stale"))
            .map(|_| ErrorClass::Transient)
    };
    let policy = AsyncPolicy::<_, NoTimer>::builder()
        .timer(lab.clock.timer())
        .classifier(refused)
        .retry(retry(3))
        .no_deadline()
        .build()
        .expect("a valid policy");
    let inner = tower::service_fn(|_: Request<Body>| async {
        let mut response = Response::new(Framed(0));
        response.headers_mut().insert("x-stale", HeaderValue::from_static("1"));
        Ok::<_, Infallible>(response)
    });
    let call = GrpcLayer::new(policy).layer(inner).call(Request::new(Body::empty()));
    let response = lab.clock.block_on(call).expect("a response");
    let summary: &OutcomeSummary = response.extensions().get().expect("an outcome");
    assert_eq!((summary.attempts(), summary.stop_reason()), (3, Some(StopReason::MaxAttempts)));
}

#[tokio::test]
async fn a_connection_that_closes_is_transient() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let lab = Lab::default();
    let answer = lab.client(channel(address), 3).once(ping("x")).await;
    assert_eq!(told(&answer), (3, Some(StopReason::MaxAttempts)));
    assert_eq!(ended(&answer).last_class(), Some(ErrorClass::Transient));
    assert!(CallFailure::from_status(&answer.expect_err("a failure")).is_some());
}
