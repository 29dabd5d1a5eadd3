//! The network: an HTTP client over TCP, and the listener of the built-in server.
//!
//! The pictures in the README are made by the same example with another `net.rs`, which has no
//! sockets, so that they come out the same every time.

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::{Response, Uri};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
pub(crate) use tokio::net::TcpListener as Listener;

use super::client::{FetchError, Page};

/// An ordinary HTTP client. Clones share the connections.
#[derive(Clone)]
pub(crate) struct HttpClient(Client<HttpConnector, Empty<Bytes>>);

impl HttpClient {
    pub(crate) fn new() -> Self {
        // Retries by the client would be requests that the policy neither counts nor limits.
        Self(Client::builder(TokioExecutor::new()).retry_canceled_requests(false).build_http())
    }

    /// Reads the whole body, so that a connection lost halfway fails the attempt.
    pub(crate) async fn get(&self, uri: &Uri) -> Result<Page, FetchError> {
        let (head, body) = self.0.get(uri.clone()).await?.into_parts();
        Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
    }
}
