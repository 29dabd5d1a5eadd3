//! Clients and policies for scripted servers.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use redress_core::driver::{NoTimer, Timer};
use redress_core::policy::{Async, PolicyBuilder, RetryBuilder};
use redress_core::{AsyncPolicy, OutcomeSummary, Retry, fixed};
use redress_hyper::{HyperClassifier, HyperError, RetryingClient, hyper_classifier};
use redress_tokio::TokioTimer;
use tokio::net::TcpStream;
use tokio::sync::Notify;

pub(crate) use redress_fixtures::script_server::{Peer, Server};

pub(crate) type Bytewise = Full<Bytes>;
pub(crate) type Pooled<B = Bytewise> = Client<HttpConnector, B>;
pub(crate) type TestPolicy<Tm = TokioTimer> = AsyncPolicy<HyperClassifier, Tm>;

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";
pub(crate) const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nbusy";

pub(crate) fn pooled<B>() -> Pooled<B>
where
    B: Body + Send,
    B::Data: Send,
{
    Client::builder(TokioExecutor::new()).build_http()
}

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Opens a plain connection, and drives it.
pub(crate) async fn open(address: SocketAddr) -> Result<SendRequest<Bytewise>, BoxError> {
    let (sender, connection) = handshake(TokioIo::new(TcpStream::connect(address).await?)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Three attempts without a wait between them.
pub(crate) fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3)
}

pub(crate) fn policy(retry: RetryBuilder) -> TestPolicy {
    policy_on(TokioTimer, retry)
}

pub(crate) fn policy_on<Tm>(timer: Tm, retry: RetryBuilder) -> TestPolicy<Tm> {
    builder_on(timer, retry).build().unwrap()
}

pub(crate) fn builder_on<Tm>(timer: Tm, retry: RetryBuilder) -> PolicyBuilder<HyperClassifier, Async<Tm>> {
    AsyncPolicy::<_, NoTimer>::builder().timer(timer).classifier(hyper_classifier()).retry(retry)
}

/// A client that waits for nothing and drains for as long as it takes.
pub(crate) fn client() -> RetryingClient<Pooled, TestPolicy> {
    RetryingClient::new(pooled(), policy(retry())).drain(65536, HOUR)
}

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn summary<B>(response: &Response<B>) -> &OutcomeSummary {
    response.extensions().get().unwrap()
}

pub(crate) async fn text<B>(response: Response<B>) -> String
where
    B: Body<Error: std::fmt::Debug>,
{
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

pub(crate) fn put<B>(uri: Uri, body: B) -> Request<B> {
    Request::put(uri).body(body).unwrap()
}

/// A timer whose waits end when the bell rings: each ring ends one wait, even one that has not
/// begun.
#[derive(Clone, Default)]
pub(crate) struct Bell(Arc<Notify>);

impl Bell {
    pub(crate) fn ring(&self) {
        self.0.notify_one();
    }
}

impl Timer for Bell {
    type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn sleep(&self, _: Duration) -> Self::Sleep {
        let bell = Arc::clone(&self.0);
        Box::pin(async move { bell.notified().await })
    }
}

/// The predicates that are true for an error.
pub(crate) fn answers(error: &HyperError) -> Vec<&'static str> {
    let questions = [
        ("connect", error.is_connect()),
        ("unsent", error.is_unsent()),
        ("own", error.is_user()),
        ("connection", error.is_connection()),
        ("request", error.is_request()),
        ("body", error.is_body()),
        ("discarded", error.is_discarded()),
        ("timeout", error.is_timeout()),
        ("incomplete", error.is_incomplete()),
        ("parse", error.is_parse()),
    ];
    questions.into_iter().filter(|(_, is_so)| *is_so).map(|(question, _)| question).collect()
}
