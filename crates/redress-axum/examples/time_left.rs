//! A server that works only for callers that still wait, and a client that says how long it waits:
//! `cargo run -p redress-axum --example time_left`.
//!
//! The first attempt finds a server that hangs. The server drops its work when the attempt's time
//! is up, so nothing of it is left when the second attempt arrives.

use std::error::Error;
use std::future::pending;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::routing::get;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use redress::integration::axum::DeadlineLayer;
use redress::integration::http::AttemptNumber;
use redress::integration::hyper::{RetryingClient, hyper_classifier};
use redress::policy::Deadline;
use redress::runtime::tokio::{AsyncPolicy, TokioTimer};
use redress::{Retry, fixed};
use tokio::net::TcpListener;

/// A caller that waits 3 ms.
const SHORT: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-envoy-expected-rq-timeout-ms"), HeaderValue::from_static("3"));

/// Prints when work ends without being done.
struct Work(u32);

impl Drop for Work {
    fn drop(&mut self) {
        println!("server: the work of attempt {} ends", self.0);
    }
}

/// Hangs on first attempts.
async fn report(request: Request) -> &'static str {
    let attempt = request.extensions().get().map_or(0, |number: &AttemptNumber| number.get());
    let left = request.extensions().get().map(|deadline: &Deadline| deadline.left(Instant::now()));
    println!("server: attempt {attempt} begins, its caller waits {} ms at most", left.unwrap_or_default().as_millis());
    let _work = Work(attempt);
    if attempt == 1 { pending().await } else { "the report" }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let deadlines =
        DeadlineLayer::new(TokioTimer).refuse_below(Duration::from_millis(5)).longest(Duration::from_secs(30));
    let router = Router::new().route("/report", get(report)).layer(deadlines);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let uri = format!("http://{}/report", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });

    let policy = AsyncPolicy::builder()
        .classifier(hyper_classifier())
        .retry(Retry::builder().strategy(fixed(Duration::from_millis(10))).max_attempts(3))
        .attempt_timeout(Duration::from_millis(300))
        .deadline(Duration::from_secs(2))
        .build()?;
    let http: Client<HttpConnector, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let client = RetryingClient::new(http, policy).send_deadline(true).send_attempt(true);

    let response = client.get(&*uri).send().await?;
    println!("client: {}, {:?}", response.status(), response.into_body().collect().await?.to_bytes());

    // A request that waited in a queue on its way, until its time was up. Its handler does not run.
    let late = client.get(&*uri).header(SHORT.0, SHORT.1).execute().await;
    let status = late.last_value().map(http::Response::status);
    println!("client: the late request, {} attempts: {status:?}", late.attempts());
    Ok(())
}
