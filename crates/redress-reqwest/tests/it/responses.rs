//! What the caller gets of a response: whole if the policy gives up on it, and its connection
//! reused if not.

use std::time::Duration;

use redress_core::{AbortHandle, CallContext, SleepDecision, StopReason};
use redress_fixtures::script_server::Server;
use redress_reqwest::outcome;

use crate::support::{BUSY, HOUR, OK, bad, builder, client, client_with, retry};

#[tokio::test]
async fn a_response_that_the_policy_gives_up_on_is_whole() {
    let server = Server::answers(&[BUSY]).await;
    let url = server.uri("/a?b=c").to_string();
    let response = client().get(&url).send().await.unwrap();
    let summary = outcome(&response).unwrap().clone();
    assert_eq!((summary.attempts(), summary.stop_reason()), (3, Some(StopReason::MaxAttempts)));
    assert_eq!((response.status().as_u16(), response.url().as_str()), (503, &*url));
    assert_eq!((response.content_length(), response.remote_addr()), (Some(4), Some(server.address())));
    assert_eq!(response.text().await.unwrap(), "busy");
}

#[tokio::test]
async fn error_for_status_works_afterwards() {
    let server = Server::answers(&[BUSY]).await;
    let response = client().get(server.uri("/").to_string()).send().await.unwrap();
    let error = response.error_for_status().unwrap_err();
    assert_eq!(error.status().unwrap(), 503);
    assert!(error.url().unwrap().as_str().starts_with("http://127.0.0.1"));
}

#[tokio::test]
async fn a_response_that_is_retried_frees_its_connection() {
    let server = Server::answers(&[BUSY, BUSY, OK]).await;
    let response = client().get(server.uri("/").to_string()).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "fine");
    assert_eq!(server.connections(), [0, 0, 0]);
}

#[tokio::test]
async fn a_response_that_is_longer_than_the_bound_closes_its_connection() {
    // Longer than what arrives together with the head, which hyper reads in any case.
    for (length, bound, connections) in [(60_000, 60_000, [0, 0]), (60_000, 0, [0, 1]), (100_000, 65536, [0, 1])] {
        let long = format!("HTTP/1.1 503 x\r\ncontent-length: {length}\r\n\r\n{}", "x".repeat(length));
        let server = Server::answers(&[&long, OK]).await;
        let response = client().drain(bound, HOUR).get(server.uri("/").to_string()).send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), "fine");
        assert_eq!(server.connections(), connections, "{length} {bound}");
    }
}

#[tokio::test]
async fn a_body_without_end_is_not_read_to_its_end() {
    let server = Server::start(|mut peer| async move {
        if peer.next().await == Some(0) {
            peer.send("HTTP/1.1 503 x\r\ntransfer-encoding: chunked\r\n\r\n").await;
            while peer.send(format!("1000\r\n{}\r\n", "x".repeat(4096))).await {}
        } else {
            peer.send(OK).await;
        }
    })
    .await;
    let response = client().get(server.uri("/").to_string()).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "fine");
}

#[tokio::test]
async fn a_slow_body_is_read_for_as_long_as_is_allowed() {
    let server = Server::start(|mut peer| async move {
        if peer.next().await == Some(0) {
            peer.send("HTTP/1.1 503 x\r\ncontent-length: 10\r\n\r\nslow").await;
            peer.closed().await;
        } else {
            peer.send(OK).await;
        }
    })
    .await;
    let client = client().drain(65536, Duration::from_millis(1));
    let response = client.get(server.uri("/").to_string()).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "fine");
}

#[tokio::test]
async fn a_call_that_ends_in_the_wait_has_what_was_read() {
    let (read, unread) =
        ("HTTP/1.1 503 x\r\ncontent-length: 4\r\n\r\nbusy", "HTTP/1.1 503 x\r\ncontent-length: 9\r\n\r\nbusy");
    for (answer, is_whole) in [(read, true), (unread, false)] {
        let server = Server::start(move |mut peer| async move {
            while peer.next().await.is_some() {
                peer.send(answer).await;
            }
        })
        .await;
        let gave_up = AbortHandle::new();
        let on_sleep = gave_up.clone();
        let context = CallContext::new().abort_on(&gave_up).before_sleep(move |_, _| on_sleep.abort());
        let drain = if is_whole { HOUR } else { Duration::from_millis(20) };
        let client =
            client_with(builder().retry(retry().strategy(redress_core::fixed(HOUR))).no_deadline().build().unwrap())
                .drain(65536, drain);
        let outcome = client.get(server.uri("/").to_string()).context(context).execute().await;
        assert_eq!(outcome.stop_reason(), Some(StopReason::Aborted));
        let failure = outcome.into_last_failure();
        let response = failure.and_then(redress_core::error::Failure::into_result).unwrap();
        assert_eq!(response.content_length(), is_whole.then_some(4));
        match response.text().await {
            Ok(text) => assert!(is_whole && text == "busy"),
            Err(error) => {
                assert!(!is_whole);
                let source = redress_core::classify::source_chain(&error).last().unwrap().to_string();
                assert_eq!(source, "the rest of the body was dropped before a retry");
            }
        }
    }
}

#[tokio::test]
async fn a_hint_that_does_not_fit_is_handed_back_with_the_response() {
    let server = Server::answers(&[&bad(429, "retry-after: 120\r\n")]).await;
    let client = client_with(builder().deadline(Duration::from_secs(10)).build().unwrap());
    let response = client.get(server.uri("/").to_string()).send().await.unwrap();
    let summary = outcome(&response).unwrap();
    assert_eq!((summary.attempts(), summary.stop_reason()), (1, Some(StopReason::DeadlineExceeded)));
    assert_eq!(summary.retry_in(), Some(Duration::from_secs(120)));
}

#[tokio::test]
async fn an_attempt_is_cut_at_its_timeout() {
    let server = Server::start(|mut peer| async move { peer.closed().await }).await;
    let client = client_with(builder().attempt_timeout(Duration::from_millis(1)).build().unwrap());
    let outcome = client.get(server.uri("/").to_string()).execute().await;
    assert_eq!((outcome.attempts(), outcome.cause()), (3, Some(redress_core::Cause::Timeout)));
}

#[tokio::test]
async fn a_deferred_call_hands_its_response_back_whole() {
    let server = Server::answers(&[BUSY]).await;
    let context = CallContext::new().sleep_handler(|_, _| SleepDecision::Defer);
    let url = server.uri("/a?b=c").to_string();
    let outcome = client().get(&url).context(context).execute().await;
    assert_eq!(outcome.stop_reason(), Some(StopReason::Scheduled));
    // It was read ahead, because it could have been retried.
    let response = outcome.into_last_value().unwrap();
    assert_eq!((response.status().as_u16(), response.url().as_str()), (503, &*url));
    assert_eq!((response.content_length(), response.remote_addr()), (Some(4), Some(server.address())));
    assert_eq!(response.text().await.unwrap(), "busy");
}
