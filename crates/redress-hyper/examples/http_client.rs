//! A client against a flaky server: which requests are retried, which are not, and what the caller
//! receives.
//!
//! `cargo run -p redress-hyper --example http_client`

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use redress::integration::hyper::{HyperClassifier, RetryingClient, RetryingRequest, hyper_classifier};
use redress::runtime::tokio::{AsyncPolicy, TokioTimer};
use redress::strategy::equal_jitter;
use redress::{OutcomeSummary, Retry};
use tokio::net::TcpListener;

type BoxError = Box<dyn Error + Send + Sync>;
type Pooled = Client<HttpConnector, Full<Bytes>>;
type Policy = AsyncPolicy<HyperClassifier>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let (server, requests) = start().await?;
    let uri = |path: &str| format!("http://{server}{path}").parse::<Uri>();
    let client = client()?;
    let key = (HeaderName::from_static("idempotency-key"), HeaderValue::from_static("\"8e03978e\""));

    println!("the server answers every third request, and is busy for the others\n");
    tell("GET", client.get(uri("/report")?)).await;
    tell("PUT with a body", client.put(uri("/orders/7")?, "two of each")).await;
    tell("POST", client.post(uri("/orders")?, "one of everything")).await;
    tell("POST with a key", client.post(uri("/payments")?, "42").header(key.0, key.1)).await;
    tell("GET, in a hurry", client.get(uri("/slow?retry-after=3600")?)).await;
    tell("GET, no listener", client.get(Uri::from_static("http://127.0.0.1:1/"))).await;
    println!("\nthe server has had {} requests", requests.load(Ordering::Relaxed));
    Ok(())
}

fn client() -> Result<RetryingClient<Pooled, Policy>, BoxError> {
    let policy = AsyncPolicy::builder()
        .classifier(hyper_classifier())
        .retry(Retry::builder().strategy(equal_jitter().base(Duration::from_millis(50))).max_attempts(4))
        .attempt_timeout(Duration::from_secs(2))
        .deadline(Duration::from_secs(10))
        .build()?;
    Ok(RetryingClient::new(Client::builder(TokioExecutor::new()).build_http(), policy))
}

async fn tell(what: &str, request: RetryingRequest<'_, Pooled, HyperClassifier, TokioTimer>) {
    match request.send().await {
        Err(error) => println!("{what:18} {error}"),
        Ok(response) => {
            let summary = response.extensions().get::<OutcomeSummary>();
            let attempts = summary.map_or(0, OutcomeSummary::attempts);
            let stopped = summary.and_then(OutcomeSummary::stop_reason).map_or("done", |reason| reason.description());
            let why = summary.and_then(OutcomeSummary::retry_forbidden).map(|why| format!(" ({why})"));
            println!("{what:18} {}, attempts: {attempts}, {stopped}{}", response.status(), why.unwrap_or_default());
        }
    }
}

/// Starts the server. Returns its address and its count of requests.
async fn start() -> Result<(std::net::SocketAddr, Arc<AtomicUsize>), BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let (address, requests) = (listener.local_addr()?, Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let count = Arc::clone(&count);
            let service = service_fn(move |request| answer(request, count.fetch_add(1, Ordering::Relaxed)));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Ok((address, requests))
}

/// Serves every third request; the others get a 503 with `Retry-After`.
async fn answer(request: Request<Incoming>, number: usize) -> Result<Response<Full<Bytes>>, BoxError> {
    let wait = request.uri().query().and_then(|query| query.strip_prefix("retry-after=")).map(str::to_owned);
    let body = request.into_body().collect().await?.to_bytes();
    let response = match (wait, number % 3) {
        (Some(wait), _) => Response::builder().status(503).header("retry-after", wait).body(Full::from("later")),
        (None, 2) => Response::builder().body(Full::from(body)),
        (None, _) => Response::builder().status(503).body(Full::from("busy")),
    };
    Ok(response?)
}
