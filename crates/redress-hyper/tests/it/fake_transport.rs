//! The fake transport: its responses, and that its failures equal those of a real transport.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use redress_core::{Cause, Classifier, ErrorClass};
use redress_hyper::testing::{FakeTransport, Fault};
use redress_hyper::{Connections, HyperError, Repetition, ReplayBody, RetryingClient, Transport, hyper_classifier};
use redress_tokio::TokioTimer;
use tokio::net::TcpStream;

use crate::support::{
    BoxError, Bytewise, HOUR, Server, TestPolicy, answers, builder_on, open, policy, pooled, retry, text,
};

fn client(transport: &FakeTransport) -> RetryingClient<FakeTransport, TestPolicy> {
    RetryingClient::new(transport.clone(), policy(retry())).drain(65536, HOUR)
}

/// All observable properties of an error, as text.
fn seen(error: HyperError) -> String {
    let (asked, text) = (answers(&error), error.to_string());
    let failure = hyper_classifier().classify(&Err::<Response<()>, _>(error)).unwrap();
    let details: Vec<_> = failure.details().collect();
    let marks = (failure.is_unsent(), failure.is_timeout(), failure.is_abort(), failure.retry_after());
    format!("{text}: {asked:?} {:?} {details:?} {marks:?}", failure.class())
}

async fn error_of<T: Transport<RequestBody = Bytewise>>(transport: T, uri: &str) -> HyperError {
    let request = Request::post(uri).body(Bytewise::from("order")).unwrap();
    transport.send(request).await.err().unwrap()
}

async fn fake(fault: Fault) -> String {
    seen(error_of(FakeTransport::new().fail(fault), "http://host/orders").await)
}

/// The same failure over both real transports, with a server that runs `part` after the request.
async fn real<F, Fut>(part: F) -> [String; 2]
where
    F: Fn(crate::support::Peer) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let server = Server::start(move |mut peer| async move {
        peer.next().await;
        part(peer).await;
    })
    .await;
    let uri = server.uri("/orders").to_string();
    let address = server.address();
    let plain = Connections::new(move || open(address));
    [seen(error_of(pooled(), &uri).await), seen(error_of(plain, &uri).await)]
}

#[tokio::test]
async fn what_fails_after_the_request_fails_as_over_a_socket() {
    let closed = real(|peer| async move { drop(peer) }).await;
    assert_eq!(closed, [fake(Fault::ClosedBeforeHead).await, fake(Fault::ClosedBeforeHead).await]);
    assert!(closed[0].contains("incomplete"), "{closed:?}");

    let reset = real(|peer| async move { peer.reset() }).await;
    assert_eq!(reset, [fake(Fault::Reset).await, fake(Fault::Reset).await]);
    assert!(reset[0].contains("ConnectionReset"), "{reset:?}");

    let garbage = real(|mut peer| async move {
        peer.send("220 ready when you are\r\n").await;
    })
    .await;
    assert_eq!(garbage, [fake(Fault::NotHttp).await, fake(Fault::NotHttp).await]);
    assert!(garbage[0].contains("ServerError"), "{garbage:?}");
}

#[tokio::test]
async fn a_connection_that_is_refused_is_as_over_a_socket() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = seen(error_of(pooled(), &format!("http://{closed}/")).await);
    assert_eq!(refused, fake(Fault::ConnectionRefused).await);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_as_over_a_socket() {
    // Too long for a host name, so no lookup is sent.
    let no_name = format!("http://{}/", "n".repeat(64));
    assert_eq!(seen(error_of(pooled(), &no_name).await), fake(Fault::NameNotResolved).await);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_times_out_is_as_over_a_socket() {
    // The listener's backlog holds one connection; the next one is not answered.
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    listener.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let _waiting = std::net::TcpStream::connect(address).unwrap();

    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(Duration::from_secs(1)));
    let client = Client::builder(TokioExecutor::new()).build::<_, Bytewise>(connector);
    let uri = format!("http://{address}/");
    let error = tokio::time::timeout(HOUR, error_of(client, &uri)).await.unwrap();
    assert_eq!(seen(error), fake(Fault::ConnectTimedOut).await);
}

#[tokio::test]
async fn a_connection_that_ends_before_the_request_is_as_over_a_socket() {
    let server = Server::start(|peer| async move { drop(peer) }).await;
    let address = server.address();
    let closed = Connections::new(move || async move {
        let (sender, connection) =
            http1::handshake::<_, Bytewise>(TokioIo::new(TcpStream::connect(address).await?)).await?;
        // Runs until the server closes it, which is an error for the connection.
        let _ = connection.await;
        Ok::<_, BoxError>(sender)
    });
    assert_eq!(seen(error_of(closed, "http://host/").await), fake(Fault::ClosedBeforeRequest).await);
}

#[cfg(feature = "http2")]
#[tokio::test]
async fn what_http2_says_is_said_as_over_a_socket() {
    use redress_fixtures::FrameServer;
    use redress_fixtures::frames::{goaway, reset};

    let real = async |answer: fn(usize, u32) -> Vec<u8>| {
        let server = FrameServer::answers(answer).await;
        let transport = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Bytewise>();
        seen(error_of(transport, &server.uri().to_string()).await)
    };
    assert_eq!(real(|_, stream| reset(stream, 7)).await, fake(Fault::RefusedStream).await);
    assert_eq!(real(|_, stream| reset(stream, 2)).await, fake(Fault::StreamReset).await);
    assert_eq!(real(|_, _| goaway(0, 0)).await, fake(Fault::GoAway).await);
    assert!(fake(Fault::GoAway).await.contains("NO_ERROR"));
}

/// Faults that no socket produces on demand: TLS handshakes, and the system's timeout.
#[tokio::test]
async fn what_no_socket_gives_on_demand_is_classified_as_documented() {
    let refused = fake(Fault::CertificateRefused).await;
    assert!(refused.contains(r#"["connect", "unsent", "connection"] Permanent"#), "{refused}");
    let cut = fake(Fault::HandshakeCutOff).await;
    assert!(cut.contains(r#"["connect", "unsent", "connection"] Transient [("io", "UnexpectedEof")]"#), "{cut}");
    let timed_out = fake(Fault::TimedOut).await;
    assert!(timed_out.contains(r#"["connection", "timeout"] Transient [("io", "TimedOut")]"#), "{timed_out}");
}

#[tokio::test]
async fn each_fault_is_followed_by_what_is_documented() {
    for &fault in Fault::ALL {
        let is_unsent = error_of(FakeTransport::new().fail(fault), "http://host/").await.is_unsent();
        let is_final = fault == Fault::CertificateRefused;
        let script = || FakeTransport::new().fail(fault).always_respond(Response::new("fine"));
        let attempts = |is_sent_again: bool| if is_sent_again && !is_final { 2 } else { 1 };

        let transport = script();
        let outcome = client(&transport).put("http://host/", "order").execute().await;
        assert_eq!(outcome.attempts(), attempts(true), "{fault:?}");
        assert_eq!(transport.requests().len(), outcome.attempts() as usize);

        let outcome = client(&script()).post("http://host/", "order").execute().await;
        assert_eq!(outcome.attempts(), attempts(is_unsent), "{fault:?}");
        let expected = (!is_unsent).then_some("not_idempotent");
        assert_eq!(outcome.retry_forbidden(), expected, "{fault:?}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_does_so_as_over_a_socket() {
    let closing = Server::start(|mut peer| async move {
        peer.next().await;
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfine").await;
    })
    .await;
    let real = RetryingClient::new(pooled::<Bytewise>(), policy(retry()));
    let real = real.get(closing.uri("/")).send().await.unwrap();
    let faked = client(&FakeTransport::new().respond_cut_off(Response::new("fine")));
    let faked = faked.get("http://host/").send().await.unwrap();
    let (mut real, mut faked) = (real.into_body(), faked.into_body());
    assert_eq!(real.frame().await.unwrap().unwrap().into_data().unwrap(), "fine");
    assert_eq!(faked.frame().await.unwrap().unwrap().into_data().unwrap(), "fine");
    let (real, faked) = (real.frame().await.unwrap().unwrap_err(), faked.frame().await.unwrap().unwrap_err());
    assert!(faked.is_body());
    assert_eq!(seen(real), seen(faked));
}

#[tokio::test]
async fn a_script_is_followed_step_by_step() {
    let slow = Response::builder().status(503).header("retry-after", "0").header("x-id", "7").body("busy").unwrap();
    let transport = FakeTransport::new()
        .respond(slow)
        .status(StatusCode::BAD_GATEWAY)
        .respond(Response::builder().status(201).extension(7_u32).body("x".repeat(1_000_000)).unwrap())
        .status(StatusCode::NO_CONTENT);
    let client = client(&transport);

    let response = client.put("http://host/orders?page=2", "an order").send().await.unwrap();
    assert_eq!((response.status(), response.extensions().get()), (StatusCode::CREATED, Some(&7_u32)));
    assert_eq!(text(response).await.len(), 1_000_000);
    let response = client.get("http://host/").send().await.unwrap();
    assert_eq!((response.status(), response.headers().get("content-length")), (StatusCode::NO_CONTENT, None));

    let sent = transport.requests();
    assert_eq!((sent.len(), transport.steps_left()), (4, 0));
    for (number, request) in sent[..3].iter().enumerate() {
        assert_eq!(
            (request.uri().to_string().as_str(), request.method()),
            ("http://host/orders?page=2", &http::Method::PUT)
        );
        assert_eq!(request.body(), "an order");
        let repetition = Repetition::of(request.extensions()).map_or(1, Repetition::attempt);
        assert_eq!(repetition as usize, number + 1);
    }
}

#[tokio::test]
async fn a_response_that_is_replaced_is_read_and_the_last_one_is_whole() {
    let busy = Response::builder().status(503).body("busy").unwrap();
    let outcome = client(&FakeTransport::new().always_respond(busy)).get("http://host/").execute().await;
    assert_eq!((outcome.attempts(), outcome.last_class()), (3, Some(ErrorClass::ServerError)));
    assert_eq!(text(outcome.into_last_value().unwrap()).await, "busy");
}

#[tokio::test(start_paused = true)]
async fn what_hangs_runs_into_the_attempts_timeout() {
    let timed = builder_on(TokioTimer, retry()).attempt_timeout(Duration::from_secs(1)).build().unwrap();
    for (transport, attempts, forbidden) in [
        (FakeTransport::new().hang_connecting().status(StatusCode::OK), 2, None),
        (FakeTransport::new().hang(), 1, Some("not_idempotent")),
    ] {
        let client = RetryingClient::new(transport, timed.clone());
        let outcome = client.post("http://host/", "order").execute().await;
        assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (attempts, forbidden));
        assert_eq!(outcome.elapsed(), Duration::from_secs(1));
        assert_eq!(outcome.cause(), forbidden.map(|_| Cause::Timeout));
    }
}

/// Parts that arrive one by one, with or without a known length.
struct Parts(u8, Option<u64>);

impl http_body::Body for Parts {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<std::io::Result<Frame<Bytes>>>> {
        self.0 += 1;
        match self.0 {
            1 | 3 => {
                cx.waker().wake_by_ref();
                std::task::Poll::Pending
            }
            2 | 4 => std::task::Poll::Ready(Some(Ok(Frame::data("part".into())))),
            _ => std::task::Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.1.map_or_else(http_body::SizeHint::default, http_body::SizeHint::with_exact)
    }
}

#[tokio::test]
async fn a_body_is_read_before_it_is_answered() {
    for length in [None, Some(8)] {
        let transport = FakeTransport::<Parts>::default().status(StatusCode::OK);
        let client = RetryingClient::new(transport.clone(), policy(retry()));
        let body = ReplayBody::once(Parts(0, length));
        client.request(Request::put("http://host/").body(body).unwrap()).send().await.unwrap();
        assert_eq!(transport.requests()[0].body(), "partpart", "{length:?}");
    }
}

#[tokio::test]
async fn a_source_that_fails_is_the_callers() {
    struct Broken;
    impl http_body::Body for Broken {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<std::io::Result<Frame<Bytes>>>> {
            std::task::Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())))
        }
    }
    let transport = FakeTransport::<Broken>::default().status(StatusCode::OK);
    let error = transport.send(Request::post("http://host/").body(Broken).unwrap()).await.err().unwrap();
    assert!(error.is_user() && !error.is_unsent(), "{error:?}");
}

#[tokio::test]
#[should_panic(expected = "the script has no step for request 2: GET /orders")]
async fn a_request_too_many_panics() {
    let client = client(&FakeTransport::new().fail(Fault::Reset));
    let _ = client.get("http://host/orders").send().await;
}

#[tokio::test]
async fn a_call_over_it_can_be_spawned() {
    let transport = FakeTransport::new().always_fail(Fault::ConnectionRefused);
    let client = client(&transport);
    let called = tokio::spawn(async move { client.get("http://host/").send().await.map(|response| response.status()) });
    assert_eq!(called.await.unwrap().unwrap_err().attempts(), 3);
    assert_eq!(format!("{transport:?}"), "FakeTransport { requests: 3, steps_left: 0, .. }");
    // Reading the body drives the connection, on any task.
    let response = FakeTransport::new().respond(Response::new("fine"));
    let response = response.send(Request::get("http://host/").body(Bytewise::default()).unwrap()).await.unwrap();
    let mut body = response.into_body();
    let read = tokio::spawn(async move { poll_fn(|cx| http_body::Body::poll_frame(Pin::new(&mut body), cx)).await });
    assert_eq!(read.await.unwrap().unwrap().unwrap().into_data().unwrap(), "fine");
}

#[tokio::test]
async fn headers_come_as_they_were_given() {
    let mut response = Response::new("fine");
    response.headers_mut().insert("x-id", HeaderValue::from_bytes(b"caf\xc3\xa9").unwrap());
    response.headers_mut().append("x-id", HeaderValue::from_static("8"));
    response.headers_mut().insert("content-length", HeaderValue::from_static("1000"));
    response.headers_mut().insert("transfer-encoding", HeaderValue::from_static("chunked"));
    let response = client(&FakeTransport::new().respond(response)).get("http://host/").send().await.unwrap();
    let ids: Vec<_> = response.headers().get_all("x-id").iter().map(HeaderValue::as_bytes).collect();
    assert_eq!(ids, [b"caf\xc3\xa9".as_slice(), b"8"]);
    assert_eq!(response.headers()["content-length"], "4");
    assert_eq!(text(response).await, "fine");
}
