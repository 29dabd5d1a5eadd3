//! Closed loops, and how calls find their clients and shards.

use redress_core::{CircuitBreaker, ErrorClass};
use redress_sim::{Clients, Fault, Load, Scenario, Server, ServiceTime};

use crate::{millis, once, secs};

/// Little's law: users = calls a second x (thinking + waiting).
#[test]
fn users_call_as_often_as_thinking_and_waiting_let_them() {
    let server = Server::new(1000, millis(500));
    let report = Scenario::new(Load::users(300, secs(1)), server).horizon(secs(400)).run(Clients::sharing(1, once()));
    let offered = report.expect("valid").sum(100..400).offered;
    assert!(offered.abs_diff(300 * 200) < 1_200, "{offered}: 300 users, each in 1.5 s");
}

#[test]
fn a_slow_server_gets_fewer_calls_of_users() {
    let server = Server::new(1000, millis(50));
    let scenario = Scenario::new(Load::users(100, secs(1)), server).horizon(secs(300));
    let report = scenario.fault(Fault::slow(secs(100), secs(200), 10)).run(Clients::sharing(1, once())).expect("valid");
    let [before, during] = [report.sum(0..100).offered, report.sum(100..200).offered];
    assert!(during * 100 > before * 65 && during * 100 < before * 75, "{during} of {before}, expected 1.05/1.5");
}

#[test]
fn users_and_an_open_loop_add_up() {
    let load = Load::users(100, secs(1)).then(secs(100), 50);
    let scenario = Scenario::new(load, Server::new(1000, millis(1))).horizon(secs(200));
    let report = scenario.run(Clients::sharing(1, once())).expect("valid");
    let [alone, both] = [report.sum(0..100).offered, report.sum(100..200).offered];
    assert!(alone.abs_diff(10_000) < 400, "{alone}");
    assert!(both.abs_diff(15_000) < 500, "{both}");
}

#[test]
fn a_call_keeps_to_its_shard() {
    let server = Server::new(4, millis(10)).shards(4);
    let scenario = Scenario::new(Load::steady(200), server)
        .fault(Fault::errors(secs(0), secs(100), 1.0, ErrorClass::Permanent).on_shard(2))
        .horizon(secs(100));
    let all = scenario.run(Clients::sharing(1, once())).expect("valid").total();
    assert!((all.failed * 4).abs_diff(all.offered) < all.offered / 20, "{all:?}");
    let retried = scenario.run(Clients::sharing(1, once().retry(crate::attempts(4)))).expect("valid").total();
    assert_eq!((retried.offered, retried.failed), (all.offered, all.failed), "permanent failures are not retried");
}

#[test]
fn retries_do_not_leave_a_bad_shard() {
    let server = Server::new(4, millis(10)).shards(4);
    let scenario = Scenario::new(Load::steady(200), server)
        .fault(Fault::errors(secs(0), secs(100), 1.0, ErrorClass::ServerError).on_shard(2))
        .horizon(secs(100));
    let all = scenario.run(Clients::sharing(1, once().retry(crate::attempts(4)))).expect("valid").sum(0..98);
    assert!((all.failed * 4).abs_diff(all.offered) < all.offered / 20, "{all:?}");
    assert!(all.attempts.abs_diff(all.offered + 3 * all.failed) < 30, "{all:?}");
}

#[test]
fn open_circuits_are_counted_by_client() {
    let server = Server::new(100, millis(10)).service(ServiceTime::Fixed(millis(10)));
    let scenario = Scenario::new(Load::steady(500), server).fault(Fault::stops(secs(10), secs(20))).horizon(secs(60));
    let guarded = || once().circuit_breaker(CircuitBreaker::builder().failure_threshold(3).recovery_timeout(secs(5)));
    let report = scenario.run(Clients::alike(50, guarded())).expect("valid");
    assert_eq!((report.seconds()[9].open, report.seconds()[9].half_open), (0, 0));
    assert!(report.seconds()[14].open > 45, "{:?}", report.seconds()[14]);
    assert_eq!(report.total().open, report.seconds().iter().map(|second| second.open).max().expect("seconds"));
    assert_eq!(report.seconds()[40].open, 0);
    let shared = scenario.run(Clients::sharing(50, guarded())).expect("valid");
    assert_eq!(shared.seconds()[14].open, 50, "all clients have the one circuit");
}
