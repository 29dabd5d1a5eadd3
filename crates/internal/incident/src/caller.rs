//! The clients outside the service: one that checks out and one that scrapes the metrics page.
//!
//! Also counts the answers to checkouts.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// A client of the service. Clones share the connections and the counts.
#[derive(Clone)]
pub(crate) struct Caller {
    client: Client<HttpConnector, Empty<Bytes>>,
    service: SocketAddr,
    answers: Arc<Mutex<BTreeMap<u16, u64>>>,
}

impl Caller {
    pub(crate) fn new(service: SocketAddr) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), service, answers: Arc::default() }
    }

    /// Checks an order out and returns the status of the answer.
    pub(crate) async fn check_out(&self, order: u32) -> anyhow::Result<u16> {
        let (status, _) = self.ask(Method::POST, &format!("/checkout/{order}")).await?;
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner).entry(status).or_default() += 1;
        Ok(status)
    }

    /// The metrics page, as Prometheus would scrape it.
    pub(crate) async fn metrics(&self) -> anyhow::Result<String> {
        Ok(self.ask(Method::GET, "/metrics").await?.1)
    }

    /// The number of checkouts answered with each status, since the last call.
    pub(crate) fn take_answers(&self) -> BTreeMap<u16, u64> {
        std::mem::take(&mut self.answers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn ask(&self, method: Method, path: &str) -> anyhow::Result<(u16, String)> {
        let uri = format!("http://{}{path}", self.service);
        let response = self.client.request(Request::builder().method(method).uri(uri).body(Empty::new())?).await?;
        let status = response.status().as_u16();
        Ok((status, String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec())?))
    }
}
