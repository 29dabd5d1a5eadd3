//! Requests through a policy: retried, given up on, rejected, aborted.

use std::io::Read as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redress::integration::ureq::{LastFailure, Repetition, RetryingAgent, outcome, request_with_retry};
use redress::{AbortHandle, CallContext, CallError, CircuitBreaker, ErrorClass, SleepDecision, StopReason};
use ureq::http::{Request, StatusCode};
use ureq::middleware::MiddlewareNext;
use ureq::{Agent, SendBody};

use crate::support::{BUSY, OK, Server, agent, builder, policy, refusing};

#[test]
fn a_bad_status_is_retried_and_the_good_response_comes_back_with_its_outcome() {
    let server = Server::answers([BUSY, BUSY, OK]);
    let mut response = agent(4).get(server.uri("/")).run().expect("a response");
    assert_eq!(
        (response.status(), response.body_mut().read_to_string().expect("text").as_str()),
        (StatusCode::OK, "ok")
    );
    let outcome = outcome(&response).expect("an outcome");
    assert_eq!((outcome.attempts(), outcome.stop_reason()), (3, None));
    assert_eq!(server.arrived().len(), 3);
}

#[test]
fn a_response_that_the_policy_gave_up_on_is_handed_back_whole() {
    let server = Server::answers(["HTTP/1.1 503 ?\r\nContent-Length: 11\r\nX-Id: 7\r\n\r\nbusy as yet"]);
    // `http_status_as_error` is on, as by default.
    let mut response = agent(2).get(server.uri("/")).run().expect("a response");
    assert_eq!((response.status().as_u16(), response.headers()["x-id"].as_bytes()), (503, &b"7"[..]));
    assert_eq!(response.body_mut().read_to_string().expect("text"), "busy as yet");
    let outcome = outcome(&response).expect("an outcome");
    assert_eq!((outcome.attempts(), outcome.stop_reason()), (2, Some(StopReason::MaxAttempts)));
    assert_eq!(outcome.last_class(), Some(ErrorClass::ServerError));
}

#[test]
fn what_no_table_calls_a_failure_is_returned_at_once() {
    let server = Server::answers(["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"]);
    let response = agent(3).get(server.uri("/")).run().expect("a response");
    assert_eq!(response.status().as_u16(), 404);
    assert_eq!(server.arrived().len(), 1);
}

#[test]
fn retry_after_is_the_wait() {
    let server = Server::answers(["HTTP/1.1 429 ?\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"]);
    let waits = Mutex::new(Vec::new());
    let agent = agent(3);
    let context = CallContext::new().sleep_handler(|_, wait| {
        waits.lock().expect("no panic").push(wait);
        SleepDecision::Abort
    });
    let outcome = agent.get(server.uri("/")).context(context).execute();
    assert_eq!(waits.into_inner().expect("no panic"), [Duration::from_secs(7)]);
    assert_eq!(outcome.stop_reason(), Some(StopReason::Aborted));
    let failure = outcome.last_classification().expect("a failure");
    assert_eq!((failure.class(), failure.detail("status")), (ErrorClass::RateLimit, Some("429")));
}

#[test]
fn without_a_response_the_error_is_the_last_one() {
    let error = agent(3).get(refusing()).run().expect_err("no server");
    let CallError::Failed(failed) = error else { panic!("{error:?}") };
    assert!(matches!(&failed.error, ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused));
    let outcome = agent(3).get(refusing()).execute();
    assert_eq!((outcome.attempts(), outcome.last_class()), (3, Some(ErrorClass::Transient)));
}

#[test]
fn an_abort_ends_a_wait_at_once() {
    // Without the abort the test would wait for an hour.
    let server = Server::answers(["HTTP/1.1 503 ?\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n"]);
    let interrupted = AbortHandle::new();
    let policy = builder(3).deadline(Duration::from_secs(7200)).build().expect("a policy");
    let agent = RetryingAgent::new(ureq::agent(), policy).abort_on(&interrupted);
    let context = CallContext::new().before_sleep(|_, _| interrupted.abort());
    let outcome = agent.get(server.uri("/")).context(context).execute();
    assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::Aborted), 1));
    let later = agent.get(server.uri("/")).execute();
    assert_eq!((later.stop_reason(), later.attempts()), (Some(StopReason::Aborted), 0));
}

#[test]
fn an_abort_with_a_shutdown_ends_an_attempt() {
    let interrupted = AbortHandle::new();
    let sockets = ureq::agent();
    let (on_request, of_server) = (interrupted.clone(), sockets.clone());
    let server = Server::start(move |mut peer| {
        peer.next();
        on_request.abort();
        of_server.clone().shutdown();
        peer.closed();
    });
    let agent = RetryingAgent::new(sockets, policy(3)).abort_on(&interrupted);
    let outcome = agent.get(server.uri("/")).execute();
    assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::Aborted), 1));
}

#[test]
fn an_open_breaker_rejects_a_request() {
    let server = Server::answers([BUSY]);
    let breaker = CircuitBreaker::builder().failure_threshold(1);
    let agent = RetryingAgent::new(ureq::agent(), builder(1).circuit_breaker(breaker).build().expect("a policy"));
    assert_eq!(agent.get(server.uri("/")).run().expect("a response").status().as_u16(), 503);
    assert!(matches!(agent.get(server.uri("/")).run(), Err(CallError::CircuitOpen(_))));
    let beside = agent.get(server.uri("/")).bypass(true).run().expect("a response");
    assert_eq!(beside.status().as_u16(), 503);
    assert_eq!(server.arrived().len(), 2);
}

#[test]
fn an_agent_takes_the_request_of_the_http_crate() {
    let server = Server::answers([BUSY, OK]);
    let agent = agent(2);
    let request = Request::put(server.uri("/orders")).header("x-id", "7").body("an order").expect("a request");
    assert_eq!(agent.run(request).expect("a response").status(), StatusCode::OK);
    let outcome = agent.execute(Request::get(server.uri("/")).body(()).expect("a request"));
    assert_eq!((outcome.is_ok(), outcome.attempts()), (true, 1));
    for arrived in &server.arrived()[..2] {
        assert_eq!((arrived.head[0].as_str(), arrived.body.as_str()), ("PUT /orders HTTP/1.1", "an order"));
        assert_eq!(arrived.header("x-id"), Some("7"));
    }
}

#[test]
fn one_request_is_sent_without_an_agent_of_redress() {
    let server = Server::answers([BUSY, OK]);
    let order = String::from("an order");
    let request = Request::put(server.uri("/")).body(&order).expect("a request");
    let response = request_with_retry(&ureq::agent(), &policy(2), request).expect("a response");
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(server.arrived()[1].body, order);
}

#[test]
fn a_middleware_learns_which_attempt_it_sends_and_why() {
    let server = Server::answers([BUSY, OK]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let by_middleware = Arc::clone(&seen);
    let watch = move |request: Request<SendBody<'_>>, next: MiddlewareNext<'_>| {
        by_middleware.lock().expect("no panic").push(Repetition::of(request.extensions()).copied());
        next.handle(request)
    };
    let inner: Agent = Agent::config_builder().middleware(watch).build().into();
    let response = RetryingAgent::new(inner, policy(2)).get(server.uri("/")).run().expect("a response");
    assert_eq!(response.status(), StatusCode::OK);
    let busy = LastFailure::Answer(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(*seen.lock().expect("no panic"), [None, Some(Repetition::new(2, busy))]);
}

#[test]
fn a_failure_of_the_connection_is_not_met_again_on_a_pooled_one() {
    let empty = |status: &str| format!("HTTP/1.1 {status} ?\r\nContent-Length: 0\r\n\r\n");
    for (status, connections) in [("408", [0, 1]), ("421", [0, 1]), ("503", [0, 0])] {
        let server = Server::answers([empty(status), empty("200")]);
        let response = agent(2).get(server.uri("/")).run().expect("a response");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(server.connections(), connections, "{status}");
    }
}

#[test]
fn a_pooled_connection_that_the_server_closed_costs_one_attempt() {
    let server = Server::start(|mut peer| {
        peer.next();
        peer.send(OK);
        // Takes another request, and closes. The connections after the second stay.
        peer.next();
        if peer.number > 1 {
            peer.send(OK);
        }
    });
    let agent = agent(2);
    let both = [agent.get(server.uri("/")).run(), agent.get(server.uri("/")).run()];
    let mut both = both.map(|response| response.expect("a response"));
    for response in &mut both {
        let mut text = String::new();
        response.body_mut().as_reader().read_to_string(&mut text).expect("text");
    }
    // Both connections are idle now, and both end at their next request.
    let outcome = agent.get(server.uri("/")).execute();
    assert_eq!((outcome.is_ok(), outcome.attempts()), (true, 2));
    assert_eq!(server.connections()[..2], [0, 1]);
    assert_eq!(server.connections()[3], 2);
}
