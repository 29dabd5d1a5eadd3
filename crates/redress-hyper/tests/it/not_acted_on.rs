//! A POST is retried only if the server or the connection shows that it certainly had no effect.

use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::StatusCode;
use http_body::Frame;
use hyper::client::conn::http1;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use redress_core::breaker::CircuitState;
use redress_core::{AsyncPolicy, Cause, CircuitBreaker, ErrorClass};
use redress_hyper::{
    Connections, IdempotencyGuard, ReplayBody, RetryingClient, Transport, hyper_classifier, request_with_retry,
};
use tokio::net::TcpStream;

use crate::support::{Bell, BoxError, Bytewise, HOUR, OK, Server, builder_on, client, open, policy, pooled, retry};

fn bad(status: u16) -> String {
    format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n")
}

#[tokio::test]
async fn a_post_is_sent_again_where_the_answer_says_that_nothing_was_done() {
    for status in [408, 409, 421, 423, 425, 429, 500, 503] {
        let server = Server::answers(&[&bad(status), OK]).await;
        let outcome = client().post(server.uri("/"), "order").execute().await;
        let is_sent_again = [421, 425].contains(&status);
        assert_eq!(outcome.attempts(), if is_sent_again { 2 } else { 1 }, "{status}");
        assert_eq!(outcome.retry_forbidden(), (!is_sent_again).then_some("not_idempotent"), "{status}");
        assert!(server.arrived().iter().all(|arrived| arrived.body == b"order"));
    }
}

#[tokio::test]
async fn a_used_up_stream_is_not_retried_after_any_response() {
    let server = Server::answers(&[&bad(421), OK]).await;
    let outcome = client().post(server.uri("/"), ReplayBody::once(Bytewise::from("order"))).execute().await;
    assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (1, Some("streaming_body")));
}

#[tokio::test]
async fn other_answers_are_allowed_by_name() {
    let guard = IdempotencyGuard::new().retry_non_idempotent_on(StatusCode::SERVICE_UNAVAILABLE);
    for (status, attempts) in [(503, 2), (429, 1), (500, 1), (425, 2)] {
        let server = Server::answers(&[&bad(status), OK]).await;
        let outcome = client().guard(guard).post(server.uri("/"), "order").execute().await;
        assert_eq!(outcome.attempts(), attempts, "{status}");
    }
}

/// A server whose first connection sends data before a request, and closes.
async fn talkative() -> Server {
    Server::start(|mut peer| async move {
        if peer.number == 0 {
            peer.send("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
            return;
        }
        while peer.next().await.is_some() {
            peer.send(OK).await;
        }
    })
    .await
}

/// An opener that has reached this point opens no more connections.
const NEVER: u32 = 1000;

/// Opens connections to a talkative server, the first when it has talked.
#[derive(Clone)]
struct Opener {
    address: SocketAddr,
    opened: Arc<AtomicU32>,
}

impl Opener {
    fn to(server: &Server) -> Self {
        Self { address: server.address(), opened: Arc::default() }
    }

    async fn open(self) -> io::Result<TokioIo<TcpStream>> {
        let stream = TcpStream::connect(self.address).await?;
        match self.opened.fetch_add(1, Ordering::SeqCst) {
            0 => drop(stream.peek(&mut [0]).await?),
            NEVER.. => pending().await,
            _ => {}
        }
        Ok(TokioIo::new(stream))
    }
}

impl tower_service::Service<http::Uri> for Opener {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<TcpStream>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Uri) -> Self::Future {
        Box::pin(self.clone().open())
    }
}

async fn is_sent_over_the_second<T>(server: &Server, transport: T)
where
    T: Transport<RequestBody = Bytewise>,
{
    let outcome = RetryingClient::new(transport, policy(retry())).post(server.uri("/"), "order").execute().await;
    assert_eq!((outcome.is_ok(), outcome.attempts(), server.connections()), (true, 2, vec![1]));
}

#[tokio::test]
async fn a_new_connection_that_talks_first_has_taken_no_request() {
    let server = talkative().await;
    let opener = Opener::to(&server);
    let transport = Connections::new(move || {
        let opener = opener.clone();
        async move {
            let (sender, connection) = http1::handshake::<_, Bytewise>(opener.open().await?).await?;
            tokio::spawn(connection);
            Ok::<_, BoxError>(sender)
        }
    });
    is_sent_over_the_second(&server, transport).await;

    let server = talkative().await;
    let opener = Opener::to(&server);
    is_sent_over_the_second(&server, Client::builder(TokioExecutor::new()).build::<_, Bytewise>(opener)).await;
}

/// The attempts and the forbidden retry of a POST that never gets a connection, and of one that is
/// never answered.
async fn times_out<T>(transport: impl Fn(bool) -> T, server: &Server) -> [(u32, Option<&'static str>); 2]
where
    T: Transport<RequestBody = Bytewise>,
{
    let post = async |hangs| {
        let bell = Bell::default();
        let policy = builder_on(bell.clone(), retry()).attempt_timeout(HOUR).build().unwrap();
        let client = RetryingClient::new(transport(hangs), policy);
        let ringing = async {
            loop {
                // The attempt cannot make further progress.
                while !hangs && server.arrived().is_empty() {
                    tokio::task::yield_now().await;
                }
                bell.ring();
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            outcome = client.post(server.uri("/"), "order").execute() => {
                assert_eq!(outcome.cause(), Some(Cause::Timeout));
                (outcome.attempts(), outcome.retry_forbidden())
            }
            () = ringing => unreachable!("rings forever"),
        }
    };
    [post(true).await, post(false).await]
}

#[tokio::test]
async fn an_attempt_that_times_out_while_it_connects_has_sent_nothing() {
    let silent = || Server::start(|mut peer| async move { while peer.next().await.is_some() {} });
    let expected = [(3, None), (1, Some("not_idempotent"))];

    let server = silent().await;
    let address = server.address();
    let plain = |hangs| {
        Connections::new(move || async move {
            if hangs {
                pending::<()>().await;
            }
            open(address).await
        })
    };
    assert_eq!(times_out(plain, &server).await, expected);

    let server = silent().await;
    let opener = Opener::to(&server);
    let pooled = |hangs| {
        let opener = Opener { opened: Arc::new(AtomicU32::new(if hangs { NEVER } else { 1 })), ..opener.clone() };
        Client::builder(TokioExecutor::new()).build::<_, Bytewise>(opener)
    };
    assert_eq!(times_out(pooled, &server).await, expected);
}

/// Part of a body, and then a failure of the caller.
struct Upload(Option<Bytes>, io::ErrorKind);

impl http_body::Body for Upload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(Some(self.0.take().map_or(Err(self.1.into()), |part| Ok(Frame::data(part)))))
    }
}

#[tokio::test]
async fn a_source_that_fails_is_the_callers_and_not_the_servers() {
    for (kind, class) in [
        (io::ErrorKind::ConnectionReset, ErrorClass::Unknown),
        (io::ErrorKind::ConnectionRefused, ErrorClass::Unknown),
        (io::ErrorKind::TimedOut, ErrorClass::Unknown),
        (io::ErrorKind::PermissionDenied, ErrorClass::Permission),
    ] {
        let server = Server::answers(&[OK]).await;
        let breaker = CircuitBreaker::builder().failure_threshold(1).build().unwrap();
        let policy = redress_tokio::AsyncPolicy::builder().classifier(hyper_classifier()).retry(retry());
        let policy: AsyncPolicy<_, _> = policy.circuit_breaker(&breaker).build().unwrap();
        let body = ReplayBody::factory(move || Upload(Some("part".into()), kind));
        let request = http::Request::post(server.uri("/")).body(body).unwrap();
        let error = request_with_retry(&pooled::<Upload>(), &policy, request).await.unwrap_err();
        assert_eq!((error.attempts(), error.last_class()), (1, Some(class)), "{kind:?}");
        assert!(error.error().unwrap().is_user() && !error.error().unwrap().is_unsent());
        assert_eq!(breaker.state(), CircuitState::Closed, "{kind:?}");
    }
}

#[cfg(feature = "http2")]
mod http2 {
    use hyper::client::conn::http2::handshake;
    use redress_fixtures::FrameServer;
    use redress_fixtures::frames::{goaway, ok, reset};

    use super::*;

    /// The attempts and the forbidden retry of a POST, over both transports.
    async fn posts(
        answer: impl Fn(usize, u32) -> Vec<u8> + Copy + Send + Sync + 'static,
    ) -> Vec<(u32, Option<&'static str>)> {
        let mut fared = Vec::new();
        let server = FrameServer::answers(answer).await;
        let transport = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Bytewise>();
        let outcome = RetryingClient::new(transport, policy(retry())).post(server.uri(), "order").execute().await;
        fared.push((outcome.attempts(), outcome.retry_forbidden()));

        let server = FrameServer::answers(answer).await;
        let address = server.address();
        let transport = Connections::new(move || async move {
            let stream = TokioIo::new(TcpStream::connect(address).await?);
            let (sender, connection) = handshake::<_, _, Bytewise>(TokioExecutor::new(), stream).await?;
            tokio::spawn(connection);
            Ok::<_, BoxError>(sender)
        });
        let outcome = RetryingClient::new(transport, policy(retry())).post(server.uri(), "order").execute().await;
        fared.push((outcome.attempts(), outcome.retry_forbidden()));
        fared
    }

    #[tokio::test]
    async fn a_restart_of_the_server_costs_no_post() {
        let refused = |number, stream| if number == 0 { reset(stream, 7) } else { ok(stream) };
        assert_eq!(posts(refused).await, [(2, None), (2, None)]);
        for code in [0, 1, 11] {
            let goes_away = move |number, stream| if number == 0 { goaway(0, code) } else { ok(stream) };
            assert_eq!(posts(goes_away).await, [(2, None), (2, None)], "{code}");
        }
    }

    #[tokio::test]
    async fn the_error_of_a_refused_stream_says_that_nothing_was_done() {
        let server = FrameServer::answers(|_, stream| reset(stream, 7)).await;
        let transport = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Bytewise>();
        let outcome = RetryingClient::new(transport, policy(retry())).post(server.uri(), "order").execute().await;
        let error = outcome.last_error().unwrap();
        assert!(error.is_unsent() && !error.is_connection(), "{error:?}");
        assert_eq!(error.to_string(), "the server did not act on the request");
    }

    /// A layer over hyper-util's client with redress-http's classifiers, which do not use hyper's
    /// types.
    #[tokio::test]
    async fn redress_https_classifiers_see_it_too() {
        use redress_core::Classifier;
        type Answer = fn(usize, u32) -> Vec<u8>;
        let answers: [(Answer, bool); 4] = [
            (|_, stream| reset(stream, 7), true),
            (|_, _| goaway(0, 0), true),
            (|_, stream| reset(stream, 8), false),
            (|_, stream| reset(stream, 2), false),
        ];
        for (answer, unsent) in answers {
            let server = FrameServer::answers(answer).await;
            let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Bytewise>();
            let failed = client.get(server.uri()).await.map(|response| response.map(drop));
            let by_text = redress_http::http_classifier().classify(&failed).unwrap();
            let by_type = hyper_classifier().classify(&failed).unwrap();
            assert_eq!((by_text.is_unsent(), by_type.is_unsent()), (unsent, unsent), "{failed:?}");
        }
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http::<Bytewise>();
        let failed = client.get(format!("https://{closed}/").parse().unwrap()).await.map(|response| response.map(drop));
        let failure = redress_http::http_classifier().classify(&failed).unwrap();
        // This connector does not support TLS.
        assert_eq!((failure.class(), failure.is_unsent()), (ErrorClass::Permanent, true), "{failed:?}");
    }

    #[tokio::test]
    async fn what_may_have_been_acted_on_is_not_sent_again() {
        let once = [(1, Some("not_idempotent")); 2];
        assert_eq!(posts(|_, stream| reset(stream, 2)).await, once);
        assert_eq!(posts(|_, stream| reset(stream, 8)).await, once);
        assert_eq!(posts(|_, stream| [goaway(stream, 0), reset(stream, 2)].concat()).await, once);
    }

    #[tokio::test]
    async fn codes_that_say_how_not_to_ask_have_their_class() {
        for (code, class, name, attempts) in [
            (0xd, ErrorClass::Permanent, "HTTP_1_1_REQUIRED", 1),
            (0xc, ErrorClass::Permission, "INADEQUATE_SECURITY", 1),
            (0xb, ErrorClass::RateLimit, "ENHANCE_YOUR_CALM", 3),
            (0x2, ErrorClass::Transient, "INTERNAL_ERROR", 3),
        ] {
            let server = FrameServer::answers(move |_, stream| reset(stream, code)).await;
            let transport = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Bytewise>();
            let outcome = RetryingClient::new(transport, policy(retry())).get(server.uri()).execute().await;
            assert_eq!((outcome.last_class(), outcome.attempts()), (Some(class), attempts), "{name}");
            assert_eq!(server.heard().0, attempts as usize);
            let failed = Err::<http::Response<()>, _>(outcome.into_result().unwrap_err().into_error().unwrap());
            let failure = redress_core::Classifier::classify(&hyper_classifier(), &failed).unwrap();
            assert_eq!(failure.detail("http2"), Some(name));
        }
    }

    #[tokio::test]
    async fn a_source_that_fails_is_the_callers_over_http2_too() {
        let server = FrameServer::answers(|_, _| Vec::new()).await;
        let breaker = CircuitBreaker::builder().failure_threshold(1).build().unwrap();
        let policy = redress_tokio::AsyncPolicy::builder().classifier(hyper_classifier()).retry(retry());
        let policy = policy.circuit_breaker(&breaker).build().unwrap();
        let transport = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Upload>();
        let body = ReplayBody::factory(|| Upload(Some("part".into()), io::ErrorKind::ConnectionReset));
        let request = http::Request::post(server.uri()).body(body).unwrap();
        let error = request_with_retry(&transport, &policy, request).await.unwrap_err();
        assert!(error.error().unwrap().is_user(), "{error:?}");
        assert_eq!((error.last_class(), breaker.state()), (Some(ErrorClass::Unknown), CircuitState::Closed));
    }
}
