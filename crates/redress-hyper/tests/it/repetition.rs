//! What is sent again, and what is not.

use bytes::Bytes;
use http::header::HeaderValue;
use http::{HeaderName, Request, StatusCode};
use http_body_util::Full;
use redress_core::{CircuitBreaker, CircuitState, ErrorClass, OutcomeSummary, StopReason};
use redress_hyper::{RetryingClient, hyper_classifier};
use redress_tokio::AsyncPolicy;
use tokio::net::TcpListener;

use crate::server::{Script, answer, client, play, pooled, retry, serve, text};

#[tokio::test]
async fn a_get_is_sent_until_it_succeeds() {
    let server = serve(|_, number| answer(if number < 3 { 503 } else { 200 }, number.to_string())).await;
    let response = client(5).get(server.uri("/orders")).send().await.expect("a response");
    assert_eq!(response.status(), StatusCode::OK);
    let summary = response.extensions().get::<OutcomeSummary>().expect("a summary");
    assert_eq!((summary.attempts(), summary.stop_reason()), (3, None));
    assert_eq!(text(response.into_body()).await, "3");
}

#[tokio::test]
async fn a_bad_response_comes_back_whole_when_the_policy_gives_up() {
    let server = serve(|_, number| answer(500, format!("sorry {number}"))).await;
    let response = client(3).get(server.uri("/")).send().await.expect("a response");
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let summary = response.extensions().get::<OutcomeSummary>().expect("a summary");
    assert_eq!((summary.attempts(), summary.stop_reason()), (3, Some(StopReason::MaxAttemptsGlobal)));
    assert_eq!(text(response.into_body()).await, "sorry 3");
}

#[tokio::test]
async fn statuses_that_are_answers_are_not_retried() {
    for status in [400, 401, 403, 404, 422] {
        let server = serve(move |_, _| answer(status, "no")).await;
        let response = client(3).get(server.uri("/")).send().await.expect("a response");
        assert_eq!((response.status().as_u16(), server.seen().len()), (status, 1));
        assert!(response.extensions().get::<OutcomeSummary>().expect("a summary").is_ok());
    }
}

#[tokio::test]
async fn head_and_extensions_are_the_same_in_each_attempt() {
    let server = serve(|_, number| answer(if number < 3 { 503 } else { 200 }, "")).await;
    let request = Request::put(server.uri("/a?b=c")).header("x-id", "7").header("x-id", "8").body(Bytes::from("body"));
    client(3).send(request.expect("a request")).await.expect("a response");
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    for request in &seen {
        assert_eq!(request.head.uri, "/a?b=c");
        assert_eq!(request.head.headers, seen[0].head.headers);
        assert_eq!(request.head.headers.get_all("x-id").iter().count(), 2);
        assert_eq!(request.body, "body");
    }
}

#[tokio::test]
async fn a_post_is_sent_once_and_its_outcome_says_why() {
    let server = serve(|_, _| answer(503, "busy")).await;
    let outcome = client(3).post(server.uri("/"), "pay").execute().await;
    assert_eq!(outcome.stop_reason(), Some(StopReason::RetryForbidden));
    assert_eq!(outcome.retry_forbidden(), Some("not_idempotent"));
    assert_eq!(outcome.last_class(), Some(ErrorClass::ServerError));
    assert_eq!(server.seen().len(), 1);
    let response = outcome.into_last_failure().and_then(redress_core::Failure::into_result).expect("the response");
    assert_eq!(text(response.into_body()).await, "busy");
}

#[tokio::test]
async fn a_post_with_a_key_or_by_consent_is_sent_again() {
    let server = serve(|_, number| answer(if number % 2 == 1 { 503 } else { 200 }, "")).await;
    let key = (HeaderName::from_static("idempotency-key"), HeaderValue::from_static("\"k\""));
    let client = client(2);
    let keyed = client.post(server.uri("/"), "pay").header(key.0, key.1).execute().await;
    assert_eq!((keyed.attempts(), keyed.is_ok()), (2, true));
    let allowed = client.patch(server.uri("/"), "find").retry_non_idempotent(true).execute().await;
    assert_eq!((allowed.attempts(), allowed.is_ok()), (2, true));
}

#[tokio::test]
async fn a_post_that_never_left_is_sent_again() {
    // A port that nobody listens on.
    let address = TcpListener::bind("127.0.0.1:0").await.and_then(|listener| listener.local_addr()).expect("a port");
    let uri = format!("http://{address}/").parse().expect("a URI");
    let outcome = client(3).post(uri, "pay").execute().await;
    assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::MaxAttemptsGlobal), 3));
    let error = outcome.last_error().expect("an error");
    assert!(error.is_connect() && error.is_unsent(), "{error:?}");
    assert_eq!(outcome.last_class(), Some(ErrorClass::Transient));
}

#[tokio::test]
async fn a_post_whose_connection_ended_before_the_answer_is_not_sent_again() {
    let server = play(&[Script::Say("")]).await;
    let outcome = client(3).post(server.uri("/"), "pay").execute().await;
    assert_eq!(outcome.retry_forbidden(), Some("not_idempotent"));
    assert!(!outcome.last_error().expect("an error").is_unsent());
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn two_clients_share_a_breaker_and_posts_count() {
    let server = serve(|_, _| answer(503, "busy")).await;
    let breaker = CircuitBreaker::builder().failure_threshold(2).build().expect("a valid breaker");
    let client = || {
        let policy = AsyncPolicy::builder().classifier(hyper_classifier()).circuit_breaker(breaker.clone());
        RetryingClient::new(pooled::<Full<Bytes>>(), policy.retry(retry(1)).build().expect("a valid policy"))
    };
    let (first, second) = (client(), client());
    first.post(server.uri("/"), "").send().await.expect("a response");
    second.post(server.uri("/"), "").send().await.expect("a response");
    assert_eq!(first.policy().circuit_state(), Some(CircuitState::Open));
    let error = first.get(server.uri("/")).send().await.expect_err("rejected");
    assert_eq!(error.stop_reason(), StopReason::CircuitOpen);
    assert_eq!(server.seen().len(), 2);
}
