//! Names, deadlines, handles, contexts, headers, policies and bypasses, of the client and of a
//! request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redress_core::{AbortHandle, CallContext, CircuitBreaker, StopReason};
use redress_fixtures::script_server::Server;
use redress_reqwest::{Head, RetryingClient};

use crate::support::{BUSY, Log, OK, TestPolicy, builder, client, client_with, policy, retry};

fn is_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_can_be_spawned() {
    let server = Server::answers(&[OK]).await;
    let (client, url) = (client(), server.uri("/").to_string());
    let calls = (0..8).map(|_| {
        let (client, url) = (client.clone(), url.clone());
        tokio::spawn(async move { client.put(url).body("x").send().await.map(|response| response.status()) })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().unwrap(), 200);
    }
    drop(is_send(client.get(&url).execute()));
}

async fn names(set: impl Fn(&Log) -> RetryingClient<TestPolicy>) -> Vec<String> {
    let server = Server::answers(&[OK]).await;
    let log = Log::default();
    set(&log).get(server.uri("/orders/7").to_string()).send().await.unwrap();
    log.lines()
}

#[tokio::test]
async fn operations_are_named() {
    let watched = |log: &Log| client_with(builder().observer(log.clone()).build().unwrap());
    assert_eq!(names(watched).await, ["GET /orders/7 success - -"]);
    assert_eq!(names(|log| watched(log).operation("orders")).await, ["orders success - -"]);
    let by_route = |log: &Log| watched(log).operation_for(|head| format!("{} /orders/{{id}}", head.method).into());
    assert_eq!(names(by_route).await, ["GET /orders/{id} success - -"]);
    let of_context =
        |log: &Log| watched(log).operation("client").context_for(|_| CallContext::new().operation("context"));
    assert_eq!(names(of_context).await, ["context success - -"]);

    let server = Server::answers(&[OK]).await;
    let log = Log::default();
    let client = watched(&log).operation("client");
    client.get(server.uri("/").to_string()).operation("request").send().await.unwrap();
    assert_eq!(log.lines(), ["request success - -"]);
}

/// The URL of a head is made only if it is read.
#[tokio::test]
async fn a_head_has_its_url_wherever_it_is_read() {
    let server = Server::answers(&[OK]).await;
    let (url, log) = (server.uri("/orders/7").to_string(), Log::default());
    client().get(&url).context(CallContext::new().observer(log.clone())).send().await.unwrap();
    let watched = builder().observer(log.clone()).build().unwrap();
    client().get(&url).policy(&watched).send().await.unwrap();
    assert_eq!(log.lines(), ["GET /orders/7 success - -"; 2]);

    let uris = Arc::new(Mutex::new(Vec::new()));
    let read = || {
        let uris = Arc::clone(&uris);
        move |head: &Head<'_>| uris.lock().unwrap().push(head.uri.to_string())
    };
    let (chooses, bypasses, sets) = (read(), read(), read());
    let clients = [
        client().policy_provider(move |head| {
            chooses(head);
            None
        }),
        client().bypass_if(move |head| {
            bypasses(head);
            false
        }),
        client().context_for(move |head| {
            sets(head);
            CallContext::new()
        }),
    ];
    for client in clients {
        client.get(&url).send().await.unwrap();
    }
    assert_eq!(*uris.lock().unwrap(), [url.as_str(); 3]);
}

#[tokio::test]
async fn a_bypass_makes_one_attempt_and_no_event() {
    let server = Server::answers(&[BUSY]).await;
    let log = Log::default();
    let client =
        client_with(builder().observer(log.clone()).build().unwrap()).bypass_if(|head| head.uri.path() == "/health");
    let health = server.uri("/health").to_string();
    assert_eq!(client.get(&health).execute().await.attempts(), 1);
    assert!(log.lines().is_empty());
    assert_eq!(client.get(&health).bypass(false).execute().await.attempts(), 3);
    assert_eq!(client.get(server.uri("/").to_string()).bypass(true).execute().await.attempts(), 1);
}

#[tokio::test]
async fn headers_are_prepared_for_each_attempt() {
    let server = Server::answers(&[BUSY, BUSY, OK]).await;
    let client = client().attempt_headers(|headers, attempt| {
        headers.append("x-attempt", attempt.number().into());
    });
    client.get(server.uri("/").to_string()).send().await.unwrap();
    let sent: Vec<_> = server.arrived().iter().map(|it| it.header("x-attempt").unwrap().to_owned()).collect();
    assert_eq!(sent, ["1", "2", "3"]);
}

#[tokio::test]
async fn the_time_left_and_the_number_of_an_attempt_are_sent_if_asked_for() {
    let server = Server::answers(&[BUSY, BUSY, OK]).await;
    let url = server.uri("/").to_string();
    // The policy's deadline is a minute.
    let silent = client();
    silent.clone().send_deadline(true).send_attempt(true).get(&url).send().await.unwrap();
    silent.get(&url).send().await.unwrap();
    let of = |name: &str| server.numbers(name);
    assert_eq!(of("x-envoy-attempt-count"), [Some(1), Some(2), Some(3), None]);
    let left = of("x-envoy-expected-rq-timeout-ms");
    assert!(left[..3].is_sorted_by(|before, after| before >= after), "{left:?}");
    assert!(left[..3].iter().all(|left| (1..=60_000).contains(&left.unwrap())), "{left:?}");
    assert_eq!(left[3], None);
}

#[tokio::test]
async fn handles_and_deadlines_end_calls() {
    let server = Server::answers(&[BUSY]).await;
    let url = server.uri("/").to_string();
    let shutdown = AbortHandle::new();
    shutdown.abort();
    let outcome = client().abort_on(&shutdown).get(&url).execute().await;
    assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::Aborted), 0));

    let late = client().deadline(Duration::ZERO).get(&url).execute().await;
    assert_eq!((late.stop_reason(), late.attempts()), (Some(StopReason::DeadlineExceeded), 0));
    let own = CallContext::new().deadline(Duration::ZERO);
    assert_eq!(client().get(&url).context(own).execute().await.stop_reason(), Some(StopReason::DeadlineExceeded));
    assert!(server.arrived().is_empty());
}

#[tokio::test]
async fn each_host_has_its_policy() {
    let server = Server::answers(&[BUSY]).await;
    let breaker = || CircuitBreaker::builder().failure_threshold(1);
    let base = policy();
    let hosts: HashMap<&str, _> =
        ["127.0.0.1", "localhost"].map(|host| (host, base.with_circuit_breaker(breaker()).unwrap())).into();
    let client = client().policy_provider(move |head| hosts.get(head.uri.host()?).cloned());
    let stop = async |host: &str| {
        let url = format!("http://{host}:{}/", server.address().port());
        client.get(url).execute().await.stop_reason().unwrap()
    };
    assert_eq!(stop("127.0.0.1").await, StopReason::MaxAttempts);
    assert_eq!(stop("127.0.0.1").await, StopReason::CircuitOpen);
    assert_ne!(stop("localhost").await, StopReason::CircuitOpen);
}

#[tokio::test]
async fn each_host_and_each_key_has_a_breaker() {
    let server = Server::answers(&[BUSY]).await;
    let keyed = || policy().keyed(CircuitBreaker::builder().failure_threshold(1)).unwrap();
    let stop = async |client: &RetryingClient<TestPolicy>, host: &str, path: &str| {
        let url = format!("http://{host}:{}{path}", server.address().port());
        client.get(url).execute().await.stop_reason().unwrap()
    };
    let by_host = client().per_host(&keyed());
    assert_eq!(stop(&by_host, "127.0.0.1", "/").await, StopReason::MaxAttempts);
    assert_eq!(stop(&by_host, "127.0.0.1", "/other").await, StopReason::CircuitOpen);
    assert_ne!(stop(&by_host, "localhost", "/").await, StopReason::CircuitOpen);
    let by_path = client().per_key(&keyed(), |head| Some(head.uri.path().to_owned().into()));
    assert_eq!(stop(&by_path, "127.0.0.1", "/").await, StopReason::MaxAttempts);
    assert_eq!(stop(&by_path, "127.0.0.1", "/").await, StopReason::CircuitOpen);
    assert_eq!(stop(&by_path, "127.0.0.1", "/other").await, StopReason::MaxAttempts);
}

#[tokio::test]
async fn a_request_may_have_another_policy() {
    let server = Server::answers(&[BUSY]).await;
    let twice = builder().retry(retry().max_attempts(2)).build().unwrap();
    let client = client().operation("client");
    assert_eq!(client.policy().max_attempts(), 3);
    let outcome = client.get(server.uri("/").to_string()).drain(0, Duration::ZERO).policy(&twice).execute().await;
    assert_eq!(outcome.attempts(), 2);
}
