//! Which requests run their handler again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Extension;
use axum::Router;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use http_body_util::Full;
use redress_axum::{HandlerLayer, Unserved};
use redress_core::StopReason;
use redress_http::{IdempotencyGuard, Repetition, outcome};
use redress_tokio::AsyncPolicy;
use tower::ServiceBuilder;

use crate::server::{HandlerPolicy, Server, at_once, of_handlers, serve};

fn retrying() -> HandlerPolicy {
    of_handlers().retry(at_once(3)).build().unwrap()
}

/// Tells the client how the call ended.
async fn noted(response: Response) -> Response {
    let outcome = outcome(&response).unwrap();
    let note = format!("{} {}", outcome.attempts(), outcome.retry_forbidden().unwrap_or("retried"));
    ([("x-note", note)], response).into_response()
}

/// A handler that reads its body and fails each time, behind this layer.
async fn failing(layer: HandlerLayer<redress_http::HttpRetryAfterClassifier, redress_tokio::TokioTimer>) -> Server {
    let handler = async |body: String| (StatusCode::SERVICE_UNAVAILABLE, body);
    let layers = ServiceBuilder::new().layer(axum::middleware::map_response(noted)).layer(layer);
    serve(Router::new().route("/", any(handler)).layer(layers)).await
}

async fn note(server: &Server, method: Method, body: &'static str) -> String {
    let received = server.send(server.request(method, "/").body(Full::from(body)).unwrap()).await;
    assert_eq!((received.status, received.body.as_str()), (503, body));
    received.header("x-note").unwrap().to_owned()
}

#[tokio::test]
async fn a_handler_runs_again_for_idempotent_requests_without_a_body() {
    let server = failing(HandlerLayer::new(retrying())).await;
    assert_eq!(note(&server, Method::GET, "").await, "3 retried");
    assert_eq!(note(&server, Method::PUT, "").await, "3 retried");
    assert_eq!(note(&server, Method::DELETE, "").await, "3 retried");
    assert_eq!(note(&server, Method::POST, "").await, "1 not_idempotent");
    assert_eq!(note(&server, Method::PATCH, "").await, "1 not_idempotent");
}

#[tokio::test]
async fn a_body_that_was_consumed_is_not_sent_again() {
    let server = failing(HandlerLayer::new(retrying())).await;
    assert_eq!(note(&server, Method::PUT, "order").await, "1 streaming_body");
    assert_eq!(note(&server, Method::POST, "order").await, "1 not_idempotent");
}

#[tokio::test]
async fn a_guard_allows_other_methods() {
    let guard = IdempotencyGuard::new().retry_non_idempotent(true);
    let server = failing(HandlerLayer::new(retrying()).guard(guard)).await;
    assert_eq!(note(&server, Method::POST, "").await, "3 retried");
    assert_eq!(note(&server, Method::POST, "order").await, "1 streaming_body");
}

#[tokio::test]
async fn a_handler_that_recovers_is_answered_as_usual() {
    let calls = Arc::new(AtomicU32::new(0));
    let handler = move || {
        let number = calls.fetch_add(1, Ordering::Relaxed);
        async move { if number < 2 { Err(StatusCode::BAD_GATEWAY) } else { Ok("order") } }
    };
    let server = serve(Router::new().route("/", any(handler)).layer(HandlerLayer::new(retrying()))).await;
    let received = server.get("/").await;
    assert_eq!((received.status, received.body.as_str()), (200, "order"));
}

/// A layer and a handler with three attempts each would make nine.
#[tokio::test]
async fn a_handler_whose_own_policy_gave_up_is_not_run_again() {
    let attempts = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&attempts);
    let inner: AsyncPolicy = AsyncPolicy::builder().retry(at_once(3)).build().unwrap();
    let handler = move || {
        let (count, inner) = (Arc::clone(&count), inner.clone());
        async move {
            let load = async || {
                count.fetch_add(1, Ordering::Relaxed);
                Err::<String, _>(io::Error::from(io::ErrorKind::ConnectionReset))
            };
            Ok::<_, Unserved>(inner.call(load).await?)
        }
    };
    let layers =
        ServiceBuilder::new().layer(axum::middleware::map_response(noted)).layer(HandlerLayer::new(retrying()));
    let server = serve(Router::new().route("/", any(handler)).layer(layers)).await;
    let received = server.get("/").await;
    assert_eq!((received.status, received.header("x-note")), (502, Some("1 answered")));
    assert_eq!(attempts.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn attempts_are_numbered_in_a_header() {
    let handler = async |headers: HeaderMap| {
        let number = headers["x-attempt"].to_str().unwrap().to_owned();
        if number == "3" { (StatusCode::OK, number) } else { (StatusCode::BAD_GATEWAY, number) }
    };
    let layer = HandlerLayer::new(retrying()).attempt_headers(|headers, attempt| {
        headers.insert("x-attempt", attempt.number().into());
    });
    let received = serve(Router::new().route("/", any(handler)).layer(layer)).await.get("/").await;
    assert_eq!((received.status, received.body.as_str()), (200, "3"));
}

#[tokio::test]
async fn a_response_that_is_given_up_keeps_its_outcome() {
    let seen = async |response: Response| {
        let reason = outcome(&response).unwrap().stop_reason();
        assert_eq!(reason, Some(StopReason::MaxAttempts));
        ([("x-seen", "yes")], response).into_response()
    };
    let layers = ServiceBuilder::new().layer(axum::middleware::map_response(seen)).layer(HandlerLayer::new(retrying()));
    let failing = async || (StatusCode::BAD_GATEWAY, "the handler's own text");
    let server = serve(Router::new().route("/", any(failing)).layer(layers)).await;
    let received = server.get_accepting("/", "text/plain").await;
    assert_eq!((received.header("x-seen"), received.body.as_str()), (Some("yes"), "the handler's own text"));
}

#[tokio::test]
async fn a_repeated_handler_is_told_why() {
    let handler = async |repetition: Option<Extension<Repetition>>| match repetition {
        None => (StatusCode::BAD_GATEWAY, String::new()),
        Some(Extension(why)) => (StatusCode::OK, format!("{} {:?}", why.attempt(), why.last_failure())),
    };
    let received =
        serve(Router::new().route("/", any(handler)).layer(HandlerLayer::new(retrying()))).await.get("/").await;
    assert_eq!((received.status, received.body.as_str()), (200, "2 Answer(502)"));
}
