//! Results that others have published, or that can be computed.

use redress_core::{Budget, Retry, exponential, fixed};
use redress_sim::{Clients, Fault, Load, Scenario, Server};

use crate::{attempts, millis, once, secs};

/// Every request fails at once: retries alone make the load.
fn failing() -> Scenario {
    Scenario::new(Load::steady(200).then(secs(100), 0), Server::new(100, millis(1)))
        .fault(Fault::errors(secs(0), secs(120), 1.0, redress_core::ErrorClass::ServerError))
        .horizon(secs(120))
}

/// Brooker, "Fixing retries with token buckets and circuit breakers", 2022.
#[test]
fn n_retries_make_one_and_n_attempts_of_a_call() {
    for retries in [0, 1, 3] {
        let all = failing().run(Clients::sharing(1, once().retry(attempts(retries + 1)))).expect("valid").total();
        assert_eq!(all.attempts, all.offered * u64::from(retries + 1));
    }
}

/// The same: a bucket that a tenth of a token is paid into makes 1.1 at most, at any share of
/// failures that leaves successes to pay.
#[test]
fn a_bucket_of_a_tenth_makes_about_one_and_a_tenth() {
    let scenario = |share| {
        Scenario::new(Load::steady(500), Server::new(100, millis(1)))
            .fault(Fault::errors(secs(0), secs(200), share, redress_core::ErrorClass::ServerError))
            .horizon(secs(200))
    };
    let run = |share| {
        let budget = Budget::earned(0.1).capacity(50.0).build().expect("valid");
        let retry = Retry::builder().max_attempts(4).strategy(fixed(millis(10))).budget(budget);
        let all = scenario(share).run(Clients::sharing(1, once().retry(retry))).expect("valid").total();
        all.attempts as f64 / all.offered as f64
    };
    let [few, some, half, all] = [0.05, 0.2, 0.5, 1.0].map(run);
    assert!((1.04..1.06).contains(&few), "{few}: every failure is retried");
    assert!((1.08..1.10).contains(&some), "{some}");
    assert!((1.04..1.07).contains(&half), "{half}: half of the calls pay");
    assert!(all < 1.001, "{all}: none pays");
}

/// An outage stays for good exactly when load x attempts exceeds the capacity.
#[test]
fn an_outage_ends_at_24_percent_of_load_with_4_attempts_and_not_at_26() {
    let recovery = |load| {
        let retry = Retry::builder().max_attempts(4).strategy(exponential().base(millis(100)).max(secs(20)));
        Scenario::new(Load::steady(load), Server::new(1, millis(5)))
            .fault(Fault::stands_still(secs(30), secs(40)))
            .horizon(secs(640))
            .run(Clients::sharing(200, once().retry(retry)))
            .expect("valid")
            .recovery()
    };
    let [ends, stays] = [recovery(48), recovery(52)];
    assert!(ends.is_some_and(|time| time > secs(60) && time < secs(400)), "{ends:?} at 24 %");
    assert_eq!(stays, None, "at 26 %");
}

/// Calls that fail together come back together, unless their waits are spread.
#[test]
fn jitter_spreads_the_waves_of_retries() {
    let peak = |retry: redress_core::policy::RetryBuilder| {
        let scenario = Scenario::new(Load::steady(100), Server::new(1000, millis(1)))
            .fault(Fault::stands_still(secs(10), millis(10_500)))
            .fault(Fault::stops(millis(10_500), secs(11)))
            .horizon(secs(30));
        let report = scenario.run(Clients::sharing(100, once().retry(retry.max_attempts(2)))).expect("valid");
        report.seconds().iter().skip(12).map(|second| second.attempts).max()
    };
    let [together, spread] = [
        peak(Retry::builder().strategy(fixed(secs(4)))),
        peak(Retry::builder().strategy(exponential().base(secs(8)).max(secs(8)))),
    ];
    assert!(together > spread, "{together:?} {spread:?}");
}
