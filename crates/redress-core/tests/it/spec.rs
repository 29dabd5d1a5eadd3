//! Breakers and budgets as plain data: specs are built, read back, and have a text form.

use std::time::Duration;

use redress_core::breaker::{BreakerSpec, CircuitBreakerBuilder, ProbeLease};
use redress_core::budget::BudgetSpec;
use redress_core::{Budget, CircuitBreaker, ErrorClass};
use redress_testing::VirtualClock;

use crate::lab::secs;

#[test]
fn the_defaults_are_those_documented() {
    let spec = BreakerSpec::default();
    assert_eq!((spec.name.as_deref(), spec.threshold()), (None, Some(5)));
    assert_eq!((spec.window(), spec.recovery_timeout), (secs(60), secs(30)));
    assert_eq!((spec.probe_lease, spec.lease()), (ProbeLease::RecoveryTimeout, Some(secs(30))));
    assert_eq!(spec.trip_on, [ErrorClass::Transient, ErrorClass::ServerError]);
    assert_eq!(spec.class_thresholds, []);
    assert_eq!(CircuitBreaker::builder().build().expect("valid").spec(), spec);
}

/// Each field set in the data and by the builder gives the same breaker, and differs from the
/// default.
#[test]
fn the_data_and_the_builder_agree_in_every_field() {
    type Set = fn(&mut BreakerSpec);
    type Build = fn(CircuitBreakerBuilder) -> CircuitBreakerBuilder;
    let rows: [(Set, Build); 8] = [
        (|spec| spec.name = Some("orders-db".into()), |builder| builder.name("orders-db")),
        (|spec| spec.failure_threshold = Some(7), |builder| builder.failure_threshold(7)),
        (|spec| spec.window = Some(secs(9)), |builder| builder.window(secs(9))),
        (|spec| spec.recovery_timeout = secs(8), |builder| builder.recovery_timeout(secs(8))),
        (|spec| spec.probe_lease = ProbeLease::Lasts(secs(7)), |builder| builder.probe_lease(secs(7))),
        (|spec| spec.probe_lease = ProbeLease::Endless, CircuitBreakerBuilder::no_probe_lease),
        (|spec| spec.trip_on = vec![ErrorClass::Auth], |builder| builder.trip_on([ErrorClass::Auth])),
        (
            |spec| spec.class_thresholds = vec![(ErrorClass::RateLimit, 3), (ErrorClass::RateLimit, 2)],
            |builder| builder.class_threshold(ErrorClass::RateLimit, 3).class_threshold(ErrorClass::RateLimit, 2),
        ),
    ];
    let (mut all, mut builder) = (BreakerSpec::default(), CircuitBreaker::builder());
    for (set, build) in rows {
        let mut spec = BreakerSpec::default();
        set(&mut spec);
        assert_ne!(spec, BreakerSpec::default());
        for made in [CircuitBreaker::from_spec(spec.clone()), build(CircuitBreaker::builder())] {
            assert_eq!(made.build().expect("valid").spec(), spec);
        }
        set(&mut all);
        builder = build(builder);
    }
    assert_eq!(builder.build().expect("valid").spec(), all);
}

#[test]
fn data_is_checked_when_it_is_built() {
    let mut spec = BreakerSpec::default();
    spec.failure_threshold = Some(0);
    spec.probe_lease = ProbeLease::Lasts(Duration::ZERO);
    let error = CircuitBreaker::from_spec(spec).build().expect_err("two rules are broken");
    let fields: Vec<_> = error.issues().iter().map(redress_core::error::ConfigIssue::field).collect();
    assert_eq!(fields, ["circuit_breaker.failure_threshold", "circuit_breaker.probe_lease"]);
    assert!(Budget::from_spec(BudgetSpec::new(1, Duration::ZERO)).is_err());
}

#[test]
fn a_breaker_reads_as_one_line() {
    use ErrorClass::{Auth, RateLimit, ServerError, Transient};
    let rows = [
        (
            CircuitBreaker::builder(),
            "breaker: opens at 5 failures in 1 min (TRANSIENT, SERVER_ERROR), probes after 30 s, \
             supersedes a silent probe after 30 s",
        ),
        (
            CircuitBreaker::builder().name("db").class_threshold(RateLimit, 2).class_threshold(Auth, 1).trip_on([Auth]),
            "breaker db: opens at 1 AUTH in 1 min or 2 RATE_LIMIT in 1 min, probes after 30 s, \
             supersedes a silent probe after 30 s",
        ),
        (
            CircuitBreaker::builder().trip_on([ServerError, Transient]).class_threshold(RateLimit, 2).no_probe_lease(),
            "breaker: opens at 5 failures in 1 min (SERVER_ERROR, TRANSIENT) or 2 RATE_LIMIT in 1 min, probes after 30 s, \
             never supersedes a probe",
        ),
        (
            CircuitBreaker::builder().trip_on([]).probe_lease(secs(2)),
            "breaker: never opens, probes after 30 s, supersedes a silent probe after 2 s",
        ),
    ];
    for (builder, expected) in rows {
        assert_eq!(builder.build().expect("valid").spec().to_string(), expected);
    }
}

#[test]
fn a_budget_gives_its_data_back() {
    let spec = BudgetSpec::new(7, secs(9));
    assert_eq!(spec, BudgetSpec::Window { max_retries: 7, window: secs(9) });
    let clock = VirtualClock::new();
    let budgets = [Budget::new(7, secs(9)), Budget::from_spec(spec.clone()), Budget::with_clock(7, secs(9), clock)];
    for budget in budgets.map(|budget| budget.expect("valid")) {
        assert_eq!((budget.spec(), budget.capacity()), (spec.clone(), 7.0));
        assert_eq!(budget.remaining(), 7);
    }
    assert_eq!(spec.to_string(), "budget: at most 7 retries in 9 s");
}
