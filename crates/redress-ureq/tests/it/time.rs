//! The time of attempts, as ureq's timeout. A test of a limit that is not applied waits
//! for a server that never answers.

use std::time::Duration;

use redress::integration::ureq::RetryingAgent;
use redress::{CallContext, Cause, ErrorClass, Policy, StopReason};
use ureq::Agent;

use crate::support::{Server, agent, builder, policy};

const SHORT: Duration = Duration::from_millis(30);
const LONG: Duration = Duration::from_secs(3600);

fn with_timeout(global: Duration) -> Agent {
    Agent::config_builder().timeout_global(Some(global)).build().into()
}

#[test]
fn an_attempt_ends_at_its_timeout_and_the_next_one_begins() {
    let server = Server::silent();
    let policy = builder(2).attempt_timeout(SHORT).build().expect("a policy");
    let outcome = RetryingAgent::new(with_timeout(LONG), policy).get(server.uri("/")).execute();
    assert_eq!((outcome.attempts(), outcome.cause()), (2, Some(Cause::Timeout)));
    let failure = outcome.last_classification().expect("a failure");
    assert_eq!((failure.class(), failure.detail("timeout")), (ErrorClass::Transient, Some("global")));
}

#[test]
fn a_deadline_ends_a_running_attempt() {
    let server = Server::silent();
    let context = CallContext::new().deadline(SHORT * 4);
    let outcome = agent(2).get(server.uri("/")).timeout(LONG).context(context).execute();
    assert_eq!((outcome.attempts(), outcome.stop_reason()), (1, Some(StopReason::DeadlineExceeded)));
    assert_eq!(agent(2).deadline(SHORT * 4).get(server.uri("/")).execute().stop_reason(), outcome.stop_reason());
}

#[test]
fn the_shorter_of_the_agents_timeout_and_the_attempts_ends_it() {
    let server = Server::silent();
    let policy = builder(2).attempt_timeout(LONG).build().expect("a policy");
    let outcome = RetryingAgent::new(with_timeout(SHORT), policy.clone()).get(server.uri("/")).execute();
    assert_eq!((outcome.attempts(), outcome.cause()), (2, Some(Cause::Timeout)));
    // A request's own replaces the agent's, either way.
    let own = RetryingAgent::new(with_timeout(LONG), policy).get(server.uri("/")).timeout(SHORT).execute();
    assert_eq!((own.attempts(), own.cause()), (2, Some(Cause::Timeout)));
}

#[test]
fn without_a_limit_of_the_policy_ureqs_own_holds() {
    let server = Server::silent();
    let of_agent = RetryingAgent::new(with_timeout(SHORT), policy(2)).get(server.uri("/")).execute();
    let agent = RetryingAgent::new(with_timeout(LONG), policy(2));
    let of_request = agent.get(server.uri("/")).timeout(SHORT).execute();
    let configured = agent.get(server.uri("/")).configure(|config| config.timeout_global(Some(SHORT))).execute();
    let of_phase = agent.get(server.uri("/")).configure(|config| config.timeout_recv_response(Some(SHORT))).execute();
    for outcome in [&of_agent, &of_request, &configured, &of_phase] {
        // The policy's deadline of 60 s by default would end the first attempt, and the call.
        assert_eq!((outcome.attempts(), outcome.cause()), (2, Some(Cause::Timeout)));
    }
    let phase = of_phase.last_classification().expect("a failure");
    assert_eq!(phase.detail("timeout"), Some("receive response"));
}

#[test]
fn a_request_with_a_configuration_of_ureq_has_the_attempts_time_or_its_own() {
    let server = Server::silent();
    let limited = builder(2).attempt_timeout(SHORT).build().expect("a policy");
    let unlimited = builder(2).no_deadline().build().expect("a policy");
    for (policy, own) in [(limited, LONG), (unlimited, SHORT)] {
        let agent = RetryingAgent::new(ureq::agent(), policy);
        let request = agent.get(server.uri("/")).configure(|config| config.timeout_per_call(Some(own)));
        let outcome = request.execute();
        assert_eq!((outcome.attempts(), outcome.cause()), (2, Some(Cause::Timeout)));
    }
}

#[test]
fn a_timeout_of_a_phase_is_kept_beside_the_attempts() {
    let server = Server::silent();
    let inner: Agent = Agent::config_builder().timeout_recv_response(Some(SHORT)).build().into();
    let policy = builder(2).attempt_timeout(LONG).build().expect("a policy");
    let outcome = RetryingAgent::new(inner, policy).get(server.uri("/")).execute();
    assert_eq!((outcome.attempts(), outcome.cause()), (2, Some(Cause::Timeout)));
}

#[test]
fn the_time_of_an_attempt_covers_its_body() {
    let server = Server::start(|mut peer| {
        peer.next();
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
        peer.closed();
    });
    // More than one attempt, for a machine on which even the head takes this long.
    let policy = builder(10).attempt_timeout(Duration::from_millis(300)).build().expect("a policy");
    let mut response = RetryingAgent::new(ureq::agent(), policy).get(server.uri("/")).run().expect("a response");
    assert!(matches!(response.body_mut().read_to_string(), Err(ureq::Error::Timeout(ureq::Timeout::Global))));
}

#[test]
fn a_timeout_of_ureq_is_one_for_a_custom_classifier_too() {
    let plain =
        redress::classifier(|result: &Result<_, ureq::Error>| result.as_ref().err().map(|_| ErrorClass::ServerError));
    let policy = Policy::builder().classifier(plain).attempt_timeout(SHORT).build().expect("a policy");
    let outcome = RetryingAgent::new(ureq::agent(), policy).get(Server::silent().uri("/")).execute();
    assert_eq!((outcome.cause(), outcome.last_class()), (Some(Cause::Timeout), Some(ErrorClass::ServerError)));
}
