//! Requests that are not idempotent: sent again only if the server certainly did not act on them.

use redress::integration::ureq::{IdempotencyGuard, RetryingAgent};
use ureq::Agent;
use ureq::http::StatusCode;

use crate::support::{BUSY, OK, Server, agent, policy, refusing};

const EARLY: &str = "HTTP/1.1 425 Too Early\r\nContent-Length: 0\r\n\r\n";
const SEE_OTHER: &str = "HTTP/1.1 303 See Other\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n";

fn without_redirects() -> Agent {
    Agent::config_builder().max_redirects(0).build().into()
}

#[test]
fn a_post_is_sent_once_unless_something_allows_more() {
    let server = Server::answers([BUSY]);
    let post = || agent(2).post(server.uri("/")).body("order").execute();
    assert_eq!((post().attempts(), post().retry_forbidden()), (1, Some("not_idempotent")));
    let agent = agent(2);
    let post = || agent.post(server.uri("/")).body("order");
    assert_eq!(post().header("idempotency-key", "7").execute().attempts(), 2);
    assert_eq!(post().retry_non_idempotent(true).execute().attempts(), 2);
    let guard = IdempotencyGuard::new().retry_non_idempotent_on(StatusCode::SERVICE_UNAVAILABLE);
    let of_all = agent.clone().guard(guard);
    assert_eq!(of_all.post(server.uri("/")).body("order").execute().attempts(), 2);
}

#[test]
fn a_post_without_a_connection_is_sent_again_if_no_redirect_can_be_the_cause() {
    let attempts = |agent: &RetryingAgent<_>| agent.post(refusing()).body("order").execute().attempts();
    assert_eq!(attempts(&agent(2)), 1);
    assert_eq!(attempts(&agent(2).follows_redirects(false)), 2);
    assert_eq!(attempts(&RetryingAgent::new(without_redirects(), policy(2))), 2);
    assert_eq!(attempts(&RetryingAgent::new(without_redirects(), policy(2)).follows_redirects(true)), 1);
}

/// Attacks N4. Every redirect that ureq follows for a POST, with every failure that would allow a
/// repetition of the request itself.
#[test]
fn a_post_that_was_redirected_is_not_sent_again() {
    let guard = IdempotencyGuard::new().retry_non_idempotent_on(StatusCode::SERVICE_UNAVAILABLE);
    for redirect in ["301", "302", "303"] {
        for failure in [None, Some("421"), Some("425"), Some("503")] {
            let failing =
                Server::answers([format!("HTTP/1.1 {} ?\r\nContent-Length: 0\r\n\r\n", failure.unwrap_or("500"))]);
            let location = if failure.is_some() { failing.uri("/") } else { refusing() };
            let redirect = format!("HTTP/1.1 {redirect} ?\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
            let server = Server::answers([redirect]);
            let outcome = agent(2).guard(guard).post(server.uri("/")).body("order").execute();
            assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (1, Some("not_idempotent")), "{failure:?}");
            assert_eq!(server.arrived().len(), 1);
            assert_eq!(agent(2).get(server.uri("/")).execute().attempts(), 2);
        }
    }
}

#[test]
fn an_answer_that_says_so_counts_if_it_is_that_of_the_request_itself() {
    let server = Server::answers([EARLY, OK]);
    let outcome = agent(2).post(server.uri("/")).body("order").execute();
    assert_eq!((outcome.is_ok(), outcome.attempts()), (true, 2));

    let redirected = Server::answers([SEE_OTHER, EARLY, OK]);
    let outcome = agent(2).post(redirected.uri("/")).body("order").execute();
    assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (1, Some("not_idempotent")));

    // Back to the same URI, by GET.
    let to_itself = SEE_OTHER.replace("/other", "/");
    let redirected = Server::answers([to_itself.as_str(), EARLY, OK]);
    assert_eq!(agent(2).post(redirected.uri("/")).body("order").execute().attempts(), 1);
}

#[test]
fn redirects_are_off_for_the_whole_agent_or_followed_as_ureq_says() {
    let server = Server::answers([SEE_OTHER, OK]);
    let off = agent(2).follows_redirects(false);
    assert_eq!(off.get(server.uri("/")).run().expect("a response").status().as_u16(), 303);

    let server = Server::answers([SEE_OTHER, OK]);
    assert_eq!(agent(2).get(server.uri("/")).run().expect("a response").status().as_u16(), 200);
    assert_eq!(server.arrived()[1].head[0], "GET /other HTTP/1.1");
}

#[test]
fn a_connection_that_broke_says_nothing_about_the_request() {
    let server = Server::start(|mut peer| {
        peer.next();
    });
    let agent = agent(2).follows_redirects(false);
    let outcome = agent.post(server.uri("/")).body("order").execute();
    assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (1, Some("not_idempotent")));
    assert_eq!(agent.get(server.uri("/")).execute().attempts(), 2);
}

#[test]
fn a_classifier_without_an_opinion_does_not_allow_a_repetition() {
    let silent = redress::classifier(|_: &Result<http::Response<ureq::Body>, ureq::Error>| None::<redress::ErrorClass>);
    let retry = redress::Retry::builder().strategy(redress::fixed(std::time::Duration::ZERO)).max_attempts(2);
    let policy = redress::Policy::builder().classifier(silent).retry(retry.unlimited_unknown_retries());
    let agent = RetryingAgent::new(ureq::agent(), policy.build().expect("a policy"));
    let reset = Server::start(|mut peer| {
        peer.next();
        peer.reset();
    });
    let post = agent.post(reset.uri("/")).body("order").execute();
    assert_eq!((post.attempts(), post.retry_forbidden()), (1, Some("not_idempotent")));
    assert_eq!(agent.get(reset.uri("/")).execute().attempts(), 2);
}

#[test]
fn a_custom_classifier_may_forbid_a_retry_itself() {
    let strict = redress::classifier(|result: &Result<http::Response<ureq::Body>, ureq::Error>| {
        let is_bad = result.as_ref().is_ok_and(|response| response.status() == 503);
        is_bad.then(|| redress::Classification::new(redress::ErrorClass::ServerError).forbid_retry("full"))
    });
    let retry = redress::Retry::builder().max_attempts(2);
    let policy = redress::Policy::builder().classifier(strict).retry(retry).build().expect("a policy");
    let agent = RetryingAgent::new(ureq::agent(), policy);
    let outcome = agent.post(Server::answers([BUSY]).uri("/")).body("order").execute();
    assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (1, Some("full")));
    assert_eq!(outcome.cause(), Some(redress::Cause::Result));
}

#[test]
fn a_custom_classifier_need_not_mark_what_ureq_says() {
    let plain = redress::classifier(|result: &Result<_, ureq::Error>| {
        result.as_ref().err().map(|_| redress::ErrorClass::Transient)
    });
    let retry = redress::Retry::builder().strategy(redress::fixed(std::time::Duration::ZERO)).max_attempts(2);
    let policy = redress::Policy::builder().classifier(plain).retry(retry).build().expect("a policy");
    let agent = RetryingAgent::new(ureq::agent(), policy).follows_redirects(false);
    assert_eq!(agent.post(refusing()).body("order").execute().attempts(), 2);
}
