//! What is refused, and when policies are built.

use std::cell::Cell;
use std::time::Duration;

use redress_core::ErrorClass;
use redress_core::error::ConfigIssue;
use redress_sim::{Clients, Fault, Load, Scenario, Server, ServiceTime, SimulationError};

use crate::{attempts, millis, once, secs};

fn scenario() -> Scenario {
    Scenario::new(Load::steady(10), Server::new(1, millis(10)))
}

#[track_caller]
fn expect_refused(scenario: &Scenario, field: &str) {
    match scenario.run(Clients::sharing(1, once())) {
        Err(SimulationError::Scenario(issues)) => {
            assert_eq!(issues.iter().map(ConfigIssue::field).collect::<Vec<_>>(), [field]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_rule_names_its_field() {
    let load = || Load::steady(10);
    expect_refused(&Scenario::new(load(), Server::new(0, millis(10))), "server.workers");
    expect_refused(&Scenario::new(load(), Server::new(1, Duration::ZERO)), "server.service");
    let instant = ServiceTime::Exponential(Duration::ZERO);
    expect_refused(&Scenario::new(load(), Server::new(1, millis(10)).service(instant)), "server.service");
    expect_refused(&Scenario::new(load().then(secs(5), 1).then(secs(5), 2), Server::new(1, millis(10))), "load.then");
    expect_refused(&scenario().fault(Fault::stands_still(secs(5), secs(5))), "fault.until");
    expect_refused(&scenario().fault(Fault::slow(secs(5), secs(6), 0)), "fault.times");
    for share in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        let fault = Fault::errors(secs(5), secs(6), share, ErrorClass::Transient);
        expect_refused(&scenario().fault(fault), "fault.share");
    }
    for horizon in [Duration::ZERO, millis(1500), secs(1_000_001)] {
        expect_refused(&scenario().horizon(horizon), "scenario.horizon");
    }
    let none = scenario().run(Clients::sharing(0, once())).expect_err("no clients");
    assert_eq!(none.to_string(), "invalid scenario: clients.count = 0 must be at least 1");
}

#[test]
fn every_broken_rule_is_reported_at_once() {
    let broken = Scenario::new(Load::steady(10), Server::new(0, Duration::ZERO)).horizon(Duration::ZERO);
    let Err(SimulationError::Scenario(issues)) = broken.run(Clients::sharing(0, once())) else { panic!("refused") };
    assert_eq!(issues.len(), 4, "{issues:?}");
}

#[test]
fn an_invalid_policy_is_refused_even_if_no_call_arrives() {
    let scenario = Scenario::new(Load::steady(0), Server::new(1, millis(10)));
    let refused = scenario.run(Clients::each(5, |_| once().retry(attempts(0))));
    let Err(SimulationError::Policy(error)) = refused else { panic!("refused") };
    assert_eq!(error.issues()[0].field(), "retry.max_attempts");
}

#[test]
fn a_client_that_makes_no_call_has_no_policy() {
    let built = Cell::new(0);
    let clients = Clients::each(1_000_000, |_| {
        built.set(built.get() + 1);
        once()
    });
    let report = scenario().run(clients).expect("valid");
    assert!(built.get() <= 1 + report.sum(0..60).offered, "{}", built.get());
}
