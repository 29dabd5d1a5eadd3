//! Mean times in the system, against the formulas for queues with random arrivals.

use std::time::Duration;

use redress_core::AsyncPolicy;
use redress_sim::{Clients, Load, Scenario, Server, ServiceTime};

use crate::{millis, secs};

/// Runs 70,000 calls or so, and expects them to take `expected` on average, within 4 %.
#[track_caller]
fn expect_mean(server: Server, expected: Duration) {
    let scenario = Scenario::new(Load::steady(70), server).horizon(secs(1000)).seed(3);
    let report = scenario.run(Clients::sharing(1, AsyncPolicy::builder())).expect("valid");
    let all = report.sum(0..1000);
    assert!((69_000..71_000).contains(&all.offered), "{}", all.offered);
    assert!(all.offered - all.good < 50, "only the last calls have no end");
    let mean = all.time / u32::try_from(all.good).expect("few");
    assert!(mean.abs_diff(expected) < expected / 25, "{mean:?} where the formula says {expected:?}");
}

#[test]
fn with_a_fixed_service_time_the_wait_is_that_of_pollaczek_and_khinchine() {
    // 10 ms + 0.7 × 10 ms / (2 × 0.3)
    expect_mean(Server::new(1, millis(10)), Duration::from_micros(21_667));
}

#[test]
fn with_an_exponential_service_time_the_mean_is_that_of_a_single_markovian_server() {
    // 1 / (100 − 70)
    let service = ServiceTime::Exponential(millis(10));
    expect_mean(Server::new(1, millis(10)).service(service), Duration::from_micros(33_333));
}

#[test]
fn two_workers_half_as_fast_wait_as_erlang_says() {
    // 20 ms / (1 − 0.7²)
    let service = ServiceTime::Exponential(millis(20));
    expect_mean(Server::new(2, millis(20)).service(service), Duration::from_micros(39_216));
}
