//! Breaker and budget live in the policy, and outlive layers and services.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::get as on_get;
use redress_axum::{HandlerLayer, matched_path};
use redress_core::breaker::CircuitState;
use redress_core::{Budget, CircuitBreaker};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::server::{at_once, bad_gateway, of_handlers, serve};

/// A handler that fails, and its count.
fn failing() -> (Router, Arc<AtomicU32>) {
    let calls = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&calls);
    let handler = move || {
        count.fetch_add(1, Ordering::Relaxed);
        bad_gateway()
    };
    (Router::new().route("/", on_get(handler)), calls)
}

#[tokio::test]
async fn a_router_answers_by_itself_once_its_breaker_is_open() {
    let policy = of_handlers().circuit_breaker(CircuitBreaker::builder().failure_threshold(2)).build().unwrap();
    let (router, calls) = failing();
    let server = serve(router.layer(HandlerLayer::new(policy.clone()))).await;
    assert_eq!(server.statuses("/", 4).await, [502, 502, 503, 503]);
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    assert_eq!(policy.circuit_state(), Some(CircuitState::Open));
}

#[tokio::test]
async fn layers_that_are_made_for_each_request_share_breaker_and_budget() {
    let budget = Budget::new(2, Duration::from_secs(600)).unwrap();
    let breaker = CircuitBreaker::builder().failure_threshold(3);
    let policy = of_handlers().retry(at_once(2).budget(budget)).circuit_breaker(breaker).build().unwrap();
    let (inner, calls) = failing();
    let per_request = service_fn(move |request: Request| {
        let service = HandlerLayer::new(policy.clone()).clone().layer(inner.clone()).clone();
        async move { Ok::<_, Infallible>(service.oneshot(request).await.unwrap_or_else(|never| match never {})) }
    });
    let server = serve(Router::new().fallback_service(per_request)).await;
    // Two calls have a retry each, the third has none left, and then the circuit is open.
    assert_eq!(server.statuses("/", 5).await, [502, 502, 502, 503, 503]);
    assert_eq!(calls.load(Ordering::Relaxed), 2 + 2 + 1);
}

#[tokio::test]
async fn a_route_s_breaker_leaves_other_routes_alone() {
    let policy = || of_handlers().circuit_breaker(CircuitBreaker::builder().failure_threshold(2)).build().unwrap();
    let (orders, reports) = (policy(), policy());
    let layer = HandlerLayer::new(orders.clone())
        .policy_provider(move |head| (matched_path(head) == Some("/reports/{id}")).then(|| reports.clone()));
    let routes = Router::new().route("/orders", on_get(async || "order")).route("/reports/{id}", on_get(bad_gateway));
    let server = serve(routes.layer(layer)).await;
    assert_eq!(server.statuses("/reports/1", 3).await, [502, 502, 503]);
    assert_eq!(server.statuses("/orders", 2).await, [200, 200]);
    assert_eq!(orders.circuit_state(), Some(CircuitState::Closed));
}

#[tokio::test]
async fn a_bypass_reaches_the_handler_of_an_open_circuit() {
    let policy = of_handlers().circuit_breaker(CircuitBreaker::builder().failure_threshold(1)).build().unwrap();
    let routes = Router::new().route("/", on_get(bad_gateway)).route("/health", on_get(async || StatusCode::OK));
    let layer = HandlerLayer::new(policy).bypass_if(|head| head.uri.path() == "/health");
    let server = serve(routes.layer(layer)).await;
    assert_eq!(server.statuses("/", 2).await, [502, 503]);
    assert_eq!(server.statuses("/health", 2).await, [200, 200]);
}
