//! Responses that are retried: their connections are reused or closed, and the last response is
//! whole.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body::Body as _;
use http_body_util::BodyExt as _;
use redress_core::driver::NoTimer;
use redress_core::policy::RetryBuilder;
use redress_core::{AsyncPolicy, CallContext, ErrorClass, SleepDecision, StopReason, fixed, retry_after_or};
use redress_hyper::{HyperError, RetryingClient, hyper_classifier};

use crate::support::{
    Bell, Bytewise, HOUR, OK, Peer, Pooled, Server, TestPolicy, builder_on, client, policy_on, pooled, retry, summary,
    text,
};

fn bad(length: usize) -> String {
    format!("HTTP/1.1 503 x\r\ncontent-length: {length}\r\n\r\n{}", "b".repeat(length))
}

fn bad_chunked(length: usize) -> String {
    format!("HTTP/1.1 503 x\r\ntransfer-encoding: chunked\r\n\r\n{length:x}\r\n{}\r\n0\r\n\r\n", "b".repeat(length))
}

#[tokio::test]
async fn a_response_within_the_bound_leaves_its_connection_to_the_next_attempt() {
    for answer in [bad(0), bad(1), bad(65_536), bad_chunked(65_536)] {
        let server = Server::answers(&[&answer, &answer, OK]).await;
        let response = client().get(server.uri("/")).send().await.unwrap();
        assert_eq!(text(response).await, "fine");
        assert_eq!(server.connections(), [0, 0, 0], "{}", answer.len());
    }
}

#[tokio::test]
async fn a_response_beyond_the_bound_takes_its_connection_along() {
    // Without its end, because hyper reuses a connection on its own once the rest has arrived.
    for answer in [bad(65_537), bad_chunked(65_537)] {
        let server = Server::answers(&[&answer[..answer.len() - 7], OK]).await;
        let response = client().get(server.uri("/")).send().await.unwrap();
        assert_eq!(text(response).await, "fine");
        let connections = server.connections();
        assert_ne!(connections[0], connections[1], "{}", answer.len());
    }
}

#[tokio::test]
async fn the_bound_is_the_callers() {
    // The last byte comes late, because hyper would otherwise reuse the connection on its own.
    let server = Server::answers(&[&bad(10), OK, &bad(10)[..47], OK, &bad(10)[..47], OK, &bad(10)[..47], OK]).await;
    let client = client();
    for (bytes, time) in [(10, HOUR), (9, HOUR), (0, HOUR), (10, Duration::ZERO)] {
        text(client.get(server.uri("/")).drain(bytes, time).send().await.unwrap()).await;
    }
    let connections = server.connections();
    assert_eq!(connections[0], connections[1]);
    assert_ne!(connections[2], connections[3]);
    assert_ne!(connections[4], connections[5]);
    assert_ne!(connections[6], connections[7]);
}

/// An endless body in large pieces.
async fn endless(mut peer: Peer) {
    match peer.next().await {
        Some(0) => {
            peer.send("HTTP/1.1 503 x\r\n\r\n").await;
            while peer.send([b'x'; 10_000]).await {}
        }
        Some(_) => drop(peer.send(OK).await),
        None => {}
    }
}

#[tokio::test]
async fn an_endless_response_is_let_go() {
    let server = Server::start(endless).await;
    let response = client().get(server.uri("/")).send().await.unwrap();
    assert_eq!((summary(&response).attempts(), text(response).await.as_str()), (2, "fine"));
}

/// A client whose waits end on the server's signal.
fn belled(bell: &Bell, retry: RetryBuilder) -> RetryingClient<Pooled, TestPolicy<Bell>> {
    RetryingClient::new(pooled::<Bytewise>(), policy_on(bell.clone(), retry))
}

/// Sends half a bad response first, and good responses afterwards.
async fn trickles(mut peer: Peer, bell: Bell) {
    match peer.next().await {
        Some(0) => {
            peer.send("HTTP/1.1 503 x\r\ncontent-length: 10\r\n\r\nhalf").await;
            bell.ring();
            peer.closed().await;
        }
        Some(_) => drop(peer.send(OK).await),
        None => {}
    }
}

#[tokio::test]
async fn a_trickling_response_holds_nothing_up_beyond_its_time() {
    let bell = Bell::default();
    let client = belled(&bell, retry());
    let server = Server::start(move |peer| trickles(peer, bell.clone())).await;
    let response = client.get(server.uri("/")).send().await.unwrap();
    assert_eq!((summary(&response).attempts(), text(response).await.as_str()), (2, "fine"));
    assert_ne!(server.connections()[0], server.connections()[1]);
}

#[tokio::test]
async fn the_connection_is_let_go_while_the_policy_waits() {
    let bell = Bell::default();
    let waits = Arc::new(tokio::sync::Notify::new());
    let (gone, ends) = (Arc::new(AtomicBool::new(false)), Arc::clone(&waits));
    let server = Server::start({
        let (bell, gone) = (bell.clone(), Arc::clone(&gone));
        move |mut peer| {
            let (bell, gone, waits) = (bell.clone(), Arc::clone(&gone), Arc::clone(&waits));
            async move {
                if peer.next().await == Some(0) {
                    peer.send("HTTP/1.1 503 x\r\ncontent-length: 10\r\n\r\nhalf").await;
                    bell.ring();
                    // The client closes first; then its wait may end.
                    peer.closed_or_written().await;
                    gone.store(true, Ordering::SeqCst);
                    waits.notify_one();
                } else {
                    assert!(gone.load(Ordering::SeqCst), "the connection was held through the wait");
                    peer.send(OK).await;
                }
            }
        }
    })
    .await;
    let response = belled(&bell, retry().strategy(fixed(Duration::from_secs(1))))
        .get(server.uri("/"))
        .context(CallContext::new().sleep_with(move |_| {
            let ends = Arc::clone(&ends);
            async move { ends.notified().await }
        }))
        .send()
        .await
        .unwrap();
    assert_eq!((summary(&response).attempts(), text(response).await.as_str()), (2, "fine"));
}

/// Aborts right before the retry, so that the call returns the response that was going to be
/// retried.
async fn aborted_in_the_wait(
    server: &Server,
    (bytes, time): (usize, Duration),
) -> http::Response<redress_hyper::ResponseBody> {
    let waited = Arc::new(AtomicBool::new(false));
    let has_waited = Arc::clone(&waited);
    client()
        .get(server.uri("/"))
        .drain(bytes, time)
        .context(CallContext::new().abort_if(move || has_waited.load(Ordering::SeqCst)).sleep_with(move |_| {
            waited.store(true, Ordering::SeqCst);
            async { tokio::task::yield_now().await }
        }))
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_response_that_is_the_last_after_all_is_whole() {
    for answer in [bad(0), bad(7), bad(60_000), bad_chunked(60_000)] {
        let whole = "b".repeat(answer.matches('b').count());
        let server = Server::answers(&[&answer]).await;
        let response = aborted_in_the_wait(&server, (65536, HOUR)).await;
        assert_eq!(summary(&response).stop_reason(), Some(StopReason::Aborted));
        assert_eq!(server.arrived().len(), 1);
        assert!(response.body().size_hint().lower() <= whole.len() as u64);
        assert!(text(response).await == whole, "{}", whole.len());
    }
}

#[tokio::test]
async fn what_was_let_go_for_nothing_says_so() {
    let server = Server::answers(&[&bad(70_000)]).await;
    let response = aborted_in_the_wait(&server, (65536, HOUR)).await;
    assert!(!response.body().is_end_stream());
    let error = response.into_body().collect().await.unwrap_err();
    assert!(error.is_discarded(), "{error}");
}

#[tokio::test]
async fn a_body_that_has_ended_is_never_let_go() {
    let server = Server::answers(&[&bad(0)]).await;
    let response = aborted_in_the_wait(&server, (0, Duration::ZERO)).await;
    assert!(response.body().is_end_stream());
    assert_eq!(format!("{:?}", response.body()), "ResponseBody { frames_read: 0, .. }");
    assert_eq!(text(response).await, "");
}

/// A body of endless empty frames that are always ready.
struct Nothings(Arc<AtomicU32>, &'static [u8]);

impl http_body::Body for Nothings {
    type Data = bytes::Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<std::io::Result<http_body::Frame<bytes::Bytes>>>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        std::task::Poll::Ready(Some(Ok(http_body::Frame::data(bytes::Bytes::from_static(self.1)))))
    }
}

#[derive(Clone)]
struct AlwaysNothings(Arc<AtomicU32>, &'static [u8]);

impl redress_hyper::Transport for AlwaysNothings {
    type RequestBody = String;
    type ResponseBody = Nothings;

    async fn send(self, _: http::Request<String>) -> Result<http::Response<Nothings>, HyperError> {
        let mut response = http::Response::new(Nothings(Arc::clone(&self.0), self.1));
        *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
        Ok(response)
    }
}

#[tokio::test]
async fn frames_of_nothing_are_counted_too() {
    let polled = Arc::new(AtomicU32::new(0));
    let client = RetryingClient::new(AlwaysNothings(Arc::clone(&polled), b""), crate::support::policy(retry()));
    let client = client.drain(100, HOUR);
    let response = client.get(http::Uri::from_static("/")).send().await.unwrap();
    assert_eq!((response.status().as_u16(), polled.load(Ordering::Relaxed)), (503, 2 * 101));
}

/// A frame takes about 96 bytes besides its content, so a million one-byte frames would take about
/// 100 MB.
#[tokio::test]
async fn what_keeping_frames_costs_is_bounded_too() {
    let polled = Arc::new(AtomicU32::new(0));
    let client = RetryingClient::new(AlwaysNothings(Arc::clone(&polled), b"x"), crate::support::policy(retry()));
    let response = client.drain(1_000_000, HOUR).get(http::Uri::from_static("/")).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 503);
    let frame = size_of::<http_body::Frame<bytes::Bytes>>() as u32;
    let kept = polled.load(Ordering::Relaxed) / 2 * frame;
    assert!((1_000_000..1_050_000).contains(&kept), "{kept}");
}

#[tokio::test]
async fn a_response_is_whole_that_was_read_for_nothing() {
    // The wait that it asks for does not fit the deadline, which is only known after it was read.
    let later = |answer: String| answer.replace("503 x\r\n", "503 x\r\nretry-after: 86400\r\n");
    for (answer, most) in [(bad(50_000), 65_536), (bad_chunked(60_000), 65_536), (bad_chunked(60_000), 10_000)] {
        let whole = "b".repeat(answer.matches('b').count());
        let server = Server::answers(&[&later(answer)]).await;
        let retry = retry().strategy(retry_after_or(fixed(Duration::ZERO)));
        let client = RetryingClient::new(pooled::<Bytewise>(), crate::support::policy(retry)).drain(most, HOUR);
        let response = client.get(server.uri("/")).send().await.unwrap();
        assert_eq!(summary(&response).stop_reason(), Some(StopReason::DeadlineExceeded));
        assert!(!response.body().is_end_stream());
        let hint = response.body().size_hint();
        assert_eq!(hint.exact().unwrap_or(60_000), whole.len() as u64);
        assert!(hint.lower() > 10_000, "what was read is known: {hint:?}");
        assert!(text(response).await == whole);
    }
}

#[tokio::test]
async fn a_response_that_is_deferred_is_whole() {
    let server = Server::answers(&[&bad(7)]).await;
    let client = client().drain(0, Duration::ZERO);
    let request = client.get(server.uri("/")).context(CallContext::new().sleep_handler(|_, _| SleepDecision::Defer));
    assert_eq!(text(request.send().await.unwrap()).await, "bbbbbbb");
}

/// Records waits. A wait of an hour never ends; others end at once.
#[derive(Clone, Default)]
struct Recorded(Arc<Mutex<Vec<Duration>>>);

impl redress_core::driver::Timer for Recorded {
    type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.lock().unwrap().push(duration);
        Box::pin(async move {
            if duration >= HOUR {
                std::future::pending::<()>().await;
            }
        })
    }
}

/// Half a bad response, and nothing more.
async fn half(mut peer: Peer) {
    while peer.next().await.is_some() {
        peer.send("HTTP/1.1 503 x\r\ncontent-length: 10\r\n\r\nhalf").await;
    }
}

#[tokio::test]
async fn a_response_is_not_lost_to_the_attempts_time_for_being_read() {
    let (server, timer) = (Server::start(half).await, Recorded::default());
    let policy = builder_on(timer.clone(), retry()).attempt_timeout(HOUR).deadline(HOUR * 9).build().unwrap();
    let client = RetryingClient::new(pooled::<Bytewise>(), policy).drain(100, HOUR * 2);
    let response = client.get(server.uri("/")).send().await.unwrap();
    assert_eq!((response.status().as_u16(), summary(&response).attempts()), (503, 3));
    let waits = timer.0.lock().unwrap().clone();
    let drains: Vec<_> = waits.into_iter().filter(|wait| *wait != HOUR).collect();
    assert_eq!(drains.len(), 2, "the last is not read: {drains:?}");
    assert!(drains.iter().all(|drain| *drain <= HOUR / 2 && *drain > HOUR / 4), "{drains:?}");
}

#[tokio::test]
async fn a_response_is_read_for_no_longer_than_it_may_be() {
    let (server, timer) = (Server::start(half).await, Recorded::default());
    let client = RetryingClient::new(
        pooled::<Bytewise>(),
        builder_on(timer.clone(), retry()).attempt_timeout(HOUR).deadline(HOUR * 9).build().unwrap(),
    );
    let waits = || std::mem::take(&mut *timer.0.lock().unwrap());
    client.get(server.uri("/")).send().await.unwrap();
    let tenth = Duration::from_millis(100);
    assert_eq!(waits().into_iter().filter(|wait| *wait < HOUR / 2).collect::<Vec<_>>(), [tenth; 2]);
    client.get(server.uri("/")).drain(100, Duration::ZERO).send().await.unwrap();
    assert!(waits().into_iter().all(|wait| wait > HOUR / 2), "no time is no wait at all");
}

#[tokio::test]
async fn what_is_not_retried_is_not_read() {
    let (server, timer) = (Server::start(half).await, Recorded::default());
    let permanent =
        redress_core::classify::result_classifier(|response: &http::Response<redress_hyper::ResponseBody>| {
            (response.status() == 503).then_some(ErrorClass::Permanent)
        });
    let policy = AsyncPolicy::<_, NoTimer>::builder().timer(timer.clone());
    let refused =
        policy.classifier(permanent.or_else(hyper_classifier())).retry(retry()).deadline(HOUR * 9).build().unwrap();
    assert_eq!(
        client_status(RetryingClient::new(pooled::<Bytewise>(), refused).get(server.uri("/")).send().await),
        503
    );
    let once = builder_on(timer.clone(), retry()).deadline(HOUR * 9).build().unwrap();
    let client = RetryingClient::new(pooled::<Bytewise>(), once);
    assert_eq!(client_status(client.post(server.uri("/"), "order").send().await), 503);
    let alone = client.get(server.uri("/")).policy(client.policy()).bypass(true);
    assert_eq!(client_status(alone.send().await), 503);
    // Each attempt also waits for the deadline.
    assert!(timer.0.lock().unwrap().iter().all(|wait| *wait > HOUR));
}

fn client_status<B, E: std::fmt::Debug>(response: Result<http::Response<B>, E>) -> u16 {
    response.unwrap().status().as_u16()
}
