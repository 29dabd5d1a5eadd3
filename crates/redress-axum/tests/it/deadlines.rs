//! The time left: from a layer outside to the call, and from the call to its handler.

use std::future::pending;
use std::io;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::get as on_get;
use http_body_util::Full;
use redress_axum::{DeadlineLayer, HandlerLayer, Late, Unserved};
use redress_core::policy::Deadline;
use redress_core::{AbortHandle, CallContext, StopReason};
use redress_tokio::{AsyncPolicy, TokioTimer};
use tower::ServiceBuilder;

use crate::server::{HandlerPolicy, at_once, of_handlers, serve};

const HOUR: Duration = Duration::from_secs(3_600);
const AT_ONCE: Duration = Duration::from_millis(1);

fn unbounded() -> HandlerPolicy {
    of_handlers().no_deadline().build().unwrap()
}

/// Tells the time that its attempt has left, in seconds rounded up.
async fn told(left: Option<Extension<Deadline>>) -> String {
    match left {
        Some(Extension(deadline)) => (deadline.left(Instant::now()).as_secs() + 1).to_string(),
        None => "None".to_owned(),
    }
}

/// Gives a request its deadline, as a layer outside does.
fn ends_in(mut request: Request, time: Duration) -> Request {
    request.extensions_mut().insert(Deadline::after(time));
    request
}

#[tokio::test]
async fn a_handler_receives_the_deadline_of_its_attempt() {
    let both = of_handlers().deadline(HOUR * 2).attempt_timeout(HOUR).build().unwrap();
    let rows = [
        (HandlerLayer::new(both.clone()), "3600"),
        (HandlerLayer::new(both).deadline(HOUR / 2), "1800"),
        (HandlerLayer::new(unbounded()).context_for(|_| CallContext::new().deadline(HOUR / 4)), "900"),
        (HandlerLayer::new(unbounded()), "None"),
        (HandlerLayer::new(unbounded()).bypass_if(|_| true).deadline(HOUR), "None"),
        (HandlerLayer::new(unbounded()).deadline(Duration::MAX), "None"),
    ];
    for (layer, seconds) in rows {
        assert_eq!(serve(Router::new().route("/", on_get(told)).layer(layer)).await.get("/").await.body, seconds);
    }
}

#[tokio::test]
async fn a_deadline_of_a_layer_outside_ends_the_call_and_reaches_the_handler() {
    let rows = [
        (HandlerLayer::new(unbounded()), "3600"),
        (HandlerLayer::new(unbounded()).deadline(HOUR * 2), "3600"),
        (HandlerLayer::new(unbounded()).deadline(HOUR / 2), "1800"),
    ];
    for (layer, seconds) in rows {
        let layers = ServiceBuilder::new().map_request(|request| ends_in(request, HOUR)).layer(layer);
        assert_eq!(serve(Router::new().route("/", on_get(told)).layer(layers)).await.get("/").await.body, seconds);
    }
    let short =
        ServiceBuilder::new().map_request(|request| ends_in(request, AT_ONCE)).layer(HandlerLayer::new(unbounded()));
    let server = serve(Router::new().route("/", on_get(pending::<String>)).layer(short)).await;
    assert_eq!(server.get("/").await.status, 504);
}

#[tokio::test]
async fn a_caller_s_time_reaches_the_policy_and_the_handler() {
    const LEFT: &str = "x-envoy-expected-rq-timeout-ms";
    let deadlines = DeadlineLayer::new(TokioTimer);
    let handlers = HandlerLayer::new(unbounded()).deadline(HOUR * 2);
    let router = Router::new().route("/", on_get(told)).layer(handlers);
    let server = serve(router.clone().layer(deadlines.clone())).await;
    for (left, status, body) in [
        ("3600000", 200, "3600"),
        ("99999999999999999999999", 200, "7200"),
        ("soon", 200, "7200"),
        ("0", 504, r#"{"type":"about:blank","title":"Gateway Timeout","status":504}"#),
    ] {
        let received =
            server.send(server.request(Method::GET, "/").header(LEFT, left).body(Full::default()).unwrap()).await;
        assert_eq!((received.status, received.body.as_str()), (status, body), "{left}");
    }
    // Any response of axum refuses.
    let rudely = deadlines
        .respond_with(|late: &Late| (StatusCode::REQUEST_TIMEOUT, format!("{:?}", late.stage())).into_response());
    let server = serve(router.layer(rudely)).await;
    let received = server.send(server.request(Method::GET, "/").header(LEFT, "0").body(Full::default()).unwrap()).await;
    assert_eq!((received.status, received.body.as_str()), (408, "Arrival"));
}

#[tokio::test]
async fn a_handler_s_own_call_ends_with_its_caller_s_deadline() {
    let inner: AsyncPolicy = AsyncPolicy::builder().no_deadline().build().unwrap();
    let handler = move |Extension(deadline): Extension<Deadline>| {
        let inner = inner.clone();
        async move {
            let call = inner.context().deadline(deadline);
            let ended = call.call(pending::<io::Result<String>>).await.unwrap_err();
            assert_eq!(ended.stop_reason(), StopReason::DeadlineExceeded);
            Err::<String, _>(Unserved::from(ended))
        }
    };
    // The outer call may end first: both ends are the same answer.
    let layer = HandlerLayer::new(unbounded()).deadline(AT_ONCE);
    let received = serve(Router::new().route("/", on_get(handler)).layer(layer)).await.get("/").await;
    assert_eq!(received.status, 504);
}

#[tokio::test]
async fn a_handler_that_is_late_is_answered_for() {
    let layer = HandlerLayer::new(unbounded()).deadline(AT_ONCE);
    let server = serve(Router::new().route("/", on_get(pending::<String>)).layer(layer)).await;
    let received = server.get("/").await;
    assert_eq!(received.body, r#"{"type":"about:blank","title":"Gateway Timeout","status":504}"#);
}

#[tokio::test]
async fn a_shutdown_ends_calls_that_wait_for_their_handler() {
    let shutdown = AbortHandle::new();
    let layer = HandlerLayer::new(of_handlers().retry(at_once(3)).build().unwrap()).abort_on(&shutdown);
    let handler = move || {
        shutdown.abort();
        pending::<StatusCode>()
    };
    let received = serve(Router::new().route("/", on_get(handler)).layer(layer)).await.get("/").await;
    assert_eq!((received.status, received.header("retry-after")), (503, None));
}
