//! An axum server whose handlers are behind a breaker, called until it opens:
//! `cargo run -p redress-tower --example server`.

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::error_handling::HandleErrorLayer;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use redress::integration::http::{Answer, AnswerForm, http_classifier};
use redress::integration::tower::PolicyLayer;
use redress::integration::tower::http::{EmptyBody, HttpProtocol};
use redress::runtime::tokio::AsyncPolicy;
use redress::{CallError, CircuitBreaker};
use tower::ServiceBuilder;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let breaker = CircuitBreaker::builder().failure_threshold(3).recovery_timeout(Duration::from_secs(30));
    let policy = AsyncPolicy::builder()
        .classifier(http_classifier())
        .circuit_breaker(breaker)
        .deadline(Duration::from_secs(5))
        .build()?;
    // Health checks bypass the breaker.
    let protocol = HttpProtocol::new().bodies(EmptyBody::default()).bypass_if(|head| head.uri.path() == "/health");
    let guarded = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(rejected))
        .layer(PolicyLayer::new(policy.clone()).protocol(protocol));
    let router = Router::new()
        .route("/orders", get(|| async { (StatusCode::BAD_GATEWAY, "the database is gone") }))
        .route("/health", get(|| async { "alive" }))
        .layer(guarded);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });

    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    for path in ["/orders", "/orders", "/orders", "/orders", "/health"] {
        let response = client.request(Request::get(format!("http://{address}{path}")).body(Full::default())?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        println!("GET {path}: {status}, {}", String::from_utf8_lossy(&body));
    }
    println!("the circuit is {:?}", policy.circuit_state());
    Ok(())
}

/// The response for a call that has none.
async fn rejected(error: CallError<Infallible>) -> impl IntoResponse {
    Answer::from(error).to_response(AnswerForm::Text)
}
