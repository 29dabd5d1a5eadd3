//! A policy on the server's side: axum, on a socket.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::Body;
use axum::error_handling::HandleErrorLayer;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get as on_get;
use http::StatusCode;
use http_body_util::Full;
use redress_core::breaker::CircuitState;
use redress_core::{CallError, CircuitBreaker, OutcomeSummary};
use redress_http::{Answer, AnswerForm, HttpRetryAfterClassifier, http_retry_after_classifier};
use redress_tokio::AsyncPolicy;
use redress_tower::PolicyLayer;
use redress_tower::http::{EmptyBody, HttpProtocol};
use tokio::net::TcpListener;
use tower::{Layer as _, Service as _, ServiceBuilder, ServiceExt as _, service_fn};

use crate::service::at_once;
use crate::socket::{get, http_client, uri};

type Policy = AsyncPolicy<HttpRetryAfterClassifier>;

fn breaking(failures: u32) -> Policy {
    let breaker = CircuitBreaker::builder().failure_threshold(failures);
    AsyncPolicy::builder().classifier(http_retry_after_classifier()).circuit_breaker(breaker).build().unwrap()
}

fn retrying(attempts: u32) -> Policy {
    let retry = at_once().max_attempts(attempts);
    AsyncPolicy::builder().classifier(http_retry_after_classifier()).retry(retry).build().unwrap()
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn unavailable(error: CallError<Infallible>) -> (StatusCode, String) {
    (StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}

/// A handler that fails so many times.
fn failing(times: u32) -> (Router, Arc<AtomicU32>) {
    let calls = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&calls);
    let handler = move || async move {
        if count.fetch_add(1, Ordering::Relaxed) < times { StatusCode::BAD_GATEWAY } else { StatusCode::OK }
    };
    (Router::new().route("/", on_get(handler.clone()).post(handler)), calls)
}

async fn statuses(address: SocketAddr, times: usize) -> Vec<u16> {
    let client = http_client();
    let mut statuses = Vec::new();
    for _ in 0..times {
        statuses.push(client.request(get(address, "/")).await.unwrap().status().as_u16());
    }
    statuses
}

#[tokio::test]
async fn a_router_behind_a_breaker_answers_by_itself_once_it_is_open() {
    let (policy, (router, calls)) = (breaking(2), failing(u32::MAX));
    let protocol = HttpProtocol::new().bodies(EmptyBody::default());
    let layers = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(unavailable))
        .layer(PolicyLayer::new(policy.clone()).protocol(protocol));
    let address = serve(router.layer(layers)).await;
    assert_eq!(statuses(address, 4).await, [502, 502, 503, 503]);
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    assert_eq!(policy.circuit_state(), Some(CircuitState::Open));
}

/// Like servers that make a service for each request: only the policy's handle outlives a request.
#[tokio::test]
async fn a_breaker_opens_although_layer_and_service_are_rebuilt_for_each_request() {
    let (policy, (inner, calls)) = (breaking(3), failing(u32::MAX));
    let per_request = service_fn(move |request: Request| {
        let service = PolicyLayer::once(policy.clone()).clone().layer(inner.clone()).clone();
        async move { Ok::<Response, Infallible>(service.oneshot(request).await.unwrap_or_else(rejected)) }
    });
    let address = serve(Router::new().fallback_service(per_request)).await;
    assert_eq!(statuses(address, 5).await, [502, 502, 502, 503, 503]);
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}

/// Like workers that keep a clone each: from its second call on, a clone has a separately counted
/// handle.
#[tokio::test]
async fn a_breaker_opens_although_each_clone_counts_its_own_handle() {
    let (policy, (router, calls)) = (breaking(6), failing(u32::MAX));
    let service = PolicyLayer::once(policy.clone()).layer(router);
    let mut clones = [service.clone(), service];
    for turn in 0..6 {
        assert_eq!(policy.circuit_state(), Some(CircuitState::Closed));
        let response = clones[turn % 2].call(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    }
    assert_eq!(policy.circuit_state(), Some(CircuitState::Open));
    for service in &mut clones {
        assert!(service.call(Request::new(Body::empty())).await.is_err());
    }
    assert_eq!(calls.load(Ordering::Relaxed), 6);
}

#[expect(clippy::needless_pass_by_value, reason = "errors are handed over")]
fn rejected(error: CallError<Infallible>) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response()
}

#[tokio::test]
async fn a_handler_is_run_again_for_requests_without_a_body() {
    let (router, calls) = failing(2);
    let protocol = HttpProtocol::new().bodies(EmptyBody::default());
    let layers = ServiceBuilder::new()
        .map_response(|response: Response| {
            let attempts = response.extensions().get::<OutcomeSummary>().map_or(0, OutcomeSummary::attempts);
            ([("x-attempts", attempts.to_string())], response).into_response()
        })
        .layer(HandleErrorLayer::new(unavailable))
        .layer(PolicyLayer::new(retrying(3)).protocol(protocol));
    let address = serve(router.layer(layers)).await;
    let response = http_client().request(get(address, "/")).await.unwrap();
    assert_eq!((response.status(), &response.headers()["x-attempts"]), (StatusCode::OK, &"3".parse().unwrap()));
    assert_eq!(calls.load(Ordering::Relaxed), 3);

    calls.store(0, Ordering::Relaxed);
    let post = http::Request::post(uri(address, "/")).body(Full::from("order")).unwrap();
    let response = http_client().request(post).await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()["x-attempts"]),
        (StatusCode::BAD_GATEWAY, &"1".parse().unwrap())
    );
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

/// The attempts of two policies would multiply.
#[tokio::test]
async fn a_request_that_a_policy_below_has_answered_is_not_sent_again() {
    let below = AsyncPolicy::builder().classifier(http_retry_after_classifier()).retry(at_once().max_attempts(2));
    let below = below.deadline(std::time::Duration::from_millis(1)).build().unwrap();
    let calls = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&calls);
    let inner = service_fn(move |_: http::Request<()>| {
        count.fetch_add(1, Ordering::Relaxed);
        let below = below.clone();
        async move {
            let failed = below.call(std::future::pending::<Result<http::Response<()>, Infallible>>).await.unwrap_err();
            Ok::<_, Infallible>(Answer::from(failed).to_response(AnswerForm::Problem))
        }
    });
    let service = PolicyLayer::new(retrying(3)).protocol(HttpProtocol::new()).layer(inner);
    let outcome = service.execute_in(service.policy().context(), http::Request::new(())).await;
    assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (1, Some("answered")));
    assert_eq!(outcome.last_value().unwrap().status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_handler_reads_the_body_it_was_sent() {
    let router = Router::new().route("/", axum::routing::put(|body: String| async move { body }));
    let protocol = HttpProtocol::new().bodies(EmptyBody::default());
    let layers = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(unavailable))
        .layer(PolicyLayer::new(retrying(3)).protocol(protocol));
    let address = serve(router.layer(layers)).await;
    let put = http::Request::put(uri(address, "/")).body(Full::from("order")).unwrap();
    let response = http_client().request(put).await.unwrap();
    let body = axum::body::to_bytes(Body::new(response.into_body()), 1_000).await.unwrap();
    assert_eq!(body, "order");
}
