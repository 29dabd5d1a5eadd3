//! A tonic server that refuses and ends calls whose caller has stopped waiting.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use redress_core::policy::Deadline;
use redress_grpc_fixture::EchoServer;
use redress_http::AttemptNumber;
use redress_tonic::deadline_layer;
use tokio::net::{TcpListener, TcpStream};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::transport::Server;
use tonic::{Code, Status};
use tower::{Layer as _, Service as _, ServiceExt as _, service_fn};

use crate::echo::{Answer, Script, script};

const HOUR: Duration = Duration::from_secs(3_600);

/// A ping without text, as it is framed.
const EMPTY: &[u8] = &[0; 5];

fn request(headers: &[(&'static str, &str)]) -> Request<Bytes> {
    let mut request =
        Request::post("http://localhost/redress.fixture.Echo/Once").body(EMPTY.into()).expect("a request");
    request.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    for (name, value) in headers {
        request.headers_mut().append(*name, HeaderValue::from_str(value).expect("a value"));
    }
    request
}

/// Calls the service directly.
async fn called(script: &Script, longest: Option<Duration>, headers: &[(&'static str, &str)]) -> (Option<Code>, usize) {
    let mut layer = deadline_layer();
    if let Some(longest) = longest {
        layer = layer.longest(longest);
    }
    let before = script.seen().len();
    let service = layer.layer(EchoServer::new(script.clone()));
    let request = request(headers).map(|body| Body::new(Full::new(body)));
    let response = service.oneshot(request).await.expect("a response");
    assert_eq!(response.headers()["content-type"], "application/grpc");
    let mut head = response.headers().clone();
    let trailers = response.into_body().collect().await.expect("a body").trailers().cloned();
    head.extend(trailers.unwrap_or_default());
    (Status::from_header_map(&head).map(|status| status.code()), script.seen().len() - before)
}

#[tokio::test(start_paused = true)]
async fn an_expired_call_does_not_reach_its_handler() {
    let (script, _) = script();
    for headers in [
        &[("grpc-timeout", "0n")][..],
        &[("grpc-timeout", "00000000H")],
        &[("grpc-timeout", "5S"), ("grpc-timeout", "0S")],
        &[("x-envoy-expected-rq-timeout-ms", "0")],
    ] {
        assert_eq!(called(&script, None, headers).await, (Some(Code::DeadlineExceeded), 0), "{headers:?}");
    }
    for headers in [&[][..], &[("grpc-timeout", "1H")], &[("grpc-timeout", "soon")], &[("grpc-timeout", "-1S")]] {
        assert_eq!(called(&script, None, headers).await, (Some(Code::Ok), 1), "{headers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_handler_is_answered_for_at_the_deadline() {
    let (script, _) = script();
    let began = tokio::time::Instant::now();
    script.then(Answer::Silence).then(Answer::Silence);
    assert_eq!(called(&script, None, &[("grpc-timeout", "2S")]).await, (Some(Code::DeadlineExceeded), 1));
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    // A longer time than the server's limit, and none.
    let limit = Some(Duration::from_secs(1));
    assert_eq!(called(&script, limit, &[("grpc-timeout", "99999999H")]).await, (Some(Code::DeadlineExceeded), 1));
    script.then(Answer::Silence);
    assert_eq!(called(&script, limit, &[]).await, (Some(Code::DeadlineExceeded), 1));
    assert_eq!(began.elapsed(), Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn a_handler_finds_the_deadline_and_the_attempt() {
    let end = tokio::time::Instant::now().into_std() + HOUR;
    let mut service = deadline_layer().layer(service_fn(move |request: Request<Body>| async move {
        assert_eq!(request.extensions().get(), Some(&Deadline::at(end)));
        assert_eq!(request.extensions().get(), Some(&AttemptNumber::new(3)));
        Ok::<_, Status>(http::Response::new(Body::default()))
    }));
    let request = request(&[("grpc-timeout", "1H"), ("grpc-previous-rpc-attempts", "2")]);
    service.call(request.map(|_| Body::default())).await.expect("a response");
}

#[tokio::test]
async fn a_hostile_client_on_a_socket_starts_no_work_that_is_over() {
    let (script, _reports) = script();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let server = Server::builder().layer(deadline_layer().longest(HOUR)).add_service(EchoServer::new(script.clone()));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));

    let socket = TokioIo::new(TcpStream::connect(address).await.expect("a connection"));
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), socket).await.expect("HTTP/2");
    tokio::spawn(connection);
    let mut codes = Vec::new();
    for timeout in ["0n", "0H", "99999999H", "123456789S", "", "\t1S", "n", "-1S"] {
        let request = request(&[("grpc-timeout", timeout)]).map(Full::new);
        let response = sender.send_request(request).await.expect("a response");
        let (head, body) = response.into_parts();
        let mut headers: HeaderMap = head.headers;
        headers.extend(body.collect().await.expect("a body").trailers().cloned().unwrap_or_default());
        codes.push(Status::from_header_map(&headers).expect("a status").code());
    }
    let (refused, served) = codes.split_at(2);
    assert_eq!((refused, served), (&[Code::DeadlineExceeded; 2][..], &[Code::Ok; 6][..]));
    assert_eq!(script.seen().len(), 6);
}
