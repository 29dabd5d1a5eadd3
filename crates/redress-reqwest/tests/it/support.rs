//! Clients and policies for scripted servers.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redress_core::driver::NoTimer;
use redress_core::policy::{Async, PolicyBuilder, RetryBuilder};
use redress_core::{AsyncPolicy, Event, Observer, Retry, fixed};
use redress_reqwest::{ReqwestClassifier, RetryingClient, client_builder, reqwest_classifier};
use redress_tokio::TokioTimer;

pub(crate) type TestPolicy = AsyncPolicy<ReqwestClassifier, TokioTimer>;

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";
pub(crate) const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nbusy";
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// A response with this status and these header lines, and no body.
pub(crate) fn bad(status: u16, headers: &str) -> String {
    format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n{headers}\r\n")
}

/// Three attempts without a wait between them.
pub(crate) fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3)
}

pub(crate) fn builder() -> PolicyBuilder<ReqwestClassifier, Async<TokioTimer>> {
    AsyncPolicy::<_, NoTimer>::builder().timer(TokioTimer).classifier(reqwest_classifier()).retry(retry())
}

pub(crate) fn policy() -> TestPolicy {
    builder().build().unwrap()
}

/// A client of reqwest that uses no proxy of the environment, and trusts no certificate: it would
/// take long to load those of the system.
pub(crate) fn plain() -> reqwest::ClientBuilder {
    // Once is enough; the others fail.
    let _ = rustls::crypto::ring::default_provider().install_default();
    client_builder().no_proxy().tls_certs_only([])
}

pub(crate) fn client() -> RetryingClient<TestPolicy> {
    client_with(policy())
}

/// A client that drains for as long as it takes.
pub(crate) fn client_with(policy: TestPolicy) -> RetryingClient<TestPolicy> {
    RetryingClient::new(plain().build().unwrap(), policy).drain(65536, HOUR)
}

/// A port on which no server listens.
pub(crate) async fn closed_port() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// The lines of events, to compare.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Log {
    fn on_event(&self, event: &Event<'_>) {
        let (operation, detail) = (event.operation.as_deref().unwrap_or("-"), event.detail().unwrap_or("-"));
        let of_type = event.error_type.map_or("-", |name| name.rsplit("::").next().unwrap_or(name));
        self.0.lock().unwrap().push(format!("{operation} {} {detail} {of_type}", event.name));
    }
}
