//! Percentiles of a report, by time.

use redress_sim::{Clients, Fault, Load, Phase, Scenario, Server, ServiceTime};

use crate::{millis, once, secs};

#[test]
fn percentiles_are_those_of_the_service_where_nothing_waits() {
    let service = ServiceTime::Mixed { usual: millis(20), rare: millis(400), share: 0.05 };
    let server = Server::new(1000, millis(1)).service(service);
    let report =
        Scenario::new(Load::steady(100), server).horizon(secs(100)).run(Clients::sharing(1, once())).expect("valid");
    for (share, expected) in [(0.5, 20), (0.94, 20), (0.96, 400), (1.0, 400)] {
        let found = report.latency(share, 0..100).expect("calls succeed");
        assert!(found >= millis(expected) && found <= millis(expected) * 33 / 32, "{found:?} for {share}");
    }
}

/// For an exponential service time, the time in the system of M/M/1 is exponential with the rate
/// that is free.
#[test]
fn percentiles_of_a_queue_are_those_of_the_formula() {
    let server = Server::new(1, millis(10)).service(ServiceTime::Exponential(millis(10)));
    let policy = redress_core::AsyncPolicy::builder();
    let report = Scenario::new(Load::steady(70), server)
        .horizon(secs(2000))
        .seed(5)
        .run(Clients::sharing(1, policy))
        .expect("valid");
    // ln 2 / 30 and ln 100 / 30 seconds.
    for (share, micros) in [(0.5, 23_105), (0.99, 153_506)] {
        let expected = std::time::Duration::from_micros(micros);
        let found = report.latency(share, 0..2000).expect("calls succeed");
        assert!(found.abs_diff(expected) < expected / 12, "{found:?} where the formula says {expected:?}");
    }
}

#[test]
fn phases_and_seconds_have_their_latencies() {
    let scenario = Scenario::new(Load::steady(100), Server::new(1000, millis(10)))
        .fault(Fault::slow(secs(20), secs(40), 20))
        .horizon(secs(60));
    let report = scenario.run(Clients::sharing(1, once())).expect("valid");
    assert_eq!([Phase::Before, Phase::During, Phase::After].map(|phase| report.phase(phase)), [0..20, 20..40, 40..60]);
    let of = |phase| report.latency(0.99, report.phase(phase)).expect("calls succeed");
    assert!(of(Phase::Before) < millis(12) && of(Phase::During) >= millis(200) && of(Phase::After) < millis(12));
    assert_eq!(report.latency(0.5, 25..26), report.latency(0.5, 30..31));
    assert_eq!(report.latency(0.5, 100..200), None, "outside the run");
}

/// A run of 600 seconds has periods of two.
#[test]
fn a_period_counts_of_which_one_second_is_asked_for() {
    let scenario = Scenario::new(Load::steady(100), Server::new(1000, millis(10)))
        .fault(Fault::slow(secs(2), secs(4), 20))
        .horizon(secs(600));
    let report = scenario.run(Clients::sharing(1, once())).expect("valid");
    assert!(report.latency(1.0, 0..2).is_some_and(|latency| latency < millis(12)));
    assert!(report.latency(1.0, 0..3).is_some_and(|latency| latency >= millis(200)));
}
