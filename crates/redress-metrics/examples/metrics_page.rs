//! Calls a local server that fails for a while, and prints the metrics page that Prometheus would
//! scrape.
//!
//!     cargo run -p redress-metrics --example metrics_page
//!
//! Serves /metrics on a free port, makes its calls, scrapes itself once, prints the page and exits.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use redress::integration::http::http_classifier;
use redress::observe::metrics::{MetricsObserver, names};
use redress::runtime::tokio::AsyncPolicy;
use redress::{CircuitBreaker, Retry, fixed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

type HttpClient = Client<HttpConnector, Empty<Bytes>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let metrics_address = serve_metrics()?;
    let backend = serve_a_bad_minute().await?;
    let client: HttpClient = Client::builder(TokioExecutor::new()).build_http();

    // One observer for all policies. The breaker is watched, so its gauge exists from the start.
    let metrics = MetricsObserver::new();
    let breaker = CircuitBreaker::builder().name("inventory").failure_threshold(2).build()?;
    metrics.watch(&breaker);
    let policy = AsyncPolicy::builder()
        .name("inventory")
        .retry(Retry::builder().strategy(fixed(Duration::from_millis(20))).max_attempts(3))
        .circuit_breaker(&breaker)
        .classifier(http_classifier())
        .observer(metrics)
        .build()?;

    for call in 1..=4 {
        let get_stock = policy.operation("GET /stock/{id}");
        let answer = get_stock.call(|| client.get(format!("http://{backend}/stock/7").parse().expect("a URI"))).await;
        match answer {
            Ok(response) => println!("call {call}: {}", response.status()),
            Err(error) => println!("call {call}: {error}"),
        }
    }

    println!("\nGET http://{metrics_address}/metrics\n");
    let page = client.get(format!("http://{metrics_address}/metrics").parse()?).await?;
    let page = String::from_utf8(page.into_body().collect().await?.to_bytes().to_vec())?;
    // Bucket lines are numerous and hard to read.
    page.lines().filter(|line| !line.contains("_bucket")).for_each(|line| println!("{line}"));
    Ok(())
}

/// Installs the exporter on a free port. The exporter does not report a port that it chose, so the
/// port is picked first.
fn serve_metrics() -> Result<SocketAddr, Box<dyn Error>> {
    let address = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    PrometheusBuilder::new()
        .with_http_listener(address)
        .set_buckets_for_metric(Matcher::Full(names::CALL_DURATION_SECONDS.to_owned()), names::CALL_DURATION_BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(names::RETRY_SLEEP_SECONDS.to_owned()), names::RETRY_SLEEP_BUCKETS)?
        .install()?;
    Ok(address)
}

/// A server that answers the second request with 200, and all others with 503.
async fn serve_a_bad_minute() -> Result<SocketAddr, Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        for request in 0.. {
            let Ok((mut connection, _)) = listener.accept().await else { return };
            let status = if request == 1 { "200 OK" } else { "503 Service Unavailable" };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            // A request this small arrives in one read. If the client went away, serve the next one
            // anyway.
            let _ = connection.read(&mut [0; 1024]).await;
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    });
    Ok(address)
}
