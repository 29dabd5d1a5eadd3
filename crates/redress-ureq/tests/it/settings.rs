//! Settings of the agent and of one request: names, policies, contexts, bypasses, headers.

use std::sync::{Arc, Mutex};

use redress::integration::ureq::RetryingAgent;
use redress::observe::EventName;
use redress::{AbortHandle, CallContext, CircuitBreaker, Event, StopReason};

use crate::support::{BUSY, OK, Server, agent, builder, policy};

/// The names of the calls of `send`, by its observer.
#[derive(Clone, Default)]
struct Names(Arc<Mutex<Vec<String>>>);

impl Names {
    fn context(&self) -> CallContext<'static, ()> {
        let names = self.clone();
        CallContext::new().on_metric(move |event: &Event<'_>| {
            if event.name == EventName::Success {
                names.0.lock().expect("no panic").push(event.operation.clone().unwrap_or_default().into_owned());
            }
        })
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

#[test]
fn a_call_has_the_most_specific_name() {
    let server = Server::answers([OK]);
    let names = Names::default();
    let uri = || server.uri("/orders/7?token=secret");
    let plain = agent(1);
    let send = |agent: &RetryingAgent<_>| assert!(agent.get(uri()).context(names.context()).run().is_ok());
    send(&plain);
    send(&plain.clone().operation("orders"));
    send(&plain.clone().operation_for(|head| format!("{} /orders/{{id}}", head.method).into()));
    let named = plain.clone().operation("orders").get(uri()).context(names.context().operation("of_context")).run();
    assert!(named.is_ok());
    let request = plain.get(uri()).context(names.context().operation("of_context")).operation("of_request");
    assert!(request.run().is_ok());
    let expected = ["GET /orders/7", "orders", "GET /orders/{id}", "of_context", "of_request"];
    assert_eq!(names.take(), expected);
}

#[test]
fn the_agents_context_and_the_requests_both_apply() {
    let server = Server::answers([BUSY]);
    let names = Names::default();
    let (of_agent, of_request) = (AbortHandle::new(), AbortHandle::new());
    let context = { names.context().abort_on(&of_agent) };
    let agent = agent(2).context_for(move |_| context.clone());
    for handle in [&of_request, &of_agent] {
        handle.abort();
        let request = agent.get(server.uri("/")).context(CallContext::new().abort_on(&of_request));
        assert_eq!(request.execute().stop_reason(), Some(StopReason::Aborted));
    }
    assert!(server.arrived().is_empty());
}

#[test]
fn a_policy_is_chosen_for_a_request() {
    let server = Server::answers([BUSY]);
    let writes = policy(3);
    let agent = agent(2).policy_provider(move |head| (head.method == "PUT").then(|| writes.clone()));
    assert_eq!(agent.get(server.uri("/")).execute().attempts(), 2);
    assert_eq!(agent.put(server.uri("/")).execute().attempts(), 3);
    assert_eq!(agent.put(server.uri("/")).policy(&policy(4)).execute().attempts(), 4);
    assert_eq!(agent.policy().max_attempts(), 2);
}

#[test]
fn each_host_and_each_key_has_a_breaker() {
    let server = Server::answers([BUSY]);
    let keyed = || policy(2).keyed(CircuitBreaker::builder().failure_threshold(1)).expect("keyed policies");
    let stop = |agent: &RetryingAgent<_>, uri| agent.get(uri).execute().stop_reason();
    let by_host = agent(2).per_host(&keyed());
    assert_eq!(stop(&by_host, server.uri("/")), Some(StopReason::MaxAttempts));
    assert_eq!(stop(&by_host, server.uri("/other")), Some(StopReason::CircuitOpen));
    let by_path = agent(2).per_key(&keyed(), |head| Some(head.uri.path().to_owned().into()));
    assert_eq!(stop(&by_path, server.uri("/")), Some(StopReason::MaxAttempts));
    assert_eq!(stop(&by_path, server.uri("/")), Some(StopReason::CircuitOpen));
    assert_eq!(stop(&by_path, server.uri("/other")), Some(StopReason::MaxAttempts));
}

#[test]
fn a_request_bypasses_the_policy() {
    let server = Server::answers([BUSY]);
    let names = Names::default();
    let context = names.context();
    let agent = agent(3).context_for(move |_| context.clone()).bypass_if(|head| head.uri.path() == "/health");
    assert_eq!(agent.get(server.uri("/health")).execute().attempts(), 1);
    assert_eq!(agent.get(server.uri("/health")).bypass(false).execute().attempts(), 3);
    assert_eq!(agent.get(server.uri("/")).bypass(true).execute().attempts(), 1);
    assert_eq!(agent.get(server.uri("/")).execute().attempts(), 3);
}

#[test]
fn headers_are_set_for_each_attempt() {
    let server = Server::answers([BUSY, OK]);
    let agent = agent(2).attempt_headers(|headers, attempt| {
        headers.append("x-attempt", attempt.number().into());
    });
    assert!(agent.get(server.uri("/")).header("x-id", "7").run().is_ok());
    let headers: Vec<_> = server
        .arrived()
        .iter()
        .map(|sent| [sent.header("x-attempt"), sent.header("x-id")].map(|value| value.map(str::to_owned)))
        .collect();
    assert_eq!(headers, [[Some("1".to_owned()), Some("7".to_owned())], [Some("2".to_owned()), Some("7".to_owned())]]);
    assert_eq!(server.arrived()[1].head.iter().filter(|line| line.starts_with("x-attempt")).count(), 1);
}

#[test]
fn the_time_left_and_the_number_of_an_attempt_are_sent_if_asked_for() {
    let server = Server::answers([BUSY, OK, OK]);
    // The policy's deadline is a minute.
    let silent = agent(2);
    assert!(silent.clone().send_deadline(true).send_attempt(true).get(server.uri("/")).run().is_ok());
    assert!(silent.get(server.uri("/")).run().is_ok());
    let of = |name: &str| {
        let arrived = server.arrived();
        arrived
            .iter()
            .map(|it| it.header(name).map(|value| value.parse::<u64>().expect("a number")))
            .collect::<Vec<_>>()
    };
    assert_eq!(of("x-envoy-attempt-count"), [Some(1), Some(2), None]);
    let left = of("x-envoy-expected-rq-timeout-ms");
    assert!(left[..2].is_sorted_by(|before, after| before >= after), "{left:?}");
    assert!(left[..2].iter().all(|left| (1..=60_000).contains(&left.expect("a limit"))), "{left:?}");
    assert_eq!(left[2], None);
}

#[test]
fn the_configuration_of_a_request_holds_in_each_attempt() {
    let server = Server::answers([BUSY, OK]);
    let agent = agent(2);
    let request = agent.get(server.uri("/")).configure(|config| config.user_agent("orders/1"));
    assert!(request.run().is_ok());
    assert!(server.arrived().iter().all(|sent| sent.header("user-agent") == Some("orders/1")));
}

#[test]
fn each_method_is_its_own() {
    let server = Server::answers(["HTTP/1.1 204 ?\r\n\r\n"]);
    let agent = agent(1);
    for request in [agent.get(server.uri("/")), agent.head(server.uri("/")), agent.delete(server.uri("/"))] {
        assert!(request.run().is_ok());
    }
    for request in [agent.put(server.uri("/")), agent.post(server.uri("/")), agent.patch(server.uri("/"))] {
        assert!(request.body("order").run().is_ok());
    }
    let methods: Vec<_> = server.arrived().iter().map(|sent| sent.head[0].replace(" / HTTP/1.1", "")).collect();
    assert_eq!(methods, ["GET", "HEAD", "DELETE", "PUT", "POST", "PATCH"]);
}

#[test]
fn a_request_that_cannot_be_built_calls_neither_policy_nor_server() {
    let names = Names::default();
    let context = names.context();
    let agent =
        RetryingAgent::new(ureq::agent(), builder(3).build().expect("a policy")).context_for(move |_| context.clone());
    for request in [agent.get("http://no uri"), agent.get("http://localhost/").header("no name", "7")] {
        let outcome = request.execute();
        assert_eq!((outcome.attempts(), outcome.stop_reason()), (0, Some(StopReason::NonRetryableClass)));
        assert!(matches!(outcome.last_error(), Some(ureq::Error::Http(_))));
    }
    assert!(names.take().is_empty());
}

#[test]
fn an_agent_is_shared_between_threads() {
    const fn assert_shared<T: Clone + Send + Sync + std::fmt::Debug + 'static>(_: &T) {}
    assert_shared(&agent(1));
}
