//! The names of calls: routes, and never what a caller sent.

use std::collections::BTreeSet;

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::routing::{any, get as on_get};
use http_body_util::Full;
use redress_axum::{HandlerLayer, matched_path};
use redress_testing::Recorder;
use tower::ServiceBuilder;

use crate::server::{HandlerPolicy, bad_gateway, of_handlers, operations, serve};

fn recording() -> (Recorder, HandlerPolicy) {
    let recorder = Recorder::new();
    let policy = of_handlers().observer(recorder.clone()).build().unwrap();
    (recorder, policy)
}

async fn order() -> &'static str {
    "order"
}

#[tokio::test]
async fn a_call_is_named_by_its_route_and_not_by_its_path() {
    let (recorder, policy) = recording();
    let routes = Router::new().route("/orders/{id}", on_get(order).post(order)).route("/all/{*rest}", any(order));
    let server = serve(routes.layer(HandlerLayer::new(policy))).await;
    for (method, path) in [
        (Method::GET, "/orders/7"),
        (Method::GET, "/orders/8?secret=1"),
        (Method::HEAD, "/orders/9"),
        (Method::POST, "/orders/10"),
        (Method::PUT, "/orders/11"),
        (Method::from_bytes(b"PURGE").unwrap(), "/all/a/b"),
        (Method::GET, "/none"),
    ] {
        server.send(server.request(method, path).body(Full::default()).unwrap()).await;
    }
    assert_eq!(
        operations(&recorder),
        ["GET /orders/{id}", "HEAD /orders/{id}", "POST /orders/{id}", "PUT /orders/{id}", "HTTP /all/{*rest}", "GET"]
    );
}

#[tokio::test]
async fn a_nested_router_s_calls_are_named_by_the_whole_route() {
    let layered = |policy| Router::new().route("/orders/{id}", on_get(order)).layer(HandlerLayer::new(policy));
    let (inside, policy) = recording();
    let server = serve(Router::new().nest("/shops/{shop}", layered(policy))).await;
    assert_eq!(server.get("/shops/3/orders/7").await.body, "order");
    assert_eq!(operations(&inside), ["GET /shops/{shop}/orders/{id}"]);

    let (outside, policy) = recording();
    let nested = Router::new().route("/orders/{id}", on_get(order));
    let server = serve(Router::new().nest("/shops/{shop}", nested).layer(HandlerLayer::new(policy))).await;
    assert_eq!(server.get("/shops/3/orders/7").await.body, "order");
    assert_eq!(operations(&outside), ["GET /shops/{shop}/orders/{id}"]);

    // A nested service chooses its route after the layers outside of it.
    let ((inside, inner), (outside, outer)) = (recording(), recording());
    let service = Router::new().nest_service("/shops/{shop}", layered(inner)).layer(HandlerLayer::new(outer));
    let server = serve(service).await;
    assert_eq!(server.get("/shops/3/orders/7").await.body, "order");
    assert_eq!(operations(&inside), ["GET /shops/{shop}/orders/{id}"]);
    assert_eq!(operations(&outside), ["GET"]);
}

#[tokio::test]
async fn ten_thousand_paths_and_methods_without_a_route_make_two_names() {
    let (recorder, policy) = recording();
    let routes = Router::new().route("/orders", on_get(order)).fallback(async || StatusCode::NOT_FOUND);
    let router = routes.layer(HandlerLayer::new(policy));
    let server = serve(router).await;
    let mut names = BTreeSet::new();
    for number in 0..10_000 {
        let method =
            if number % 2 == 0 { Method::GET } else { Method::from_bytes(format!("M{number}").as_bytes()).unwrap() };
        let request = server.request(method, &format!("/{number}/%20?x={number}")).body(Full::default()).unwrap();
        assert_eq!(server.send(request).await.status, 404);
        names.extend(operations(&recorder));
        recorder.clear();
    }
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["GET", "HTTP"]);
}

#[tokio::test]
async fn a_layer_around_the_router_has_no_route() {
    let (recorder, policy) = recording();
    let router = Router::new().route("/orders/{id}", on_get(order));
    let around = ServiceBuilder::new().layer(HandlerLayer::new(policy)).service(router);
    let server = serve(Router::new().fallback_service(around)).await;
    assert_eq!(server.get("/orders/7").await.body, "order");
    assert_eq!(operations(&recorder), ["GET"]);
}

#[tokio::test]
async fn a_route_layer_leaves_requests_without_a_route_alone() {
    let (recorder, policy) = recording();
    let router = Router::new().route("/orders/{id}", on_get(order)).route_layer(HandlerLayer::new(policy));
    let server = serve(router).await;
    assert_eq!(server.get("/none").await.status, 404);
    assert_eq!(operations(&recorder), Vec::<String>::new());
    assert_eq!(server.get("/orders/7").await.status, 200);
    assert_eq!(operations(&recorder), ["GET /orders/{id}"]);
}

#[tokio::test]
async fn a_naming_closure_reads_extensions_of_layers_outside() {
    #[derive(Clone)]
    struct Plan(&'static str);

    let (recorder, policy) = recording();
    let layer = HandlerLayer::new(policy).operation_for(|head| {
        let plan = head.extensions.get().map_or("none", |Plan(name)| name);
        format!("{plan} {}", matched_path(head).unwrap()).into()
    });
    let layers = ServiceBuilder::new().layer(axum::Extension(Plan("gold"))).layer(layer);
    let server = serve(Router::new().route("/orders/{id}", on_get(order)).layer(layers)).await;
    server.get("/orders/7").await;
    assert_eq!(operations(&recorder), ["gold /orders/{id}"]);
}

#[tokio::test]
async fn one_name_serves_all_requests() {
    let (recorder, policy) = recording();
    let layer = HandlerLayer::new(policy).operation("shop");
    let server = serve(Router::new().route("/orders/{id}", on_get(order)).layer(layer)).await;
    server.get("/orders/7").await;
    server.get("/none").await;
    assert_eq!(operations(&recorder), ["shop"]);
}

#[tokio::test]
async fn a_route_chooses_its_policy_and_a_predicate_bypasses_them() {
    let ((of_layer, policy), (of_reports, reports)) = (recording(), recording());
    let layer = HandlerLayer::new(policy)
        .policy_provider(move |head| (matched_path(head) == Some("/reports/{id}")).then(|| reports.clone()))
        .bypass_if(|head| matched_path(head) == Some("/health"));
    let routes = Router::new()
        .route("/orders/{id}", on_get(order))
        .route("/reports/{id}", on_get(order))
        .route("/health", on_get(bad_gateway));
    let server = serve(routes.layer(layer)).await;
    for path in ["/orders/1", "/reports/2", "/health"] {
        server.get(path).await;
    }
    assert_eq!(operations(&of_layer), ["GET /orders/{id}"]);
    assert_eq!(operations(&of_reports), ["GET /reports/{id}"]);
}
