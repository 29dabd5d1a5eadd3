//! An HTTP client with a policy, against a local server that is busy twice:
//! `cargo run -p redress-tower --example client`.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use redress::integration::http::http_retry_after_classifier;
use redress::integration::tower::PolicyLayer;
use redress::integration::tower::http::HttpProtocol;
use redress::runtime::tokio::AsyncPolicy;
use redress::{CircuitBreaker, Event, OutcomeSummary, Retry, decorrelated_jitter};
use tower::{Layer as _, Service as _};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = flaky_server().await?;

    let retry = Retry::builder()
        .strategy(decorrelated_jitter().base(Duration::from_millis(50)).max(Duration::from_secs(1)))
        .max_attempts(4);
    let policy = AsyncPolicy::builder()
        .classifier(http_retry_after_classifier())
        .retry(retry)
        .attempt_timeout(Duration::from_secs(2))
        .deadline(Duration::from_secs(10))
        .circuit_breaker(CircuitBreaker::builder().failure_threshold(10))
        .observer(|event: &Event<'_>| {
            println!("  {}: {}, attempt {}", event.operation.as_deref().unwrap_or("?"), event.name, event.attempt);
        })
        .build()?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let mut client = PolicyLayer::new(policy).protocol(HttpProtocol::new()).layer(client);

    for method in ["GET", "POST"] {
        println!("{method} /orders");
        let request = Request::builder().method(method).uri(format!("http://{address}/orders"));
        let response = client.call(request.body(Full::from("order"))?).await?;
        report(response.status(), response.extensions().get());
        println!("  body: {:?}", response.into_body().collect().await?.to_bytes());
    }
    Ok(())
}

fn report(status: StatusCode, summary: Option<&OutcomeSummary>) {
    let Some(summary) = summary else { return };
    println!("  {status} after {} attempts in {:?}", summary.attempts(), summary.elapsed());
    if let Some(reason) = summary.stop_reason() {
        println!("  stopped: {} ({})", reason.description(), summary.retry_forbidden().unwrap_or("no more said"));
    }
}

/// Busy, busy, fine; and busy for good from the fourth request on.
async fn flaky_server() -> Result<SocketAddr, Box<dyn Error>> {
    let asked = Arc::new(AtomicU32::new(0));
    let orders = move || async move {
        match asked.fetch_add(1, Ordering::Relaxed) {
            2 => (StatusCode::OK, [("retry-after", "0")], "order 7"),
            _ => (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "0")], "busy"),
        }
    };
    let router = Router::new().route("/orders", get(orders.clone()).post(orders));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}
