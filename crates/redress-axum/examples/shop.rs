//! A shop whose warehouse fails, and what the shop's callers receive:
//! `cargo run -p redress-axum --example shop`.
//!
//! Both are axum servers on their own sockets. The warehouse answers, breaks, hangs and refuses.

use std::error::Error;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use redress::integration::axum::{AnswerLayer, Unserved};
use redress::integration::hyper::{HyperClassifier, RetryingClient, hyper_classifier};
use redress::runtime::tokio::AsyncPolicy;
use redress::{CircuitBreaker, Retry, fixed};
use tokio::net::TcpListener;

type HttpClient = Client<HttpConnector, Empty<Bytes>>;

struct Shop {
    warehouse: SocketAddr,
    client: RetryingClient<HttpClient, AsyncPolicy<HyperClassifier>>,
}

/// The shop's handler: every failure of the warehouse leaves by `?`.
async fn stock(State(shop): State<Arc<Shop>>, Path(item): Path<String>) -> Result<String, Unserved> {
    let outcome = shop.client.get(format!("http://{}/{item}", shop.warehouse)).execute().await;
    Unserved::unless_ok(outcome.summary())?;
    Ok(format!("{item}: in stock"))
}

/// The warehouse: what it does depends on the item.
async fn warehouse(Path(item): Path<String>) -> Response {
    match item.as_str() {
        "lamps" => "9".into_response(),
        "chairs" => (StatusCode::INTERNAL_SERVER_ERROR, "cannot connect as stock:hunter2").into_response(),
        "beds" => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "60")]).into_response(),
        _ => pending().await,
    }
}

async fn serve(router: Router) -> Result<SocketAddr, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let policy = AsyncPolicy::builder()
        .classifier(hyper_classifier())
        .retry(Retry::builder().strategy(fixed(Duration::from_millis(10))).max_attempts(2))
        .attempt_timeout(Duration::from_millis(200))
        .deadline(Duration::from_secs(2))
        .circuit_breaker(CircuitBreaker::builder().failure_threshold(3).recovery_timeout(Duration::from_secs(30)))
        .build()?;
    let http = || Client::builder(TokioExecutor::new()).build_http();
    let shop = Shop {
        warehouse: serve(Router::new().route("/{item}", get(warehouse))).await?,
        client: RetryingClient::new(http(), policy).operation("GET /{item}"),
    };
    let routes = Router::new().route("/stock/{item}", get(stock)).layer(AnswerLayer::new());
    let shop = serve(routes.with_state(Arc::new(shop))).await?;

    let caller: HttpClient = http();
    for (item, accept) in [
        ("lamps", "*/*"),
        ("chairs", "application/json"),
        ("chairs", "text/plain"),
        ("beds", "application/json"),
        ("tables", "application/json"),
        ("lamps", "application/json"), // the circuit is open
    ] {
        let request = Request::get(format!("http://{shop}/stock/{item}")).header("accept", accept);
        let response = caller.request(request.body(Empty::new())?).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let wait = headers.get("retry-after").map_or("none", |value| value.to_str().unwrap_or("none"));
        let body = response.into_body().collect().await?.to_bytes();
        println!(
            "GET /stock/{item} for {accept}: {status}, retry-after {wait}\n    {}",
            String::from_utf8_lossy(&body)
        );
    }
    Ok(())
}
