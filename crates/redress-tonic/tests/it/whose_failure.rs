//! Who caused a failure, and whether the server acted: calls that must not run twice, deadlines
//! with several timers, and failures that a retry cannot fix.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use redress_core::breaker::CircuitState;
use redress_core::policy::RetryBuilder;
use redress_core::{Cause, ErrorClass, Retry, StopReason, fixed};
use redress_fixtures::frames::{goaway, grpc_ok, head, reset};
use redress_fixtures::{Alerting, FrameServer, TlsError};
use redress_grpc_fixture::EchoClient;
use redress_tonic::{classify_status, parse_grpc_timeout};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tonic::body::Body;
use tonic::metadata::MetadataValue;
use tonic::{Code, ConnectError, Status};
use tonic_types::{ErrorDetails, StatusExt};
use tower_layer::Layer;

use crate::echo::{channel, ping};
use crate::lab::{Lab, SECOND, ended, told, touchy_breaker};
use crate::raw::{Step, grpc, http as not_grpc, message, serve_raw};

/// The attempts and the forbidden retry of a call that must not run twice, to this server.
async fn once(address: SocketAddr) -> (u32, Option<&'static str>) {
    let layer = Lab::default().layer(3).not_idempotent(|head| head.uri.path().ends_with("/Once"));
    let answer = EchoClient::new(layer.layer(channel(address))).once(ping("x")).await;
    let outcome = redress_tonic::outcome(&answer);
    // The client reports a success without a message, so the layer has no failure to report.
    outcome.map_or((0, None), |outcome| (outcome.attempts(), outcome.retry_forbidden()))
}

#[tokio::test]
async fn a_call_that_was_certainly_not_acted_on_is_made_again() {
    for refusal in [reset as fn(u32, u32) -> Vec<u8>, |_, _| goaway(0, 0), |_, _| goaway(0, 2)] {
        let answer = move |number, stream| if number == 0 { refusal(stream, 7) } else { grpc_ok(stream) };
        let server = FrameServer::answers(answer).await;
        once(server.address()).await;
        assert_eq!(server.heard().0, 2);
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("an address");
    assert_eq!(once(closed).await, (3, None));
}

#[tokio::test]
async fn a_call_that_may_have_been_acted_on_is_not() {
    let forbidden = (1, Some("not_idempotent"));
    let server = FrameServer::answers(|_, stream| reset(stream, 2)).await;
    assert_eq!(once(server.address()).await, forbidden);
    // Once the response has begun, the request was acted on, even if the server says otherwise.
    let server = FrameServer::answers(|_, stream| [head(stream, 200, &[]), reset(stream, 7)].concat()).await;
    assert_eq!(once(server.address()).await, forbidden);
    let failure = Lab::default().client(channel(server.address()), 1).once(ping("x")).await.expect_err("a failure");
    let mut behind = redress_core::classify::source_chain(&failure).filter_map(|error| error.downcast_ref::<Status>());
    assert!(behind.any(|status| format!("{status:?}").contains("the response had begun")), "{failure:?}");
    let server = serve_raw([grpc(&[("grpc-status", "14")], [])]).await;
    assert_eq!(once(server.address).await, forbidden);
}

#[tokio::test]
async fn calls_that_may_run_twice_are_made_again_all_the_same() {
    let server = serve_raw([grpc(&[("grpc-status", "14")], []), grpc(&[("grpc-status", "14")], [])]).await;
    let layer = Lab::default().layer(2).not_idempotent(|head| head.uri.path().ends_with("/Place"));
    let answer = EchoClient::new(layer.layer(channel(server.address))).once(ping("x")).await;
    assert_eq!(told(&answer), (2, Some(StopReason::MaxAttempts)));
}

/// How a call ends whose server returns this status after this time.
fn said_after(
    lab: &Lab,
    took: Duration,
    status: fn() -> Status,
) -> Result<tonic::Response<redress_grpc_fixture::Pong>, Status> {
    let clock = lab.clock.clone();
    let channel = tower::service_fn(move |request: Request<Body>| {
        let given = request.headers().get("grpc-timeout").and_then(parse_grpc_timeout);
        assert_eq!(given, Some(SECOND));
        clock.advance(took);
        async move { Ok::<_, Status>(status().into_http::<Body>()) }
    });
    let policy = lab.builder(crate::lab::retry(2)).no_deadline().attempt_timeout(SECOND).build();
    let layer = redress_tonic::GrpcLayer::new(policy.expect("a valid policy"));
    lab.clock.block_on(EchoClient::new(layer.layer(channel)).once(ping("x")))
}

#[test]
fn a_server_that_gives_up_at_its_deadline_is_the_timeout() {
    let said: [fn() -> Status; 3] =
        [|| Status::cancelled("Timeout expired"), || Status::unknown("late"), || Status::deadline_exceeded("late")];
    for status in said {
        let answer = said_after(&Lab::default(), SECOND, status);
        assert_eq!(told(&answer), (2, Some(StopReason::MaxAttempts)));
        assert_eq!(
            (ended(&answer).cause(), ended(&answer).last_class()),
            (Some(Cause::Timeout), Some(ErrorClass::Transient))
        );
        let failure = answer.expect_err("a failure");
        assert_eq!((failure.code(), failure.message()), (Code::DeadlineExceeded, status().message()));
        // The cause is in the source chain, and not in every log line.
        let behind: Vec<_> =
            redress_core::classify::source_chain(&failure).filter_map(|error| error.downcast_ref()).collect();
        let code = |status: &&Status| status.code();
        let codes: Vec<_> = behind.iter().map(code).collect();
        assert_eq!(codes, [Code::DeadlineExceeded, Code::DeadlineExceeded, status().code()]);
        assert!(behind.iter().all(|status| !format!("{status} {status:?}").contains("TimeUp")), "{behind:?}");
        assert!(format!("{:?}", behind[1]).contains("the time that the server was given had passed"), "{behind:?}");
    }
}

#[test]
fn a_server_that_gives_up_before_has_failed() {
    let said: [fn() -> Status; 2] = [|| Status::cancelled("shutting down"), || Status::unknown("what")];
    for status in said {
        let answer = said_after(&Lab::default(), SECOND / 2, status);
        assert_eq!(told(&answer), (2, Some(StopReason::MaxAttempts)));
        assert_eq!(
            (ended(&answer).cause(), ended(&answer).last_class()),
            (Some(Cause::Error), Some(ErrorClass::Transient))
        );
        assert_eq!(answer.expect_err("a failure").code(), status().code());
    }
    // Other statuses are kept, however late they arrive.
    let answer = said_after(&Lab::default(), 2 * SECOND, || Status::not_found("no"));
    assert_eq!((told(&answer), ended(&answer).cause()), ((1, Some(StopReason::NonRetryableClass)), Some(Cause::Error)));
}

fn with_source(code: Code, source: impl std::error::Error + Send + Sync + 'static) -> Status {
    let mut status = Status::new(code, "failed");
    status.set_source(Arc::new(source));
    status
}

#[test]
fn a_connection_that_cannot_come_about_is_permanent_though_it_was_connecting() {
    let connect = |error: io::Error| classify_status(&with_source(Code::Unavailable, ConnectError(Box::new(error))));
    for refusal in ["InvalidCertificate(Expired)", "NoApplicationProtocol", "H2NotNegotiated"] {
        let failure = connect(io::Error::other(TlsError(refusal)));
        assert_eq!((failure.class(), failure.is_unsent()), (ErrorClass::Permanent, true));
    }
    let refused = connect(io::ErrorKind::ConnectionRefused.into());
    assert_eq!((refused.class(), refused.is_unsent()), (ErrorClass::Transient, true));
    assert_eq!((refused.detail("grpc"), refused.detail("io")), (Some("UNAVAILABLE"), Some("ConnectionRefused")));
    let code = classify_status(&with_source(Code::Internal, h2::Error::from(h2::Reason::HTTP_1_1_REQUIRED)));
    assert_eq!((code.class(), code.detail("http2")), (ErrorClass::Permanent, Some("HTTP_1_1_REQUIRED")));
}

#[tokio::test]
async fn what_tls_says_after_the_handshake_is_read_as_before() {
    let rows = [
        ("received fatal alert: CertificateRequired", ErrorClass::Permanent),
        ("received fatal alert: InternalError", ErrorClass::Transient),
    ];
    for (alert, class) in rows {
        let handshake = http2::handshake::<_, _, Body>(TokioExecutor::new(), Alerting(alert));
        let (_sender, connection) = handshake.await.expect("a preface");
        let broke = connection.await.expect_err("the connection breaks");
        let failure = classify_status(&with_source(Code::Unknown, broke));
        assert_eq!((failure.class(), failure.is_unsent()), (class, false), "{alert}");
    }
}

/// Part of a body, and then its end or a failure of the caller.
struct Upload(Option<Bytes>, Option<io::ErrorKind>);

impl http_body::Body for Upload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let fails = self.1;
        Poll::Ready(
            self.0.take().map_or_else(|| fails.map(|kind| Err(kind.into())), |part| Some(Ok(Frame::data(part)))),
        )
    }
}

/// hyper's error of a request that ends so, over a connection that its server closes, or that
/// nothing drives.
async fn of_hyper(fails: Option<io::ErrorKind>, is_driven: bool) -> hyper::Error {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        stream.read(&mut [0; 1024]).await
    });
    let stream = TcpStream::connect(address).await.expect("a server");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("a connection");
    if is_driven {
        tokio::spawn(connection);
    } else {
        drop(connection);
    }
    let request = Request::post("/").header("host", "h").body(Upload(Some("part".into()), fails)).expect("a request");
    sender.send_request(request).await.expect_err("no answer")
}

#[tokio::test]
async fn hypers_errors_say_whose_failure_it_was() {
    let read = |error: hyper::Error| {
        let failure = classify_status(&with_source(Code::Unknown, error));
        (failure.class(), failure.is_unsent())
    };
    assert_eq!(read(of_hyper(None, false).await), (ErrorClass::Transient, true));
    assert_eq!(read(of_hyper(None, true).await), (ErrorClass::Transient, false));
    assert_eq!(read(of_hyper(Some(io::ErrorKind::ConnectionReset), true).await), (ErrorClass::Unknown, false));
    assert_eq!(read(of_hyper(Some(io::ErrorKind::PermissionDenied), true).await), (ErrorClass::Permission, false));
}

#[tokio::test]
async fn the_status_of_a_proxy_is_read_by_http_where_grpc_has_no_word_for_it() {
    for (status, class) in [
        (418, ErrorClass::Permanent),
        (421, ErrorClass::Transient),
        (500, ErrorClass::ServerError),
        (505, ErrorClass::Permanent),
    ] {
        let server = serve_raw([not_grpc(status, "text/html", "no"), not_grpc(status, "text/html", "no")]).await;
        let answer = Lab::default().client(channel(server.address), 2).once(ping("x")).await;
        assert_eq!(ended(&answer).last_class(), Some(class), "{status}");
    }
}

/// The waits of a policy with a backoff of five seconds, for a server that always returns this.
fn waited(status: fn() -> Status) -> Vec<Duration> {
    waited_by(Retry::builder().strategy(fixed(5 * SECOND)), status)
}

fn waited_by(retry: RetryBuilder, status: fn() -> Status) -> Vec<Duration> {
    let lab = Lab::default();
    let channel =
        tower::service_fn(move |_: Request<Body>| async move { Ok::<_, Status>(status().into_http::<Body>()) });
    let layer = redress_tonic::GrpcLayer::new(lab.policy_of(retry.max_attempts(3), None));
    assert!(lab.clock.block_on(EchoClient::new(layer.layer(channel)).once(ping("x"))).is_err());
    lab.waits()
}

fn pushed(value: &'static str) -> Status {
    let mut status = Status::unavailable("busy");
    status.metadata_mut().insert("grpc-retry-pushback-ms", MetadataValue::from_static(value));
    status
}

fn asks(wait: Duration) -> Status {
    Status::with_error_details(Code::Unavailable, "busy", ErrorDetails::with_retry_info(Some(wait)))
}

#[test]
fn pushback_is_an_order_and_retry_info_the_least() {
    assert_eq!(waited(|| pushed("0")), [Duration::ZERO; 2]);
    assert_eq!(waited(|| pushed("250")), [SECOND / 4; 2]);
    assert_eq!(waited(|| pushed("7000")), [7 * SECOND; 2]);
    assert_eq!(waited(|| asks(SECOND)), [5 * SECOND; 2]);
    assert_eq!(waited(|| asks(7 * SECOND)), [7 * SECOND; 2]);
}

#[test]
fn the_retry_shortens_what_a_server_asks_for_and_leaves_it_its_no() {
    let capped = || Retry::builder().strategy(fixed(SECOND)).max_retry_after(3 * SECOND);
    assert_eq!(waited_by(capped(), || pushed("7000")), [3 * SECOND; 2]);
    assert_eq!(waited_by(capped(), || pushed("250")), [SECOND / 4; 2]);
    assert_eq!(waited_by(capped(), || pushed("-7000")), []);
    assert_eq!(waited_by(capped(), || asks(7 * SECOND)), [3 * SECOND; 2]);
    assert_eq!(waited_by(capped(), || asks(2 * SECOND)), [2 * SECOND; 2]);
}

#[test]
fn the_retry_after_of_a_proxy_is_the_least_too() {
    let asked = |wait: &'static str| {
        let lab = Lab::default();
        let channel = tower::service_fn(move |_: Request<Body>| async move {
            Ok::<_, Status>(
                Response::builder().status(503).header("retry-after", wait).body(Body::empty()).expect("a response"),
            )
        });
        assert!(lab.clock.block_on(EchoClient::new(lab.layer(2).layer(channel)).once(ping("x"))).is_err());
        lab.waits()
    };
    assert_eq!(asked("7"), [7 * SECOND]);
    assert_eq!(asked("soon"), [Duration::ZERO]);
    let both = || {
        let mut status = asks(SECOND);
        status.metadata_mut().insert("retry-after", MetadataValue::from_static("7"));
        status
    };
    assert_eq!(waited(both), [7 * SECOND; 2]);
}

#[test]
fn a_call_that_a_load_shedder_turned_away_is_made_again() {
    /// Never ready.
    #[derive(Clone)]
    struct Busy;
    impl tower::Service<Request<Body>> for Busy {
        type Response = Response<Body>;
        type Error = Status;
        type Future = std::future::Ready<Result<Response<Body>, Status>>;
        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
            Poll::Pending
        }
        fn call(&mut self, _: Request<Body>) -> Self::Future {
            unreachable!("it is never ready")
        }
    }
    let lab = Lab::default();
    let layer = lab.layer(3).not_idempotent(|_| true);
    let mut client = EchoClient::new(layer.layer(tower::load_shed::LoadShed::new(Busy)));
    let answer = lab.clock.block_on(client.once(ping("x")));
    assert_eq!(
        (told(&answer), ended(&answer).last_class()),
        ((3, Some(StopReason::MaxAttempts)), Some(ErrorClass::RateLimit))
    );
    assert_eq!(answer.expect_err("turned away").code(), Code::ResourceExhausted);
}

#[test]
fn a_layer_below_that_gives_up_waiting_is_a_timeout() {
    /// An error that prints like that of tower's `Timeout`.
    #[derive(thiserror::Error)]
    #[error("request timed out")]
    struct Elapsed;
    impl std::fmt::Debug for Elapsed {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Elapsed(())")
        }
    }
    let lab = Lab::default();
    let channel = tower::service_fn(|_: Request<Body>| async { Err::<Response<Body>, _>(Elapsed) });
    let answer = lab.clock.block_on(EchoClient::new(lab.layer(2).layer(channel)).once(ping("x")));
    assert_eq!((ended(&answer).attempts(), ended(&answer).cause()), (2, Some(Cause::Timeout)));
}

#[tokio::test]
async fn user_and_password_of_an_origin_are_not_sent() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let channel = tower::service_fn(move |request: Request<Body>| {
        noted.lock().expect("no panic").push(request.uri().to_string());
        async { Err::<Response<Body>, _>(Status::not_found("no")) }
    });
    let origin = http::Uri::from_static("http://user:secret@localhost:80");
    let mut client = EchoClient::with_origin(Lab::default().layer(1).layer(channel), origin);
    client.once(ping("x")).await.expect_err("not found");
    assert!(seen.lock().expect("no panic").iter().all(|uri| uri.starts_with("http://localhost:80/")), "{seen:?}");
}

#[test]
fn the_code_is_a_label() {
    for (status, label) in [(Status::unavailable("x"), "UNAVAILABLE"), (Status::not_found("x"), "NOT_FOUND")] {
        assert_eq!(classify_status(&status).detail("grpc"), Some(label));
    }
}

/// What a breaker that opens at the first failure makes of a call whose response has this after its
/// message.
async fn breaker_after(trailers: Vec<(&'static str, &'static str)>) -> (Option<StopReason>, CircuitState) {
    let lab = Lab::default();
    let server = serve_raw([grpc(&[], [message("hi"), Step::Trailers(trailers)])]).await;
    let breaker = touchy_breaker();
    let layer = redress_tonic::GrpcLayer::new(lab.policy_of(crate::lab::retry(3), Some(breaker.clone())));
    let answer = EchoClient::new(layer.layer(channel(server.address))).many(ping("x")).await;
    let ended = told(&answer);
    assert_eq!((ended.0, server.requests()), (1, 1), "what was handed over is not replaced");
    let mut pongs = answer.expect("a stream").into_inner();
    assert_eq!(pongs.message().await.expect("a message").map(|pong| pong.text).as_deref(), Some("hi"));
    let _ = pongs.message().await;
    (ended.1, breaker.state())
}

#[tokio::test]
async fn a_failure_after_what_was_handed_over_is_one_for_the_breaker() {
    assert_eq!(breaker_after(vec![("grpc-status", "14")]).await, (None, CircuitState::Open));
    assert_eq!(breaker_after(vec![("grpc-status", "2")]).await, (None, CircuitState::Open));
    assert_eq!(breaker_after(vec![("grpc-status", "0")]).await, (None, CircuitState::Closed));
    // An answer, though not a success.
    assert_eq!(breaker_after(vec![("grpc-status", "5")]).await, (None, CircuitState::Closed));
}
