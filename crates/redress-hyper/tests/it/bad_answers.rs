//! Misbehaving servers: no call panics, hangs or retries forever, and every failure has a class.

use std::error::Error;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Method, Request, Response, Uri, Version};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use redress_core::classify::source_chain;
use redress_core::{Cause, Classifier as _, ErrorClass, StopReason};
use redress_fixtures::{Alerting, TlsError};
use redress_hyper::{HyperError, RetryingClient, hyper_classifier};
use tokio::net::TcpStream;

use crate::support::{
    BUSY, Bell, Bytewise, OK, Peer, Pooled, Server, TestPolicy, answers, builder_on, client, pooled, retry, summary,
    text,
};

/// Runs a server that answers every attempt with these bytes and closes.
async fn answered_with(bytes: Vec<u8>) -> Result<(ErrorClass, u32), u16> {
    let server = Server::start(move |mut peer| {
        let bytes = bytes.clone();
        async move {
            if peer.next().await.is_some() {
                peer.send(bytes).await;
            }
        }
    })
    .await;
    let outcome = client().get(server.uri("/")).execute().await;
    assert_eq!(server.arrived().len() as u32, outcome.attempts(), "an attempt is one request");
    match outcome.value() {
        Some(response) => Err(response.status().as_u16()),
        None => Ok((outcome.last_class().unwrap(), outcome.attempts())),
    }
}

#[tokio::test]
async fn answers_that_are_no_http_are_the_servers_failure() {
    let garbage: [&[u8]; 9] = [
        b"hello\r\n\r\n",
        b"\x00\xff\xfe\x01\x02garbage\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\x01bad: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
    ];
    for bytes in garbage {
        let answered = answered_with(bytes.to_vec()).await;
        assert_eq!(answered, Ok((ErrorClass::ServerError, 3)), "{}", bytes.escape_ascii());
    }
}

#[tokio::test]
async fn a_head_without_end_is_the_servers_failure() {
    let mut huge = b"HTTP/1.1 200 OK\r\nx: ".to_vec();
    huge.resize(1_000_000, b'x');
    assert_eq!(answered_with(huge).await, Ok((ErrorClass::ServerError, 3)));
    let many = (0..5000).map(|number| format!("x-{number}: y\r\n")).collect::<String>();
    let many = format!("HTTP/1.1 200 OK\r\n{many}\r\n").into_bytes();
    assert_eq!(answered_with(many).await, Ok((ErrorClass::ServerError, 3)));
}

#[tokio::test]
async fn a_connection_that_ends_before_the_head_does_is_transient() {
    for bytes in [&b""[..], b"HTTP/1.1", b"HTTP/1.1 200 OK\r\ncontent-le", b"HTTP/1.1 100 Continue\r\n\r\n"] {
        assert_eq!(answered_with(bytes.to_vec()).await, Ok((ErrorClass::Transient, 3)), "{}", bytes.escape_ascii());
    }
}

#[tokio::test]
async fn a_reset_before_the_head_is_transient() {
    let server = Server::start(|mut peer| async move {
        peer.next().await;
        peer.reset();
    })
    .await;
    let outcome = client().get(server.uri("/")).execute().await;
    assert_eq!((outcome.attempts(), outcome.last_class()), (3, Some(ErrorClass::Transient)));
}

#[tokio::test]
async fn informational_answers_are_passed_over() {
    let informed = format!("{}{OK}", "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(1000));
    assert_eq!(answered_with(informed.into_bytes()).await, Err(200));
}

async fn flood(mut peer: Peer, bell: Bell) {
    while peer.next().await.is_some() {
        let informed = "HTTP/1.1 102 Processing\r\n\r\n".repeat(100);
        for round in 0.. {
            if round == 20 {
                bell.ring();
            }
            if !peer.send(&informed).await {
                return;
            }
        }
    }
}

/// A server with a bell that ends the attempt's timeout.
async fn timed<F, Fut>(part: F) -> (Server, RetryingClient<Pooled, TestPolicy<Bell>>)
where
    F: Fn(Peer, Bell) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let bell = Bell::default();
    let client = RetryingClient::new(
        pooled::<Bytewise>(),
        builder_on(bell.clone(), retry()).attempt_timeout(Duration::from_secs(3600)).build().unwrap(),
    );
    (Server::start(move |peer| part(peer, bell.clone())).await, client)
}

#[tokio::test]
async fn an_endless_flood_of_informational_answers_ends_with_the_attempts_time() {
    let (server, client) = timed(flood).await;
    let outcome = client.get(server.uri("/")).execute().await;
    assert_eq!((outcome.attempts(), outcome.cause()), (3, Some(Cause::Timeout)));
    assert_eq!(outcome.last_class(), Some(ErrorClass::Transient));
}

#[tokio::test]
async fn silence_ends_with_the_attempts_time() {
    for silent in ["", "HTTP/1.1 200 OK\r\ncontent-"] {
        let (server, client) = timed(move |mut peer, bell| async move {
            while peer.next().await.is_some() {
                peer.send(silent).await;
                bell.ring();
            }
        })
        .await;
        let outcome = client.get(server.uri("/")).execute().await;
        assert_eq!((outcome.attempts(), outcome.cause(), server.arrived().len()), (3, Some(Cause::Timeout), 3));
    }
}

#[tokio::test]
async fn a_good_head_is_the_response_though_its_body_never_comes() {
    let (server, client) = timed(|mut peer, _| async move {
        peer.next().await;
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
        peer.closed().await;
    })
    .await;
    let response = client.get(server.uri("/")).send().await.unwrap();
    assert_eq!((response.status().as_u16(), summary(&response).attempts()), (200, 1));
}

#[tokio::test]
async fn a_good_response_whose_body_breaks_off_is_an_error_where_it_is_read() {
    let sized = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    let nonsense = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n";
    let rows =
        [(sized, drop as fn(Peer)), (sized, Peer::reset), (chunked, drop), (chunked, Peer::reset), (nonsense, drop)];
    for (answer, breaks) in rows {
        let server = Server::start(move |mut peer| async move {
            peer.next().await;
            peer.send(answer).await;
            breaks(peer);
        })
        .await;
        let response = client().get(server.uri("/")).send().await.unwrap();
        let error = response.into_body().collect().await.unwrap_err();
        assert!(error.is_body() && !error.is_discarded(), "{error:?}");
        assert!(source_chain(&error).any(<dyn Error>::is::<hyper::Error>));
        assert_eq!(server.arrived().len(), 1);
    }
}

#[tokio::test]
async fn a_bad_response_whose_body_breaks_off_is_retried_all_the_same() {
    let server = Server::start(move |mut peer| async move {
        if peer.next().await == Some(0) {
            peer.send("HTTP/1.1 503 x\r\ncontent-length: 10\r\n\r\nhalf").await;
            return peer.reset();
        }
        peer.send(OK).await;
    })
    .await;
    let response = client().get(server.uri("/")).send().await.unwrap();
    assert_eq!((summary(&response).attempts(), text(response).await.as_str()), (2, "fine"));
}

#[tokio::test]
async fn a_connection_closed_between_attempts_is_no_failure() {
    let server = Server::start(|mut peer| async move {
        let Some(count) = peer.next().await else { return };
        let answer = if count == 0 { BUSY } else { OK };
        peer.send(answer).await;
    })
    .await;
    let response = client().put(server.uri("/"), "order").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(server.connections().windows(2).all(|pair| pair[0] < pair[1]), "each connection serves once");
}

#[tokio::test]
async fn a_request_that_cannot_be_sent_is_permanent() {
    let request = |method, uri, version| {
        let request = Request::builder().method(method).uri(Uri::from_static(uri)).version(version);
        request.body("").unwrap()
    };
    let rows = [
        request(Method::GET, "/no/authority", Version::HTTP_11),
        request(Method::GET, "http://127.0.0.1:9/", Version::HTTP_3),
        request(Method::CONNECT, "http://127.0.0.1:9/", Version::HTTP_10),
    ];
    for request in rows {
        let shown = format!("{request:?}");
        let outcome = client().request(request).execute().await;
        assert_eq!((outcome.attempts(), outcome.last_class()), (1, Some(ErrorClass::Permanent)), "{shown}");
        assert_eq!(outcome.stop_reason(), Some(StopReason::NonRetryableClass));
    }
}

#[tokio::test]
async fn the_error_keeps_its_source() {
    let server = Server::start(|mut peer| async move {
        peer.next().await;
    })
    .await;
    let error = client().get(server.uri("/")).send().await.unwrap_err();
    assert_eq!(error.attempts(), 3);
    let hyper = source_chain(&error).find_map(<dyn Error>::downcast_ref::<hyper::Error>);
    assert!(hyper.is_some_and(hyper::Error::is_incomplete_message), "{error:?}");
}

/// Every connection fails with this.
#[derive(Clone)]
struct Fails(fn() -> io::Error);

impl tower_service::Service<Uri> for Fails {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = std::future::Ready<Result<Self::Response, io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        std::future::ready(Err((self.0)()))
    }
}

#[tokio::test]
async fn connectors_fail_by_what_their_errors_say() {
    use io::{Error, ErrorKind};
    type Row = (fn() -> Error, ErrorClass, u32);
    let rows: [Row; 4] = [
        (|| ErrorKind::ConnectionRefused.into(), ErrorClass::Transient, 3),
        (|| Error::other("failed to lookup address information"), ErrorClass::Transient, 3),
        (|| ErrorKind::AddrNotAvailable.into(), ErrorClass::Transient, 3),
        (|| Error::new(ErrorKind::InvalidData, "invalid peer certificate"), ErrorClass::Permanent, 1),
    ];
    for (fails, class, attempts) in rows {
        let pool = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
            .build::<_, Bytewise>(Fails(fails));
        let client = RetryingClient::new(pool, crate::support::policy(retry()));
        let outcome = client.post(Uri::from_static("http://h/"), "order").execute().await;
        assert_eq!((outcome.last_class(), outcome.attempts()), (Some(class), attempts), "{:?}", fails());
    }
}

#[test]
fn what_a_transport_says_is_what_its_error_answers() {
    use std::io::{Error, ErrorKind};
    assert_eq!(answers(&HyperError::connect("no listener")), ["connect", "unsent", "connection"]);
    assert_eq!(HyperError::connect("no listener").to_string(), "no connection");
    assert_eq!(HyperError::exchange("it broke").to_string(), "the request failed");
    assert_eq!(answers(&HyperError::exchange(Error::from(ErrorKind::ConnectionReset))), ["connection"]);
    assert_eq!(answers(&HyperError::exchange(Error::from(ErrorKind::TimedOut))), ["connection", "timeout"]);
    assert_eq!(answers(&HyperError::exchange(Error::from(ErrorKind::UnexpectedEof))), ["connection", "incomplete"]);
}

#[tokio::test]
async fn what_went_wrong_is_what_the_error_answers() {
    let closing = Server::start(|mut peer| async move { _ = peer.next().await }).await;
    let outcome = client().get(closing.uri("/")).execute().await;
    assert_eq!(answers(outcome.last_error().unwrap()), ["connection", "incomplete"]);
    let garbled = Server::answers(&["hello\r\n\r\n"]).await;
    let outcome = client().get(garbled.uri("/")).execute().await;
    assert_eq!(answers(outcome.last_error().unwrap()), ["connection", "parse"]);
    let outcome = client().get(Uri::from_static("/no/authority")).execute().await;
    assert_eq!(answers(outcome.last_error().unwrap()), ["request"]);
    assert_eq!(outcome.last_error().unwrap().to_string(), "the client does not send such requests");
    let half = Server::start(|mut peer| async move {
        peer.next().await;
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    })
    .await;
    let response = client().get(half.uri("/")).send().await.unwrap();
    let broken = response.into_body().collect().await.unwrap_err();
    assert_eq!(answers(&broken), ["connection", "body", "incomplete"]);
    assert_eq!(broken.to_string(), "the body of the response failed");
}

#[tokio::test]
async fn hypers_own_errors_are_classified_too() {
    for (answer, class) in [("", ErrorClass::Transient), ("hello\r\n\r\n", ErrorClass::ServerError)] {
        let server = Server::start(move |mut peer| async move {
            peer.next().await;
            peer.send(answer).await;
        })
        .await;
        let stream = TcpStream::connect(server.address()).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get("/").header("host", "h").body(Bytewise::default()).unwrap();
        let failed: Result<_, hyper::Error> = sender.send_request(request).await;
        assert_eq!(hyper_classifier().classify(&failed).unwrap().class(), class, "{failed:?}");
    }
}

#[tokio::test]
async fn what_tls_says_after_the_handshake_is_read_as_before() {
    let rows = [
        ("AlertReceived(CertificateRequired)", ErrorClass::Permanent),
        ("AlertReceived(InternalError)", ErrorClass::Transient),
    ];
    for (alert, class) in rows {
        let (_sender, connection) = http1::handshake::<_, String>(Alerting(TlsError(alert))).await.unwrap();
        let broke = Err::<Response<()>, _>(connection.await.unwrap_err());
        assert_eq!(hyper_classifier().classify(&broke).map(|failure| failure.class()), Some(class), "{alert}");
    }
}
