//! Which requests are sent again, and with which bodies.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::client::conn::http1::SendRequest;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use redress_core::breaker::CircuitState;
use redress_core::{CallContext, CircuitBreaker, Classification, ErrorClass, StopReason};
use redress_http::IdempotencyGuard;
use redress_hyper::{Connections, HyperError, ReplayBody, ResponseBody, RetryingClient, Transport, hyper_classifier};
use redress_tokio::AsyncPolicy;
use tokio::net::TcpListener;

use crate::support::{BUSY, Bytewise, HOUR, OK, Server, client, policy, pooled, put, retry, summary, text};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");

#[tokio::test]
async fn bytes_are_sent_again_with_their_length() {
    let server = Server::answers(&[BUSY, BUSY, OK]).await;
    let body = Bytes::from(vec![7_u8; 100_000]);
    client().put(server.uri("/"), body.clone()).send().await.unwrap();
    let arrived = server.arrived();
    assert_eq!(arrived.len(), 3);
    for attempt in arrived {
        assert_eq!(attempt.header("content-length"), Some("100000"));
        assert!(attempt.body == body, "another body");
    }
}

#[tokio::test]
async fn a_body_is_made_once_for_each_attempt() {
    let server = Server::answers(&[BUSY, BUSY, OK]).await;
    let made = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&made);
    let body = ReplayBody::factory(move || {
        count.fetch_add(1, Ordering::Relaxed);
        Full::from("report")
    });
    client().put(server.uri("/"), body).send().await.unwrap();
    assert_eq!(made.load(Ordering::Relaxed), 3);
    let bodies: Vec<_> = server.arrived().into_iter().map(|arrived| arrived.body).collect();
    assert_eq!(bodies, [b"report"; 3]);
}

/// A body without content that counts its clones.
struct Counted(Arc<AtomicU32>);

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&self.0))
    }
}

impl Body for Counted {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }
}

#[tokio::test]
async fn a_body_is_cloned_for_each_attempt_but_the_last() {
    let server = Server::answers(&[BUSY]).await;
    let clones = Arc::new(AtomicU32::new(0));
    let client = RetryingClient::new(pooled(), policy(retry())).drain(65536, HOUR);
    client.put(server.uri("/"), Counted(Arc::clone(&clones))).send().await.unwrap();
    assert_eq!((server.arrived().len(), clones.load(Ordering::Relaxed)), (3, 2));
}

#[tokio::test]
async fn no_body_is_made_for_a_call_that_is_rejected() {
    let breaker = CircuitBreaker::builder().failure_threshold(1);
    let policy = AsyncPolicy::builder().classifier(hyper_classifier()).circuit_breaker(breaker).build().unwrap();
    let client = RetryingClient::new(pooled::<Bytewise>(), policy);
    let server = Server::answers(&[BUSY]).await;
    client.get(server.uri("/")).send().await.unwrap();
    let body = ReplayBody::factory(|| panic!("made a body without an attempt"));
    client.put(server.uri("/"), body).send().await.unwrap_err();
}

/// Chunks that come one by one, without a known length.
struct Stream(VecDeque<Result<&'static str, io::Error>>);

impl Body for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(
            self.0.pop_front().map(|chunk| chunk.map(|chunk| Frame::data(Bytes::from_static(chunk.as_bytes())))),
        )
    }
}

fn stream(chunks: impl IntoIterator<Item = &'static str>) -> Stream {
    Stream(chunks.into_iter().map(Ok).collect())
}

#[tokio::test]
async fn a_stream_is_sent_once_and_the_outcome_says_why() {
    let server = Server::answers(&[BUSY, OK]).await;
    let client = RetryingClient::new(pooled(), policy(retry())).drain(65536, HOUR);
    let body = ReplayBody::once(stream(["one ", "two"]));
    let response = client.put(server.uri("/"), body).send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(summary(&response).stop_reason(), Some(StopReason::RetryForbidden));
    assert_eq!(summary(&response).retry_forbidden(), Some("streaming_body"));
    assert_eq!(text(response).await, "busy");
    let arrived = server.arrived();
    assert_eq!(arrived.len(), 1);
    assert_eq!(arrived[0].body, b"one two");
}

#[tokio::test]
async fn a_stream_that_succeeds_is_no_different() {
    let server = Server::answers(&[OK]).await;
    let client = RetryingClient::new(pooled(), policy(retry()));
    let response = client.put(server.uri("/"), ReplayBody::once(stream(["all"]))).send().await.unwrap();
    assert!(summary(&response).is_ok());
}

#[tokio::test]
async fn a_stream_is_used_up_even_if_no_connection_was_made() {
    let client = RetryingClient::new(pooled(), policy(retry()));
    let outcome = client.put(unused_address().await, ReplayBody::once(stream(["all"]))).execute().await;
    assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (1, Some("streaming_body")));
}

#[tokio::test]
async fn streams_and_bytes_go_through_one_client() {
    type Any = BoxBody<Bytes, io::Error>;
    let server = Server::answers(&[BUSY, OK]).await;
    let client = RetryingClient::new(pooled::<Any>(), policy(retry())).drain(65536, HOUR);
    let bytes = || ReplayBody::factory(|| Full::from("bytes").map_err(|never: Infallible| match never {}).boxed());
    assert_eq!(summary(&client.put(server.uri("/"), bytes()).send().await.unwrap()).attempts(), 2);
    client.put(server.uri("/"), ReplayBody::once(stream(["chunk"]).boxed())).send().await.unwrap();
    client.get(server.uri("/")).send().await.unwrap();
    let bodies: Vec<_> = server.arrived().into_iter().map(|arrived| arrived.body).collect();
    assert_eq!(bodies, [&b"bytes"[..], b"bytes", b"chunk", b""]);
}

#[tokio::test]
async fn bytes_in_a_boxed_body_are_sent_again_whole() {
    async fn arrive_twice(send: impl AsyncFnOnce(http::Uri)) {
        let server = Server::answers(&[BUSY, OK]).await;
        send(server.uri("/")).await;
        let bodies: Vec<_> = server.arrived().into_iter().map(|arrived| arrived.body).collect();
        assert_eq!(bodies, [b"bytes"; 2]);
    }
    let client = RetryingClient::new(pooled(), policy(retry()));
    let boxed: [ReplayBody<BoxBody<Bytes, io::Error>>; 4] =
        ["bytes".into(), "bytes".to_owned().into(), Bytes::from("bytes").into(), b"bytes".to_vec().into()];
    for body in boxed {
        arrive_twice(async |uri| drop(client.put(uri, body).send().await.unwrap())).await;
    }
    let client = RetryingClient::new(pooled(), policy(retry()));
    let unsync: [ReplayBody<UnsyncBoxBody<Bytes, io::Error>>; 4] =
        ["bytes".into(), "bytes".to_owned().into(), Bytes::from("bytes").into(), b"bytes".to_vec().into()];
    for body in unsync {
        arrive_twice(async |uri| drop(client.put(uri, body).send().await.unwrap())).await;
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_never_a_shorter_one() {
    let server = Server::start(|mut peer| async move { while peer.next().await.is_some() {} }).await;
    let client = RetryingClient::new(pooled(), policy(retry()));
    let broken = || Stream([Ok("one"), Err(io::Error::other("the disk is gone"))].into());
    let outcome = client.put(server.uri("/"), ReplayBody::factory(broken)).execute().await;
    assert_eq!((outcome.attempts(), outcome.last_class()), (3, Some(ErrorClass::Unknown)));
    assert!(server.arrived().is_empty());
}

#[tokio::test]
async fn what_is_not_idempotent_is_sent_once_and_counts() {
    for method in [Method::POST, Method::PATCH, Method::from_bytes(b"PURGE").unwrap()] {
        let server = Server::answers(&[BUSY, OK]).await;
        let breaker = CircuitBreaker::builder().failure_threshold(1);
        let policy = AsyncPolicy::builder()
            .classifier(hyper_classifier())
            .retry(retry())
            .circuit_breaker(breaker)
            .build()
            .unwrap();
        let client = RetryingClient::new(pooled::<Bytewise>(), policy);
        let request = Request::builder().method(method).uri(server.uri("/")).body("order").unwrap();
        let response = client.request(request).send().await.unwrap();
        assert_eq!((response.status().as_u16(), text_of(&response)), (503, Some("not_idempotent")));
        assert_eq!(summary(&response).stop_reason(), Some(StopReason::RetryForbidden));
        assert_eq!(summary(&response).last_class(), Some(ErrorClass::ServerError));
        assert_eq!(client.policy().circuit_state(), Some(CircuitState::Open));
        assert_eq!((server.arrived().len(), text(response).await.as_str()), (1, "busy"));
    }
}

fn text_of<B>(response: &Response<B>) -> Option<&'static str> {
    summary(response).retry_forbidden()
}

#[tokio::test]
async fn a_key_a_flag_or_a_guard_allows_it() {
    let server = Server::answers(&[BUSY, OK, BUSY, OK, BUSY, OK, BUSY]).await;
    let (client, uri) = (client(), server.uri("/"));
    let keyed = client.post(uri.clone(), "order").header(KEY, HeaderValue::from_static("\"8e03978e\""));
    assert_eq!(keyed.send().await.unwrap().status(), 200);
    assert_eq!(client.post(uri.clone(), "order").retry_non_idempotent(true).send().await.unwrap().status(), 200);
    let guarded = client.guard(IdempotencyGuard::new().retry_non_idempotent(true));
    assert_eq!(guarded.post(uri.clone(), "order").send().await.unwrap().status(), 200);
    assert_eq!(guarded.post(uri, "order").retry_non_idempotent(false).send().await.unwrap().status(), 503);
    let arrived = server.arrived();
    assert_eq!(arrived.len(), 7);
    let keys = |attempt: usize| arrived[attempt].header("idempotency-key");
    assert_eq!((keys(0), keys(1), keys(2)), (Some("\"8e03978e\""), Some("\"8e03978e\""), None));
}

/// The address of a port without a listener.
async fn unused_address() -> http::Uri {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap()
}

#[tokio::test]
async fn an_unsent_request_is_retried_with_any_method() {
    let outcome = client().post(unused_address().await, "order").execute().await;
    assert_eq!((outcome.attempts(), outcome.last_class()), (3, Some(ErrorClass::Transient)));
    assert!(outcome.last_error().unwrap().is_connect());
    assert_eq!(outcome.stop_reason(), Some(StopReason::MaxAttempts));
}

#[tokio::test]
async fn what_never_left_is_sent_again_though_the_classifier_does_not_say_so() {
    let classify = |_: &Result<Response<ResponseBody>, HyperError>| Some(Classification::new(ErrorClass::Transient));
    let policy = AsyncPolicy::builder().classifier(classify).retry(retry()).build().unwrap();
    let client = RetryingClient::new(pooled::<Bytewise>(), policy);
    let outcome = client.post(unused_address().await, "order").execute().await;
    assert_eq!((outcome.attempts(), outcome.stop_reason()), (3, Some(StopReason::MaxAttempts)));
}

#[tokio::test]
async fn what_may_have_left_is_not() {
    let server = Server::start(|mut peer| async move {
        peer.next().await;
    })
    .await;
    let outcome = client().post(server.uri("/"), "order").execute().await;
    assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (1, Some("not_idempotent")));
    assert_eq!((outcome.last_class(), server.arrived().len()), (Some(ErrorClass::Transient), 1));
    let outcome = client().put(server.uri("/"), "order").execute().await;
    assert_eq!((outcome.attempts(), server.arrived().len()), (3, 4));
}

/// A server that never answers receives a request that is not idempotent once, even if the attempt
/// times out.
#[tokio::test]
async fn an_attempt_that_timed_out_may_have_left() {
    let bell = crate::support::Bell::default();
    let server = Server::start({
        let bell = bell.clone();
        move |mut peer| {
            let bell = bell.clone();
            async move {
                while peer.next().await.is_some() {
                    bell.ring();
                }
            }
        }
    })
    .await;
    let policy = crate::support::builder_on(bell, retry())
        .attempt_timeout(std::time::Duration::from_secs(3600))
        .build()
        .unwrap();
    let client = RetryingClient::new(pooled::<Bytewise>(), policy);
    let outcome = client.post(server.uri("/"), "order").execute().await;
    assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (1, Some("not_idempotent")));
    let outcome = client.put(server.uri("/"), "order").execute().await;
    assert_eq!((outcome.attempts(), outcome.cause()), (3, Some(redress_core::Cause::Timeout)));
}

/// The first attempt finds no listener; the second times out over a transport that does not record
/// its progress.
#[derive(Clone)]
struct ThenSilent<T>(crate::support::Bell, Arc<AtomicU32>, T);

impl<T: Transport> Transport for ThenSilent<T> {
    type RequestBody = T::RequestBody;
    type ResponseBody = T::ResponseBody;

    async fn send(self, request: Request<T::RequestBody>) -> Result<Response<T::ResponseBody>, HyperError> {
        if self.1.fetch_add(1, Ordering::Relaxed) == 0 {
            return self.2.send(request).await;
        }
        self.0.ring();
        std::future::pending().await
    }
}

/// An attempt that never ends. Counts those that are under way.
#[derive(Clone)]
struct Endless(crate::support::Bell, Arc<AtomicU32>);

struct UnderWay(Arc<AtomicU32>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Transport for Endless {
    type RequestBody = Bytewise;
    type ResponseBody = Bytewise;

    async fn send(self, _: Request<Bytewise>) -> Result<Response<Bytewise>, HyperError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        let _under_way = UnderWay(Arc::clone(&self.1));
        self.0.ring();
        std::future::pending().await
    }
}

#[tokio::test]
async fn an_attempt_that_timed_out_is_given_up_before_the_wait() {
    let (bell, under_way) = (crate::support::Bell::default(), Arc::new(AtomicU32::new(0)));
    let policy = crate::support::builder_on(bell.clone(), retry()).attempt_timeout(HOUR).build().unwrap();
    let client = RetryingClient::new(Endless(bell, Arc::clone(&under_way)), policy);
    let waits = Mutex::new(Vec::new());
    let context = CallContext::new().sleep_with(|_| {
        waits.lock().unwrap().push(under_way.load(Ordering::Relaxed));
        ready(())
    });
    let outcome = client.get(http::Uri::from_static("/")).context(context).execute().await;
    assert_eq!((outcome.attempts(), outcome.cause()), (3, Some(redress_core::Cause::Timeout)));
    assert_eq!(*waits.lock().unwrap(), [0, 0]);
}

#[tokio::test]
async fn that_one_attempt_never_left_says_nothing_of_the_next() {
    let bell = crate::support::Bell::default();
    let policy = crate::support::builder_on(bell.clone(), retry()).attempt_timeout(HOUR).build().unwrap();
    let refusing = Connections::new(|| ready(Err::<SendRequest<Bytewise>, _>("no listener")));
    let client = RetryingClient::new(ThenSilent(bell, Arc::default(), refusing), policy);
    let outcome = client.post(http::Uri::from_static("/"), "order").execute().await;
    assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (2, Some("not_idempotent")));
}

#[test]
fn each_kind_of_body_says_whether_it_can_be_sent_again() {
    let bytewise: [ReplayBody<Bytewise>; 6] = [
        "text".into(),
        "text".to_owned().into(),
        Bytes::new().into(),
        vec![1].into(),
        ReplayBody::empty(),
        ReplayBody::empty(),
    ];
    assert!(bytewise.iter().all(ReplayBody::is_replayable));
    assert!(ReplayBody::from(Full::new(Bytes::new())).is_replayable());
    assert!(ReplayBody::from(Empty::<Bytes>::new()).is_replayable());
    assert!(!ReplayBody::once(Empty::<Bytes>::new()).is_replayable());
}

/// A body of these frames, which can be sized or not.
#[derive(Clone, Debug)]
struct Chunks {
    chunks: VecDeque<Bytes>,
    is_sized: bool,
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.chunks.pop_front().map(|chunk| Ok(Frame::data(chunk))))
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.chunks.iter().map(|chunk| chunk.len() as u64).sum();
        if self.is_sized { SizeHint::with_exact(length) } else { SizeHint::new() }
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Cloned,
    Made,
    Once,
}

fn chunks() -> impl Strategy<Value = Chunks> {
    let chunk = proptest::collection::vec(any::<u8>(), 1..2000).prop_map(Bytes::from);
    let chunks = proptest::collection::vec(chunk, 0..5).prop_map(VecDeque::from);
    (chunks, any::<bool>()).prop_map(|(chunks, is_sized)| Chunks { chunks, is_sized })
}

/// With any body, and any kind and number of failures, each attempt sends the whole body, and a
/// stream has one attempt.
async fn replayed(chunks: Chunks, kind: Kind, failures: usize) {
    let answers: Vec<&str> = std::iter::repeat_n(BUSY, failures).chain([OK]).collect();
    let server = Server::answers(&answers).await;
    let made = chunks.clone();
    let body = match kind {
        Kind::Cloned => ReplayBody::from(made),
        Kind::Made => ReplayBody::factory(move || made.clone()),
        Kind::Once => ReplayBody::once(made),
    };
    let client = RetryingClient::new(pooled(), policy(retry())).drain(65536, HOUR);
    let response = client.request(put(server.uri("/"), body)).send().await.unwrap();
    let attempts = if matches!(kind, Kind::Once) { 1 } else { 3.min(failures + 1) };
    assert_eq!(response.status().is_success(), attempts == failures + 1);
    let whole: Vec<u8> = chunks.chunks.iter().flatten().copied().collect();
    let arrived = server.arrived();
    assert_eq!(arrived.len(), attempts);
    for attempt in arrived {
        assert!(attempt.body == whole, "a different body");
        let length = whole.len().to_string();
        if chunks.is_sized {
            assert_eq!(attempt.header("content-length"), Some(length.as_str()));
        }
    }
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(96))]

    #[test]
    fn a_body_is_whole_in_each_attempt_or_there_is_none(
        chunks in chunks(),
        kind in prop_oneof![Just(Kind::Cloned), Just(Kind::Made), Just(Kind::Once)],
        failures in 0_usize..4,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(replayed(chunks, kind, failures));
    }
}
