//! Each ending of a call in a handler, as the response that its caller receives.

use std::future::pending;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get as on_get;
use redress_axum::Unserved;
use redress_core::classify::error_classifier;
use redress_core::{
    AbortHandle, Budget, CircuitBreaker, Classification, ErrorClass, Retry, SleepDecision, StopReason, fixed,
};
use redress_tokio::AsyncPolicy;

use crate::server::{Received, at_once, serve};

const SECRET: &str = "password=hunter2";

/// The body of a status with this phrase.
fn problem(status: u16, title: &str) -> String {
    format!(r#"{{"type":"about:blank","title":"{title}","status":{status}}}"#)
}

/// Serves one call that ends so, and checks that its response tells nothing of the dependency.
async fn answered<F>(call: impl Fn() -> F + Clone + Send + Sync + 'static) -> Received
where
    F: Future<Output = Result<String, Unserved>> + Send + 'static,
{
    let server = serve(Router::new().route("/orders/{id}", on_get(call))).await;
    let received = server.get("/orders/7").await;
    assert!(!format!("{received:?}").contains("hunter2"), "{received:?}");
    assert_eq!(received.header("content-type"), Some("application/problem+json"));
    assert_eq!(received.header("vary"), None);
    let parsed: serde_json::Value = serde_json::from_str(&received.body).unwrap();
    assert_eq!(parsed["status"], received.status);
    received
}

async fn failing() -> io::Result<String> {
    Err(io::Error::other(SECRET))
}

fn expect(received: &Received, status: u16, title: &str, retry_after: Option<&str>) {
    assert_eq!((received.status, received.header("retry-after")), (status, retry_after), "{received:?}");
    assert_eq!(received.body, problem(status, title));
}

#[tokio::test]
async fn a_success_passes_through() {
    let policy: AsyncPolicy = AsyncPolicy::builder().build().unwrap();
    let order = async |State(policy): State<AsyncPolicy>| {
        Ok::<_, Unserved>(policy.call(async || io::Result::Ok("order 7".to_owned())).await?)
    };
    let server = serve(Router::new().route("/", on_get(order)).with_state(policy)).await;
    let received = server.get("/").await;
    assert_eq!((received.status, received.body.as_str()), (200, "order 7"));
}

#[tokio::test]
async fn an_open_circuit_is_503_with_the_time_to_its_probe() {
    let breaker = CircuitBreaker::builder().name(SECRET).failure_threshold(1).recovery_timeout(Duration::from_secs(30));
    let policy: AsyncPolicy = AsyncPolicy::builder().circuit_breaker(breaker).build().unwrap();
    policy.call(async || Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionReset))).await.unwrap_err();
    let received = answered(move || {
        let policy = policy.clone();
        async move { Ok(policy.call(failing).await?) }
    })
    .await;
    expect(&received, 503, "Service Unavailable", Some("30"));
}

#[tokio::test]
async fn attempts_that_are_used_up_are_answered_by_class() {
    let rows = [
        (ErrorClass::ServerError, 502, "Bad Gateway"),
        (ErrorClass::Transient, 502, "Bad Gateway"),
        (ErrorClass::Unknown, 502, "Bad Gateway"),
        (ErrorClass::Permanent, 502, "Bad Gateway"),
        (ErrorClass::Auth, 502, "Bad Gateway"),
        (ErrorClass::Permission, 502, "Bad Gateway"),
        (ErrorClass::RateLimit, 503, "Service Unavailable"),
        (ErrorClass::Concurrency, 503, "Service Unavailable"),
    ];
    for (class, status, title) in rows {
        let classifier = error_classifier(move |_: &io::Error| class);
        let policy = AsyncPolicy::builder().classifier(classifier).retry(at_once(3)).build().unwrap();
        let received = answered(move || {
            let policy = policy.clone();
            async move { Ok(policy.operation(SECRET).call(failing).await?) }
        })
        .await;
        expect(&received, status, title, None);
    }
}

#[tokio::test]
async fn a_timeout_and_a_deadline_are_504() {
    let cut = AsyncPolicy::builder().retry(at_once(2)).attempt_timeout(Duration::from_millis(1)).build().unwrap();
    let late = AsyncPolicy::builder().retry(at_once(2)).deadline(Duration::from_millis(1)).build().unwrap();
    for (policy, reason) in [(cut, StopReason::MaxAttempts), (late, StopReason::DeadlineExceeded)] {
        let policy: AsyncPolicy = policy;
        let received = answered(move || {
            let policy = policy.clone();
            async move {
                let ended = policy.call(pending::<io::Result<String>>).await.unwrap_err();
                assert_eq!(ended.stop_reason(), reason);
                Err(Unserved::from(ended))
            }
        })
        .await;
        expect(&received, 504, "Gateway Timeout", None);
    }
}

#[tokio::test]
async fn a_hint_beyond_the_deadline_is_passed_on_with_503() {
    let limited = Classification::new(ErrorClass::RateLimit).with_retry_after(Duration::from_millis(59_001));
    let classifier = error_classifier(move |_: &io::Error| limited.clone());
    let builder = AsyncPolicy::builder().classifier(classifier).retry(at_once(3));
    let policy = builder.deadline(Duration::from_secs(10)).build().unwrap();
    let received = answered(move || {
        let policy = policy.clone();
        async move { Ok(policy.call(failing).await?) }
    })
    .await;
    expect(&received, 503, "Service Unavailable", Some("60"));
}

#[tokio::test]
async fn a_spent_budget_is_503() {
    let budget = Budget::new(1, Duration::from_secs(60)).unwrap();
    let policy: AsyncPolicy = AsyncPolicy::builder().retry(at_once(9).budget(budget)).build().unwrap();
    let received = answered(move || {
        let policy = policy.clone();
        async move {
            let ended = policy.call(failing).await.unwrap_err();
            assert_eq!(ended.stop_reason(), StopReason::BudgetExhausted);
            Err(Unserved::from(ended))
        }
    })
    .await;
    expect(&received, 503, "Service Unavailable", None);
}

#[tokio::test]
async fn a_deferral_is_503_with_its_delay() {
    let retry = Retry::builder().strategy(fixed(Duration::from_secs(7)));
    let builder = AsyncPolicy::builder().retry(retry).sleep_handler(|_, _| SleepDecision::Defer);
    let policy: AsyncPolicy = builder.build().unwrap();
    let received = answered(move || {
        let policy = policy.clone();
        async move { Ok(policy.call(failing).await?) }
    })
    .await;
    expect(&received, 503, "Service Unavailable", Some("7"));
}

#[tokio::test]
async fn an_abort_is_503() {
    let shutdown = AbortHandle::new();
    shutdown.abort();
    let policy: AsyncPolicy = AsyncPolicy::builder().abort_on(&shutdown).build().unwrap();
    let received = answered(move || {
        let policy = policy.clone();
        async move { Ok(policy.call(failing).await?) }
    })
    .await;
    expect(&received, 503, "Service Unavailable", None);
}

#[tokio::test]
async fn an_outcome_is_answered_as_its_error_is() {
    let policy: AsyncPolicy = AsyncPolicy::builder().build().unwrap();
    let received = answered(move || {
        let policy = policy.clone();
        async move {
            let fine = policy.execute(async || io::Result::Ok(())).await;
            Unserved::unless_ok(fine.summary())?;
            let outcome = policy.execute(failing).await;
            Unserved::unless_ok(outcome.summary())?;
            panic!("the outcome is a failure")
        }
    })
    .await;
    expect(&received, 502, "Bad Gateway", None);
}

#[tokio::test]
async fn an_error_is_displayed_without_the_dependency_s() {
    let policy: AsyncPolicy = AsyncPolicy::builder().build().unwrap();
    let unserved = Unserved::from(policy.operation("load").call(failing).await.unwrap_err());
    assert_eq!(unserved.to_string(), "answered with 502 Bad Gateway: the attempts allowed were used up");
    assert_eq!(unserved.answer().operation(), Some("load"));
    assert!(!format!("{unserved:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_failure_outside_of_a_call_is_answered_by_its_class() {
    let unreadable =
        || async { Ok::<_, Unserved>("many".parse::<u32>().map_err(|_| ErrorClass::Permanent)?.to_string()) };
    expect(&answered(unreadable).await, 502, "Bad Gateway", None);
    assert_eq!(Unserved::from(ErrorClass::RateLimit).to_string(), "answered with 503 Service Unavailable");
}
