//! The class of each error of reqwest and of each response, over real sockets.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use redress_core::{Cause, Classification, Classifier, ErrorClass};
use redress_fixtures::script_server::Server;
use redress_reqwest::reqwest_classifier;
use reqwest::Response;

use crate::support::{OK, bad, builder, client_with, closed_port, plain};

/// The classification of this error.
fn classify(error: reqwest::Error) -> Classification {
    reqwest_classifier().classify(&Err::<Response, _>(error)).unwrap()
}

/// Class, whether the request was certainly not acted on, and the label of the I/O error.
fn parts(error: reqwest::Error) -> (ErrorClass, bool, Option<String>) {
    let printed = format!("{error:?}");
    let failure = classify(error);
    println!("{failure:?} of {printed}");
    (failure.class(), failure.is_unsent(), failure.detail("io").map(str::to_owned))
}

async fn error_of(url: impl reqwest::IntoUrl) -> reqwest::Error {
    plain().build().unwrap().get(url).send().await.unwrap_err()
}

/// A server that answers each connection with these bytes and closes it.
async fn sends(bytes: &'static [u8]) -> Server {
    Server::start(move |mut peer| async move {
        if peer.next().await.is_some() {
            peer.send(bytes).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_refused_connection() {
    let error = error_of(format!("http://{}/", closed_port().await)).await;
    assert_eq!(parts(error), (ErrorClass::Transient, true, Some("ConnectionRefused".into())));
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    let error = error_of("http://no-such-name.invalid/").await;
    assert_eq!(parts(error), (ErrorClass::Transient, true, Some("NameLookup".into())));
}

/// Looks no name up, because the system takes too long.
struct SlowSystem;

impl reqwest::dns::Resolve for SlowSystem {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async { Err(io::Error::from(io::ErrorKind::TimedOut).into()) })
    }
}

#[tokio::test]
async fn a_timeout_of_the_system_is_not_one_of_the_attempt() {
    let client = plain().dns_resolver(Arc::new(SlowSystem)).build().unwrap();
    let failure = classify(client.get("http://host.example/").send().await.unwrap_err());
    assert_eq!((failure.class(), failure.is_unsent(), failure.is_timeout()), (ErrorClass::Transient, true, false));
}

#[tokio::test]
async fn a_connection_that_closes_before_the_head() {
    let url = sends(b"").await.uri("/").to_string();
    assert_eq!(parts(error_of(&url).await), (ErrorClass::Transient, false, None));
    assert!(!classify(error_of(&url).await).is_timeout());
}

#[tokio::test]
async fn a_connection_that_is_reset() {
    let server = Server::start(|mut peer| async move {
        peer.next().await;
        peer.reset();
    })
    .await;
    let error = error_of(server.uri("/").to_string()).await;
    assert_eq!(parts(error), (ErrorClass::Transient, false, Some("ConnectionReset".into())));
}

#[tokio::test]
async fn an_answer_that_is_not_http() {
    let error = error_of(sends(b"220 smtp.example.com ready\r\n\r\n").await.uri("/").to_string()).await;
    assert_eq!(parts(error), (ErrorClass::ServerError, false, None));
}

#[tokio::test]
async fn a_head_without_end() {
    let server = Server::start(|mut peer| async move {
        peer.next().await;
        peer.send("HTTP/1.1 200 OK\r\n").await;
        while peer.send(format!("x: {}\r\n", "y".repeat(1000))).await {}
    })
    .await;
    let error = error_of(server.uri("/").to_string()).await;
    assert_eq!(parts(error), (ErrorClass::ServerError, false, None));
}

#[tokio::test]
async fn a_slow_head() {
    let server = Server::start(|mut peer| async move { peer.closed().await }).await;
    let client = plain().timeout(Duration::from_millis(1)).build().unwrap();
    let failure = classify(client.get(server.uri("/").to_string()).send().await.unwrap_err());
    assert_eq!((failure.class(), failure.is_timeout(), failure.is_unsent()), (ErrorClass::Transient, true, false));
}

#[tokio::test]
async fn a_timeout_of_reqwest_is_the_cause_of_the_failure() {
    let server = Server::start(|mut peer| async move { peer.closed().await }).await;
    let outcome = client_with(builder().build().unwrap())
        .get(server.uri("/").to_string())
        .timeout(Duration::from_millis(1))
        .execute()
        .await;
    assert_eq!((outcome.attempts(), outcome.cause()), (3, Some(Cause::Timeout)));
}

#[tokio::test]
async fn a_body_that_is_cut_off() {
    let server = sends(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    let response = plain().build().unwrap().get(server.uri("/").to_string()).send().await.unwrap();
    let error = response.text().await.unwrap_err();
    assert!(error.is_decode(), "reqwest says so of a body that breaks off");
    assert_eq!(parts(error), (ErrorClass::Transient, false, Some("UnexpectedEof".into())));
}

#[tokio::test]
async fn chunks_that_are_garbage() {
    let server = sends(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzzz\r\n").await;
    let response = plain().build().unwrap().get(server.uri("/").to_string()).send().await.unwrap();
    let error = response.text().await.unwrap_err();
    assert_eq!(parts(error), (ErrorClass::ServerError, false, Some("InvalidInput".into())));
}

#[tokio::test]
async fn a_body_of_another_shape() {
    let server = Server::answers(&[OK]).await;
    let response = plain().build().unwrap().get(server.uri("/").to_string()).send().await.unwrap();
    let error = response.json::<Vec<u32>>().await.unwrap_err();
    assert_eq!(parts(error), (ErrorClass::Permanent, false, None));
}

#[tokio::test]
async fn a_redirect_without_end() {
    let server = Server::answers(&[&bad(302, "location: /\r\n")]).await;
    let error = error_of(server.uri("/").to_string()).await;
    assert!(error.is_redirect());
    assert_eq!(parts(error), (ErrorClass::Permanent, false, None));
}

#[tokio::test]
async fn an_invalid_url() {
    for url in ["no scheme", "http://", "ftp://localhost/", "http://[::1", "http://a b/"] {
        let error = error_of(url).await;
        assert!(error.is_builder(), "{url}");
        assert_eq!(parts(error), (ErrorClass::Permanent, false, None), "{url}");
    }
}

#[tokio::test]
async fn a_status_that_was_made_an_error() {
    let rows = [
        (400, ErrorClass::Permanent),
        (401, ErrorClass::Auth),
        (403, ErrorClass::Permission),
        (404, ErrorClass::Permanent),
        (409, ErrorClass::Concurrency),
        (421, ErrorClass::Transient),
        (425, ErrorClass::Transient),
        (429, ErrorClass::RateLimit),
        (503, ErrorClass::ServerError),
    ];
    for (status, class) in rows {
        let server = Server::answers(&[&bad(status, "retry-after: 7\r\n")]).await;
        let response = plain().build().unwrap().get(server.uri("/").to_string()).send().await.unwrap();
        let failure = classify(response.error_for_status().unwrap_err());
        let of_status = failure.detail("status").map(str::to_owned);
        assert_eq!((failure.class(), of_status), (class, Some(status.to_string())));
        assert_eq!(failure.is_unsent(), [421, 425].contains(&status), "{status}");
        assert_eq!(failure.retry_after(), None, "the headers are lost");
    }
}

#[tokio::test]
async fn a_response() {
    let rows = [
        (200, None),
        (404, None),
        (421, Some((ErrorClass::Transient, true))),
        (425, Some((ErrorClass::Transient, true))),
        (429, Some((ErrorClass::RateLimit, false))),
        (503, Some((ErrorClass::ServerError, false))),
    ];
    for (status, expected) in rows {
        let server = Server::answers(&[&bad(status, "retry-after: 7\r\n")]).await;
        let result = plain().build().unwrap().get(server.uri("/").to_string()).send().await;
        let failure = reqwest_classifier().classify(&result);
        assert_eq!(failure.as_ref().map(|failure| (failure.class(), failure.is_unsent())), expected, "{status}");
        let hint = failure.and_then(|failure| failure.retry_after());
        assert_eq!(hint, expected.map(|_| Duration::from_secs(7)), "{status}");
    }
}

#[tokio::test]
async fn a_hint_that_is_a_date_is_measured_against_the_date_of_the_response() {
    let headers = "date: Fri, 27 Nov 2026 21:00:00 GMT\r\nretry-after: Fri, 27 Nov 2026 21:00:30 GMT\r\n";
    let server = Server::answers(&[&bad(429, headers)]).await;
    let result = plain().build().unwrap().get(server.uri("/").to_string()).send().await;
    let failure = reqwest_classifier().classify(&result).unwrap();
    assert_eq!(failure.retry_after(), Some(Duration::from_secs(30)));
}

#[tokio::test]
async fn any_other_value_is_a_success() {
    let of = |value: Result<String, reqwest::Error>| reqwest_classifier().classify(&value);
    assert_eq!(of(Ok("text".into())), None);
    assert_eq!(of(Err(error_of("no scheme").await)).unwrap().class(), ErrorClass::Permanent);
}

#[tokio::test]
async fn a_request_whose_own_body_fails() {
    let server = Server::answers(&[OK]).await;
    for kind in [io::ErrorKind::ConnectionReset, io::ErrorKind::PermissionDenied] {
        let upload = FailingUpload(Some(kind));
        let request = plain().build().unwrap().put(server.uri("/").to_string()).body(reqwest::Body::wrap(upload));
        let (class, is_unsent, _) = parts(request.send().await.unwrap_err());
        let expected =
            if kind == io::ErrorKind::PermissionDenied { ErrorClass::Permission } else { ErrorClass::Unknown };
        assert_eq!((class, is_unsent), (expected, false), "{kind}");
    }
}

/// A body whose source fails at once.
struct FailingUpload(Option<io::ErrorKind>);

impl http_body::Body for FailingUpload {
    type Data = bytes::Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<bytes::Bytes>, io::Error>>> {
        Poll::Ready(self.0.take().map(|kind| Err(kind.into())))
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted() {
    let address = tls_server().await;
    let error = error_of(format!("https://localhost:{}/", address.port())).await;
    let (class, is_unsent, _) = parts(error);
    assert_eq!((class, is_unsent), (ErrorClass::Permanent, true));
}

#[tokio::test]
async fn a_certificate_of_another_name() {
    let address = tls_server().await;
    let certificate = reqwest::Certificate::from_der(include_bytes!("tls/cert.der")).unwrap();
    let client = plain().tls_certs_only([certificate]).resolve("other.example", address).build().unwrap();
    let error = client.get(format!("https://other.example:{}/", address.port())).send().await.unwrap_err();
    let (class, is_unsent, _) = parts(error);
    assert_eq!((class, is_unsent), (ErrorClass::Permanent, true));
}

#[tokio::test]
async fn a_handshake_that_the_server_refuses() {
    // A fatal alert: `handshake_failure` cannot pass, `internal_error` can.
    for (alert, class) in [(40, ErrorClass::Permanent), (80, ErrorClass::Transient)] {
        let server = Server::start(move |mut peer| async move {
            peer.closed_or_written().await;
            peer.send([0x15, 3, 3, 0, 2, 2, alert]).await;
        })
        .await;
        let (of_alert, is_unsent, _) = parts(error_of(format!("https://{}/", server.address())).await);
        assert_eq!((of_alert, is_unsent), (class, true), "{alert}");
    }
}

#[tokio::test]
async fn https_to_a_port_without_tls() {
    let server = Server::start(|mut peer| async move {
        peer.closed_or_written().await;
        peer.send(bad(400, "")).await;
    })
    .await;
    let (class, is_unsent, _) = parts(error_of(format!("https://{}/", server.address())).await);
    assert_eq!((class, is_unsent), (ErrorClass::Permanent, true));
}

/// A server with a certificate that no client trusts.
async fn tls_server() -> std::net::SocketAddr {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificate = include_bytes!("tls/cert.der").to_vec().into();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(include_bytes!("tls/key.der").to_vec().into());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move { acceptor.accept(stream).await.is_ok() });
        }
    });
    address
}
