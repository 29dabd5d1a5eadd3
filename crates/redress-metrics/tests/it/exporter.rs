//! A Prometheus exporter on a socket, and a client that scrapes it.
//!
//! Each test has its own exporter and recorder, so tests share no state.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};
use redress_metrics::names;

use crate::exposition::Page;

pub(crate) struct Exporter {
    pub(crate) recorder: PrometheusRecorder,
    address: SocketAddr,
}

impl Exporter {
    /// Starts an exporter with the recommended histogram buckets.
    pub(crate) fn start() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(configure: impl Fn(PrometheusBuilder) -> PrometheusBuilder) -> Self {
        // The exporter does not report a port that it chose, so a free one is picked first. Another
        // process may take it in between.
        for _ in 0..16 {
            let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
            let builder = PrometheusBuilder::new()
                .set_buckets_for_metric(full(names::CALL_DURATION_SECONDS), names::CALL_DURATION_BUCKETS)
                .unwrap()
                .set_buckets_for_metric(full(names::RETRY_SLEEP_SECONDS), names::RETRY_SLEEP_BUCKETS)
                .unwrap();
            if let Ok((recorder, serving)) = configure(builder).with_http_listener(address).build() {
                tokio::spawn(serving);
                return Self { recorder, address };
            }
        }
        panic!("no free port");
    }

    pub(crate) async fn text(&self) -> String {
        let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
        let uri = format!("http://{}/metrics", self.address).parse().unwrap();
        let response = client.get(uri).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/plain");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    pub(crate) async fn scrape(&self) -> Page {
        Page::parse(&self.text().await)
    }
}

fn full(name: &str) -> Matcher {
    Matcher::Full(name.to_owned())
}
