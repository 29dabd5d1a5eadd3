//! The blocking client: the same rules, and attempts that end in time without a thread.

use std::time::Duration;

use redress_core::{AbortHandle, CallContext, CallError, Cause, Classification, ErrorClass, Policy, StopReason};
use redress_fixtures::script_server::Server;
use redress_reqwest::blocking::{RequestOutcome, RetryingClient, client_builder, outcome, request_with_retry};
use redress_reqwest::{ReqwestClassifier, reqwest_classifier};
use tokio::runtime::Runtime;

use crate::support::{BUSY, Log, OK, bad, closed_port, plain, retry};

type Client = RetryingClient<Policy<ReqwestClassifier>>;

fn builder() -> redress_core::policy::PolicyBuilder<ReqwestClassifier, redress_core::policy::Blocking> {
    Policy::builder().classifier(reqwest_classifier()).retry(retry())
}

fn client_with(policy: Policy<ReqwestClassifier>) -> Client {
    let _ = plain();
    RetryingClient::new(client_builder().no_proxy().tls_certs_only([]).build().unwrap(), policy)
}

fn client() -> Client {
    client_with(builder().build().unwrap())
}

/// A client that has been configured before it was given to `RetryingClient`.
fn client_named(user_agent: &str) -> Client {
    let _ = plain();
    let http = client_builder().no_proxy().tls_certs_only([]).user_agent(user_agent).build().unwrap();
    RetryingClient::new(http, builder().build().unwrap())
}

/// A server on a runtime that runs beside the test.
struct Beside {
    server: Server,
    _runtime: Runtime,
}

impl Beside {
    fn answers(answers: &[&str]) -> Self {
        Self::run(Server::answers(answers))
    }

    fn silent() -> Self {
        Self::run(Server::start(|mut peer| async move { peer.closed().await }))
    }

    fn run(start: impl Future<Output = Server>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self { server: runtime.block_on(start), _runtime: runtime }
    }

    fn url(&self, path: &str) -> String {
        self.server.uri(path).to_string()
    }
}

fn closed() -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    format!("http://{}/", runtime.block_on(closed_port()))
}

fn end(outcome: &RequestOutcome) -> (u32, Option<StopReason>, Option<&'static str>) {
    (outcome.attempts(), outcome.stop_reason(), outcome.retry_forbidden())
}

#[test]
fn a_request_is_retried_as_reqwest_would_send_it() {
    let beside = Beside::answers(&[BUSY, BUSY, OK]);
    let client = client();
    let response =
        client.put(beside.url("/orders")).bearer_auth("secret").with(|request| request.json(&["a"])).send().unwrap();
    assert_eq!(outcome(&response).unwrap().attempts(), 3);
    assert_eq!(response.error_for_status().unwrap().text().unwrap(), "fine");
    for request in beside.server.arrived() {
        assert_eq!((request.header("authorization"), &*request.body), (Some("Bearer secret"), &br#"["a"]"#[..]));
    }
}

#[test]
fn every_way_to_send() {
    let beside = Beside::answers(&[OK]);
    let (client, url) = (client_named("orders"), beside.url("/"));
    client.send(client.client().get(&url)).unwrap();
    request_with_retry(client.policy(), client.client().get(&url)).unwrap();
    assert!(client.execute(client.client().get(&url)).is_ok());
    for request in [client.get(&url), client.head(&url), client.delete(&url), client.patch(&url), client.post(&url)] {
        request.headers(http::HeaderMap::new()).basic_auth("me", Some("x")).send().unwrap();
    }
    let methods: Vec<_> =
        beside.server.arrived().iter().map(|it| it.line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(methods, ["GET", "GET", "GET", "GET", "HEAD", "DELETE", "PATCH", "POST"]);
    assert!(beside.server.arrived().iter().all(|it| it.header("user-agent") == Some("orders")));
}

#[test]
fn a_response_that_the_policy_gives_up_on_is_whole() {
    let beside = Beside::answers(&[BUSY]);
    let response = client().get(beside.url("/a?b")).send().unwrap();
    assert_eq!(outcome(&response).unwrap().stop_reason(), Some(StopReason::MaxAttempts));
    assert_eq!((response.url().path(), response.status().as_u16()), ("/a", 503));
    assert_eq!(response.text().unwrap(), "busy");
}

#[test]
fn an_attempt_ends_in_its_time_without_a_thread() {
    let beside = Beside::silent();
    let policy = builder().attempt_timeout(Duration::from_millis(5)).build().unwrap();
    let outcome = client_with(policy).get(beside.url("/")).execute();
    assert_eq!(end(&outcome), (3, Some(StopReason::MaxAttempts), None));
    assert_eq!(outcome.cause(), Some(Cause::Timeout));
}

#[test]
fn the_shorter_timeout_counts() {
    let beside = Beside::silent();
    let day = Duration::from_secs(86400);
    let short = Duration::from_millis(5);
    let patient = client_with(builder().attempt_timeout(day).no_deadline().build().unwrap());
    assert_eq!(patient.get(beside.url("/")).timeout(short).execute().cause(), Some(Cause::Timeout));
    let hurried = client_with(builder().attempt_timeout(short).build().unwrap());
    assert_eq!(hurried.get(beside.url("/")).timeout(day).execute().cause(), Some(Cause::Timeout));
    let context = CallContext::new().deadline(Duration::from_millis(20));
    let late = patient.get(beside.url("/")).context(context).execute();
    assert_eq!(end(&late), (1, Some(StopReason::DeadlineExceeded), None));
}

#[test]
fn a_custom_classifier_decides_and_the_guard_forbids() {
    let beside = Beside::silent();
    let own = |result: &Result<reqwest::blocking::Response, reqwest::Error>| {
        result.is_err().then_some(Classification::new(ErrorClass::Transient))
    };
    let policy = Policy::builder().classifier(own).retry(retry()).attempt_timeout(Duration::from_millis(5));
    let client = RetryingClient::new(client().client().clone(), policy.build().unwrap());
    let outcome = client.get(beside.url("/")).execute();
    assert_eq!((outcome.attempts(), outcome.cause()), (3, Some(Cause::Timeout)));
    assert_eq!(client.post(beside.url("/")).execute().retry_forbidden(), Some("not_idempotent"));
}

#[test]
fn the_reason_of_a_custom_classifier_is_kept() {
    let beside = Beside::answers(&[BUSY]);
    let own = |_: &Result<reqwest::blocking::Response, reqwest::Error>| {
        Some(Classification::new(ErrorClass::ServerError).forbid_retry("maintenance"))
    };
    let policy = Policy::builder().classifier(own).retry(retry()).build().unwrap();
    let client = RetryingClient::new(client().client().clone(), policy);
    assert_eq!(client.post(beside.url("/")).execute().retry_forbidden(), Some("maintenance"));
}

#[test]
fn its_settings_are_printed() {
    let client = client();
    let printed = format!("{client:?} {:?}", client.get("http://localhost/").operation("orders"));
    assert!(printed.starts_with("RetryingClient { settings: Settings {"), "{printed}");
    assert!(printed.contains("RetryingRequest { own: Own { name: Some(\"orders\")"), "{printed}");
}

#[test]
fn a_classifier_without_an_opinion_does_not_allow_a_repetition() {
    let beside = Beside::silent();
    let own = |_: &Result<reqwest::blocking::Response, reqwest::Error>| None::<ErrorClass>;
    let policy = Policy::builder().classifier(own).retry(retry()).attempt_timeout(Duration::from_millis(5));
    let client = RetryingClient::new(client().client().clone(), policy.build().unwrap());
    assert_eq!(client.post(beside.url("/")).execute().attempts(), 1);
    assert_eq!(client.get(beside.url("/")).execute().attempts(), 3);
}

#[test]
fn a_post_is_sent_again_only_where_nothing_was_done() {
    for (status, attempts) in [(503, 1), (429, 1), (421, 2), (425, 2)] {
        let beside = Beside::answers(&[&bad(status, ""), OK]);
        let outcome = client().post(beside.url("/")).body("order").execute();
        assert_eq!(outcome.attempts(), attempts, "{status}");
    }
    let refused = client().post(closed()).execute();
    assert_eq!(end(&refused), (1, Some(StopReason::RetryForbidden), Some("not_idempotent")));
    assert_eq!(refused.cause(), Some(Cause::Error));
    let no_redirects =
        client_builder().no_proxy().tls_certs_only([]).redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let client = RetryingClient::new(no_redirects, builder().build().unwrap()).follows_redirects(false);
    assert_eq!(client.post(closed()).execute().attempts(), 3);
    assert_eq!(client.get(closed()).execute().attempts(), 3);
}

#[test]
fn keys_permissions_and_streams() {
    let beside = Beside::answers(&[BUSY]);
    let (client, url) = (client(), beside.url("/"));
    assert_eq!(client.post(&url).header("idempotency-key", "7").execute().attempts(), 3);
    assert_eq!(client.post(&url).retry_non_idempotent(true).execute().attempts(), 3);
    let stream = reqwest::blocking::Body::new(std::io::Cursor::new("order"));
    let outcome = client.put(&url).body(stream).execute();
    assert_eq!(end(&outcome), (1, Some(StopReason::RetryForbidden), Some("streaming_body")));
}

#[test]
fn settings_of_the_client_and_of_a_request() {
    let beside = Beside::answers(&[BUSY]);
    let (log, url) = (Log::default(), beside.url("/orders/7"));
    let once = builder().retry(retry().max_attempts(1)).observer(log.clone()).build().unwrap();
    let client = client_with(once);
    client.get(&url).send().unwrap();
    client.get(&url).operation("request").send().unwrap();
    client.clone().operation("client").get(&url).send().unwrap();
    let names: Vec<_> = log.lines().iter().map(|line| line.split(" max").next().unwrap().to_owned()).collect();
    assert_eq!(names, ["GET /orders/7", "request", "client"]);

    let shutdown = AbortHandle::new();
    shutdown.abort();
    assert_eq!(client.clone().abort_on(&shutdown).get(&url).execute().stop_reason(), Some(StopReason::Aborted));
    let thrice = builder().build().unwrap();
    assert_eq!(client.get(&url).policy(&thrice).execute().attempts(), 3);
    let by_path = client.clone().policy_provider(move |head| (head.uri.path() == "/orders/7").then(|| thrice.clone()));
    assert_eq!(by_path.get(&url).execute().attempts(), 3);
    assert_eq!(by_path.bypass_if(|_| true).get(&url).execute().attempts(), 1);
    let telling = client.clone().send_deadline(true).send_attempt(true);
    telling.get(&url).send().unwrap();
    let sent = beside.server.arrived().last().unwrap().clone();
    assert_eq!(sent.header("x-envoy-attempt-count"), Some("1"));
    assert!(sent.header("x-envoy-expected-rq-timeout-ms").unwrap().parse::<u64>().unwrap() <= 60_000);
    let numbered = client.attempt_headers(|headers, attempt| {
        headers.insert("x-attempt", attempt.number().into());
    });
    numbered.get(&url).send().unwrap();
    assert_eq!(beside.server.arrived().last().unwrap().header("x-attempt"), Some("1"));
}

#[test]
fn errors_keep_secrets() {
    let url = closed().replace("http://", "http://me:hunter2@") + "?token=hunter2";
    let error = client().get(url).send().unwrap_err();
    assert!(matches!(error, CallError::Failed(_)), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    let never = client().get("no scheme").execute();
    assert_eq!(end(&never), (0, Some(StopReason::NonRetryableClass), None));
}
