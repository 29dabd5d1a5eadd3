//! The `http` preset in an outage: it ends, whether clients are few or many. The full size, with
//! more outages, is a table of `docs/guide/overload.md`.

use std::time::Duration;

use redress_core::AsyncPolicy;
use redress_core::policy::Preset;
use redress_sim::{ClientBuilder, Clients, Fault, Load, Report, Scenario, Server};

use crate::secs;

/// A tenth of the clients, of 700 calls a second and of a server for 1,000, so that each client
/// sees what it would see at full size. The server stands still from the thirtieth second on.
fn outage(clients: u32, length: u64, policy: fn() -> ClientBuilder) -> Report {
    let end = 30 + length;
    let scenario = Scenario::new(Load::steady(70), Server::new(1, Duration::from_millis(10)))
        .fault(Fault::stands_still(secs(30), secs(end)))
        .horizon(secs(end + 100));
    scenario.run(Clients::each(clients / 10, |_| policy())).expect("valid")
}

/// With a caller that waits a second for each answer, as in the tables.
fn impatient() -> ClientBuilder {
    AsyncPolicy::http().attempt_timeout(secs(1))
}

#[track_caller]
fn expect_recovery(report: &Report, within: u64) {
    let recovery = report.recovery();
    assert!(recovery.is_some_and(|recovery| recovery <= secs(within)), "{recovery:?}");
}

#[test]
fn clients_with_traffic_outlive_an_outage() {
    for clients in [100, 1000] {
        expect_recovery(&outage(clients, 10, AsyncPolicy::http), 1);
        expect_recovery(&outage(clients, 10, impatient), 40);
    }
}

/// Without the budget the same clients never recover: the breaker alone is not enough.
#[test]
fn the_budget_is_what_ends_it_for_clients_that_call_rarely() {
    let unlimited = || {
        let mut retry = Preset::Http.spec().retry.expect("it retries");
        retry.budget = None;
        impatient().retry(retry)
    };
    assert_eq!(outage(10_000, 10, unlimited).recovery(), None);
    expect_recovery(&outage(10_000, 10, impatient), 95);
}

/// The retries of the whole outage: the tokens of all clients, and none after those.
#[test]
fn in_the_outage_every_client_spends_its_tokens_and_no_more() {
    let report = outage(1000, 60, AsyncPolicy::http);
    let during = report.sum(30..90);
    assert!(during.attempts <= during.offered + 2 * 100, "{during:?}");
    assert!(during.rejected > during.offered / 4, "breakers reject a part: {during:?}");
}
