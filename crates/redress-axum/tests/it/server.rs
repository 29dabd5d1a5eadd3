//! The server and the client of the tests, and policies without waits.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use redress_core::policy::{Async, PolicyBuilder, RetryBuilder};
use redress_core::{Retry, fixed};
use redress_http::{HttpRetryAfterClassifier, http_retry_after_classifier};
use redress_testing::Recorder;
use redress_tokio::{AsyncPolicy, TokioTimer};
use tokio::net::TcpListener;

/// A policy that reads responses.
pub(crate) type HandlerPolicy = AsyncPolicy<HttpRetryAfterClassifier>;

pub(crate) fn at_once(attempts: u32) -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(attempts)
}

pub(crate) fn of_handlers() -> PolicyBuilder<HttpRetryAfterClassifier, Async<TokioTimer>> {
    AsyncPolicy::builder().classifier(http_retry_after_classifier())
}

/// The operations in the events of these calls, without repetitions next to each other.
pub(crate) fn operations(recorder: &Recorder) -> Vec<String> {
    let events = recorder.events();
    let mut names: Vec<_> =
        events.iter().map(|event| event.operation.as_deref().unwrap_or("none").to_owned()).collect();
    names.dedup();
    names
}

pub(crate) async fn serve(router: Router) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Server { address, client: Client::builder(TokioExecutor::new()).build_http() }
}

/// A running server, and its client.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// What the client received.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Received {
    /// The value of a header that occurs once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        assert!(self.headers.get_all(name).iter().count() <= 1, "{name} occurs once: {self:?}");
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Server {
    pub(crate) fn request(&self, method: Method, path: &str) -> http::request::Builder {
        Request::builder().method(method).uri(format!("http://{}{path}", self.address))
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Received {
        let response = self.client.request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Received {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Received {
        self.send(self.request(Method::GET, path).body(Full::default()).unwrap()).await
    }

    pub(crate) async fn get_accepting(&self, path: &str, accept: &str) -> Received {
        let request = self.request(Method::GET, path).header("accept", accept);
        self.send(request.body(Full::default()).unwrap()).await
    }

    pub(crate) async fn statuses(&self, path: &str, times: usize) -> Vec<u16> {
        let mut statuses = Vec::new();
        for _ in 0..times {
            statuses.push(self.get(path).await.status);
        }
        statuses
    }
}

/// A handler that fails with 502.
pub(crate) async fn bad_gateway() -> StatusCode {
    StatusCode::BAD_GATEWAY
}
