//! Rate limits, hints, queues that are turned round, restarts and cold starts.

use redress_core::{AsyncPolicy, ErrorClass, Retry, StopReason, fixed};
use redress_sim::{ClientBuilder, Clients, Fault, Load, Report, Scenario, Server};

use crate::{attempts, millis, once, secs};

fn run(scenario: &Scenario, policy: ClientBuilder) -> Report {
    scenario.run(Clients::sharing(1, policy)).expect("valid")
}

#[test]
fn a_rate_limit_admits_so_many_in_each_window() {
    let server = Server::new(100, millis(1)).rate_limit(100, secs(10));
    let scenario = Scenario::new(Load::steady(50), server).horizon(secs(60));
    let all = run(&scenario, once()).total();
    assert_eq!((all.good, all.limited), (600, all.offered - 600));
}

/// Calls that are refused come back with the next window, and not before.
#[test]
fn hints_of_a_rate_limit_are_waited_for() {
    let server = Server::new(1000, millis(1)).rate_limit(100, secs(10));
    let scenario = Scenario::new(Load::steady(50).then(secs(4), 0), server).horizon(secs(60));
    let patient = AsyncPolicy::builder().retry(Retry::builder().max_attempts(9).strategy(fixed(millis(1))));
    let report = run(&scenario, patient.deadline(secs(55)));
    let quiet = report.sum(4..10);
    assert_eq!(quiet.attempts, 0, "all wait");
    assert!(report.sum(10..12).attempts > 50, "and come back together");
    assert_eq!(report.total().good, report.total().offered);
}

#[test]
fn refusals_and_errors_have_the_hint_they_are_given() {
    let impatient = || once().retry(Retry::builder().max_attempts(2).strategy(fixed(millis(1)))).deadline(secs(5));
    let full = |server: Server| Scenario::new(Load::steady(5), server.queue_limit(0)).horizon(secs(60));
    let busy = || Server::new(1, secs(100));
    let without = run(&full(busy()), impatient());
    assert_eq!(without.ended(Some(StopReason::DeadlineExceeded)), 0);
    let hinted = run(&full(busy().retry_after(secs(10))), impatient());
    assert!(hinted.ended(Some(StopReason::DeadlineExceeded)) > 200, "the hint is beyond the deadline");

    let errors = || Fault::errors(secs(0), secs(60), 1.0, ErrorClass::ServerError);
    let failing = |fault| Scenario::new(Load::steady(5), Server::new(9, millis(1))).fault(fault);
    assert_eq!(run(&failing(errors()), impatient()).ended(Some(StopReason::DeadlineExceeded)), 0);
    let hinted = run(&failing(errors().retry_after(secs(10))), impatient());
    assert_eq!(hinted.ended(Some(StopReason::DeadlineExceeded)), hinted.total().offered);
}

/// Twice as many calls as the server can answer, each for a second.
#[test]
fn the_last_in_are_answered_in_time_where_the_first_are_not() {
    let answered = |server: Server| {
        let report = run(&Scenario::new(Load::steady(200), server).horizon(secs(60)), once());
        report.sum(20..50).good
    };
    let [first, last] = [Server::new(1, millis(10)), Server::new(1, millis(10)).last_in_first_out()].map(answered);
    assert_eq!(first, 0, "every answer is late");
    assert!(last > 2_900, "{last}");
}

#[test]
fn a_server_that_is_down_fails_calls_at_once() {
    let scenario = Scenario::new(Load::steady(50), Server::new(1, millis(10)))
        .fault(Fault::stops(secs(10), secs(20)))
        .horizon(secs(40));
    let report = run(&scenario, once());
    let during = report.sum(10..20);
    assert_eq!((during.failed, during.good, during.unheard), (during.offered, 0, 0));
    assert!(during.reset >= during.offered, "and what it had begun is lost");
    assert_eq!(report.recovery(), Some(secs(0)), "it has no backlog");
    assert_eq!(report.sum(21..39).failed, 0);
}

#[test]
fn a_deployment_costs_each_worker_a_request_and_retries_hide_it() {
    let deploys = |at_once| {
        Scenario::new(Load::steady(200), Server::new(10, millis(40)))
            .fault(Fault::deploys(secs(10), secs(20), at_once))
            .horizon(secs(30))
    };
    let all = run(&deploys(1), once()).total();
    assert!((4..=10).contains(&all.failed), "{all:?}: a worker is busy for eight tenths of the time");
    assert_eq!(all.reset, all.failed);
    let retried = run(&deploys(1), once().retry(attempts(2))).sum(0..29);
    assert_eq!(retried.failed, 0);
    assert!(retried.attempts > retried.offered);
    let all_at_once = run(&deploys(10), once()).sum(10..20);
    assert_eq!(all_at_once.good, 0, "no worker is up");
}

#[test]
fn a_cold_server_answers_less_and_then_as_much_as_ever() {
    let scenario = Scenario::new(Load::steady(50), Server::new(1, millis(10)))
        .fault(Fault::cold(secs(20), secs(60), 0.1))
        .horizon(secs(120));
    let report = run(&scenario, once());
    let served = |from, until| report.sum(from..until).good + report.sum(from..until).unheard;
    assert!(served(22, 30) < 8 * 40, "{}", served(22, 30));
    assert_eq!(report.recovery().map(|time| time < secs(60)), Some(true));
    assert!(report.sum(100..119).good == report.sum(100..119).offered);
}
