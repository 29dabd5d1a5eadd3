//! The form of an answer by the request's `Accept`, by settings, and for HEAD.

use std::io;

use axum::Router;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get as on_get;
use http_body_util::Full;
use redress_axum::{AnswerLayer, HandlerLayer, Unserved};
use redress_core::{CircuitBreaker, ErrorClass};
use redress_http::{Answer, AnswerForm, Answers};
use redress_tokio::AsyncPolicy;
use tower::ServiceBuilder;

use crate::server::{HandlerPolicy, of_handlers, serve};

const PROBLEM: &str = r#"{"type":"about:blank","title":"Bad Gateway","status":502}"#;
const NAMED: &str = r#"{"type":"about:blank","title":"Bad Gateway","status":502,"operation":"load_order"}"#;

async fn order() -> Result<String, Unserved> {
    let policy: AsyncPolicy = AsyncPolicy::builder().build().unwrap();
    Ok(policy.operation("load_order").call(async || Err(io::Error::other("broken"))).await?)
}

/// A policy that rejects every call.
fn open() -> HandlerPolicy {
    let breaker = CircuitBreaker::builder().failure_threshold(1).build().unwrap();
    breaker.try_acquire().unwrap().failure(ErrorClass::Transient);
    of_handlers().circuit_breaker(breaker).build().unwrap()
}

fn closed() -> HandlerPolicy {
    of_handlers().build().unwrap()
}

#[tokio::test]
async fn accept_chooses_between_a_problem_and_text() {
    let rows = [
        ("*/*", true),
        ("application/json", true),
        ("application/problem+json", true),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
        ("image/png", true),
        ("text/plain", false),
        ("text/*;q=0.5, image/png", false),
        ("text/plain, application/json;q=0.9", false),
    ];
    // The layer within the router, around it, and a policy's layer, which writes answers too.
    let within = Router::new().route("/", on_get(order)).layer(AnswerLayer::new());
    let around = Router::new().fallback_service(
        ServiceBuilder::new().layer(AnswerLayer::new()).service(Router::new().route("/", on_get(order))),
    );
    let policy = Router::new().route("/", on_get(order)).layer(HandlerLayer::new(closed()));
    for router in [within, around, policy] {
        let server = serve(router).await;
        for (accept, is_problem) in rows {
            let received = server.get_accepting("/", accept).await;
            assert_eq!((received.status, received.header("vary")), (502, Some("accept")), "{accept}");
            let (kind, body) = match is_problem {
                true => ("application/problem+json", PROBLEM),
                false => ("text/plain; charset=utf-8", "Bad Gateway"),
            };
            assert_eq!((received.header("content-type"), received.body.as_str()), (Some(kind), body), "{accept}");
            assert_eq!(received.header("content-length"), Some(body.len().to_string().as_str()), "{accept}");
        }
        assert_eq!(server.get("/").await.body, PROBLEM);
    }
}

#[tokio::test]
async fn a_policy_s_own_answer_has_the_form_that_accept_prefers() {
    let server = serve(Router::new().route("/", on_get(order)).layer(HandlerLayer::new(open()))).await;
    let problem = server.get("/").await;
    assert_eq!(problem.body, r#"{"type":"about:blank","title":"Service Unavailable","status":503}"#);
    assert_eq!(
        (problem.header("content-type"), problem.header("vary")),
        (Some("application/problem+json"), Some("accept"))
    );
    let text = server.get_accepting("/", "text/plain").await;
    assert_eq!((text.status, text.body.as_str()), (503, "Service Unavailable"));
    assert!(text.header("retry-after").is_some());
}

#[tokio::test]
async fn settings_fix_the_form_and_name_the_operation() {
    let answers = Answers::new().always(AnswerForm::Text).name_operation();
    let by_layer = AnswerLayer::new().always(AnswerForm::Text).name_operation();
    let routers = [
        Router::new().route("/", on_get(order)).layer(by_layer),
        Router::new().route("/", on_get(order)).layer(AnswerLayer::from(answers)),
        Router::new().route("/", on_get(order)).layer(HandlerLayer::new(closed()).answers(answers)),
    ];
    for router in routers {
        let received = serve(router).await.get_accepting("/", "application/json").await;
        assert_eq!((received.body.as_str(), received.header("vary")), ("Bad Gateway (load_order)", None));
    }
    let named = Router::new().route("/", on_get(order)).layer(AnswerLayer::new().name_operation());
    assert_eq!(serve(named).await.get("/").await.body, NAMED);
}

#[tokio::test]
async fn the_operation_of_a_layer_s_call_is_named_if_that_is_set() {
    let hanging = on_get(std::future::pending::<String>);
    let late = of_handlers().deadline(std::time::Duration::from_millis(1)).build().unwrap();
    let layer = HandlerLayer::new(late).operation("orders").answers(Answers::new().name_operation());
    let received = serve(Router::new().route("/orders/{id}", hanging).layer(layer)).await.get("/orders/7").await;
    let body: serde_json::Value = serde_json::from_str(&received.body).unwrap();
    assert_eq!((received.status, &body["title"]), (504, &"Gateway Timeout".into()));
}

#[tokio::test]
async fn head_has_the_headers_and_no_body() {
    let within = Router::new().route("/", on_get(order)).layer(AnswerLayer::new());
    let around = Router::new().fallback_service(
        ServiceBuilder::new().layer(AnswerLayer::new()).service(Router::new().route("/", on_get(order))),
    );
    let alone = Router::new().route("/", on_get(order));
    for router in [within, around, alone] {
        let server = serve(router).await;
        let head = server.request(Method::HEAD, "/").body(Full::default()).unwrap();
        let received = server.send(head).await;
        assert_eq!((received.status, received.body.as_str()), (502, ""));
        assert_eq!(received.header("content-type"), Some("application/problem+json"));
        assert_eq!(received.header("content-length"), Some(PROBLEM.len().to_string().as_str()));
    }
    let server = serve(Router::new().route("/", on_get(order)).layer(HandlerLayer::new(open()))).await;
    let received = server.send(server.request(Method::HEAD, "/").body(Full::default()).unwrap()).await;
    assert_eq!((received.status, received.body.as_str()), (503, ""));
    assert!(received.header("retry-after").is_some());
}

#[tokio::test]
async fn other_headers_of_an_answer_are_kept() {
    let marked = async || (([("x-request", "7"), ("vary", "origin")]), order().await.unwrap_err());
    let server = serve(Router::new().route("/", on_get(marked)).layer(AnswerLayer::new())).await;
    let received = server.get_accepting("/", "text/plain").await;
    assert_eq!((received.body.as_str(), received.header("x-request")), ("Bad Gateway", Some("7")));
    let vary: Vec<_> = received.headers.get_all("vary").iter().collect();
    assert_eq!(vary, ["origin", "accept"]);
}

#[tokio::test]
async fn the_outermost_of_two_layers_decides() {
    let inner = AnswerLayer::new().always(AnswerForm::Text);
    let layers = ServiceBuilder::new().layer(AnswerLayer::new()).layer(HandlerLayer::new(closed())).layer(inner);
    let server = serve(Router::new().route("/", on_get(order)).layer(layers)).await;
    let received = server.get_accepting("/", "application/json").await;
    assert_eq!((received.body.as_str(), received.header("vary")), (PROBLEM, Some("accept")));
}

#[tokio::test]
async fn responses_that_were_changed_and_those_of_others_pass_through() {
    let changed = async || (StatusCode::IM_A_TEAPOT, order().await.unwrap_err());
    let squeezed = async || {
        let mut response = order().await.unwrap_err().into_response();
        response.headers_mut().insert("content-encoding", HeaderValue::from_static("x-squeezed"));
        *response.body_mut() = "squeezed".into();
        response
    };
    let others = async || (StatusCode::BAD_GATEWAY, [("content-type", "text/html")], "<p>broken</p>");
    let routes = Router::new()
        .route("/changed", on_get(changed))
        .route("/squeezed", on_get(squeezed))
        .route("/others", on_get(others))
        .layer(AnswerLayer::new());
    let server = serve(routes).await;
    let changed = server.get_accepting("/changed", "text/plain").await;
    assert_eq!((changed.status, changed.body.as_str()), (418, PROBLEM));
    let squeezed = server.get_accepting("/squeezed", "text/plain").await;
    assert_eq!((squeezed.status, squeezed.body.as_str()), (502, "squeezed"));
    let others = server.get_accepting("/others", "text/plain").await;
    assert_eq!((others.header("content-type"), others.body.as_str()), (Some("text/html"), "<p>broken</p>"));
}

#[tokio::test]
async fn a_log_reads_the_answer_in_the_response() {
    let noted = async |response: Response| {
        let answer = Answer::of(&response).unwrap();
        let note = format!("{} {:?}", answer.stop_reason().unwrap(), answer.last_class());
        ([("x-note", note)], response).into_response()
    };
    let layers = ServiceBuilder::new().layer(axum::middleware::map_response(noted)).layer(HandlerLayer::new(open()));
    let server = serve(Router::new().route("/", on_get(order)).layer(layers)).await;
    assert_eq!(server.get("/").await.header("x-note"), Some("CIRCUIT_OPEN None"));

    let layers = ServiceBuilder::new().layer(axum::middleware::map_response(noted)).layer(AnswerLayer::new());
    let server = serve(Router::new().route("/", on_get(order)).layer(layers)).await;
    assert_eq!(server.get("/").await.header("x-note"), Some("MAX_ATTEMPTS_GLOBAL Some(Unknown)"));
}
