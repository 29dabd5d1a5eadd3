//! Attempts and calls that can be counted by hand.

use std::time::Duration;

use redress_core::{Budget, CircuitBreaker, ErrorClass, Retry, StopReason, fixed};
use redress_sim::{ClientBuilder, Clients, Fault, Load, Report, Scenario, Second, Server};

use crate::{attempts, millis, once, secs};

/// Calls for 30 s at a server that does not answer.
fn dead(clients: Clients<'_>) -> Report {
    let scenario = Scenario::new(Load::steady(50).then(secs(30), 0), Server::new(1, millis(10)))
        .fault(Fault::stands_still(secs(0), secs(100)))
        .horizon(secs(60));
    scenario.run(clients).expect("valid")
}

#[test]
fn at_100_percent_failures_each_call_makes_every_attempt() {
    let all = dead(Clients::each(10, |_| once().retry(attempts(4)))).sum(0..60);
    assert!(all.offered > 1_000);
    assert_eq!((all.attempts, all.failed, all.good), (4 * all.offered, all.offered, 0));
}

#[test]
fn a_budget_adds_what_it_holds_and_no_more() {
    let budget = || Budget::new(7, secs(3600)).expect("valid");
    let report = dead(Clients::each(10, |_| once().retry(attempts(4).budget(budget()))));
    let all = report.sum(0..60);
    assert_eq!(all.attempts, all.offered + 10 * 7, "7 for each client");
    assert!(report.ended(Some(StopReason::BudgetExhausted)) >= all.offered - 70);

    let fleet = budget();
    let shared = dead(Clients::each(10, |_| once().retry(attempts(4).budget(fleet.clone()))));
    assert_eq!(shared.sum(0..60).attempts, all.offered + 7, "7 for all");
    let one = dead(Clients::sharing(10, once().retry(attempts(4).budget(budget()))));
    assert_eq!(one, shared, "one policy has one budget");
}

#[test]
fn a_shut_circuit_rejects_calls_without_an_attempt() {
    let with_breaker = || -> ClientBuilder { once().circuit_breaker(CircuitBreaker::builder().failure_threshold(5)) };
    let report = dead(Clients::sharing(10, with_breaker()));
    let all = report.sum(0..60);
    assert_eq!(all.attempts + all.rejected, all.offered);
    assert_eq!(report.ended(Some(StopReason::CircuitOpen)), all.rejected);
    // The calls of the first second are under way when the first five fail.
    assert_eq!(report.sum(2..30).attempts, 0, "it is open for 30 s");
    assert!(report.sum(0..2).attempts > 30);
}

#[test]
fn breakers_of_one_policy_open_apart() {
    let breaker = || CircuitBreaker::builder().failure_threshold(5).recovery_timeout(secs(10));
    let apart = dead(Clients::each(10, |_| once().circuit_breaker(breaker())));
    assert_eq!(dead(Clients::alike(10, once().circuit_breaker(breaker()))), apart);
    assert_ne!(dead(Clients::sharing(10, once().circuit_breaker(breaker()))), apart);
}

#[test]
fn a_full_queue_refuses_at_once() {
    let server = Server::new(1, secs(10)).queue_limit(3);
    let scenario = Scenario::new(Load::steady(50).then(secs(5), 0), server).horizon(secs(60));
    let report = scenario.run(Clients::sharing(1, once())).expect("valid");
    let all = report.sum(0..60);
    assert_eq!((all.refused, all.good), (all.offered - 4, 0), "one is begun, and three wait");
    assert_eq!(all.unheard, 4, "their callers have gone");
    assert_eq!(report.ended(Some(StopReason::MaxAttempts)), all.offered);
}

/// A poll starts a few dozen of them at most, and the next poll goes on.
#[test]
fn attempts_without_a_wait_follow_each_other() {
    let server = Server::new(1, secs(100)).queue_limit(0);
    let scenario = Scenario::new(Load::steady(5).then(secs(50), 0), server).horizon(secs(60));
    let at_once = Retry::builder().max_attempts(100).strategy(fixed(Duration::ZERO));
    let all = scenario.run(Clients::sharing(1, once().retry(at_once))).expect("valid").sum(0..60);
    assert_eq!((all.attempts, all.failed), (100 * all.offered, all.offered));
    assert_eq!(all.refused, all.attempts - 1, "the worker takes the first");
}

/// The twenty seconds after an outage, at a server that is told the time left.
fn after_an_outage(server: Server) -> (Second, Option<Duration>) {
    let scenario =
        Scenario::new(Load::steady(70), server).fault(Fault::stands_still(secs(10), secs(20))).horizon(secs(40));
    let report = scenario.run(Clients::each(10, |_| once().retry(attempts(4)))).expect("valid");
    (report.sum(20..40), report.recovery())
}

#[test]
fn a_server_that_drops_what_it_cannot_answer_in_time_recovers_at_once() {
    let (kept, recovery) = after_an_outage(Server::new(1, millis(10)));
    assert!(kept.unheard > 1_900 && kept.dropped == 0 && recovery.is_none(), "{kept:?} {recovery:?}");
    let (after, recovery) = after_an_outage(Server::new(1, millis(10)).drops_below(millis(10)));
    assert!(after.unheard <= 1 && after.dropped > 500, "{after:?}");
    assert_eq!(recovery, Some(secs(0)));
}

/// The first of a long queue that has not expired is about to.
#[test]
fn a_server_that_drops_only_what_has_expired_answers_too_late() {
    let (after, recovery) = after_an_outage(Server::new(1, millis(10)).drops_below(secs(0)));
    assert!(after.dropped > 1_000 && after.unheard > 1_500, "{after:?}");
    assert_eq!(recovery, None);
}

#[test]
fn a_share_of_errors_is_answered_with_their_class() {
    let scenario = Scenario::new(Load::steady(50), Server::new(1, millis(10)))
        .fault(Fault::errors(secs(100), secs(200), 0.25, ErrorClass::Permanent))
        .horizon(secs(300));
    let report = scenario.run(Clients::sharing(1, once().retry(attempts(4)))).expect("valid");
    let during = report.sum(100..200);
    assert!((during.failed * 4).abs_diff(during.offered) < during.offered / 10, "{during:?}");
    assert_eq!(report.sum(0..100).failed + report.sum(200..300).failed, 0);
    assert_eq!(report.ended(Some(StopReason::NonRetryableClass)), during.failed);
    assert_eq!(report.ended(None), report.sum(0..300).good);
}
