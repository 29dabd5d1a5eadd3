//! Policies and retries as data: settings can be read back and rebuilt, and have a text form.

use std::sync::Arc;
use std::time::Duration;

use redress_core::breaker::{BreakerSpec, CircuitState};
use redress_core::budget::BudgetSpec;
use redress_core::driver::{InstantTimer, NoTimer};
use redress_core::policy::{PolicyBreaker, PolicyBuilder, PolicySpec, RetryBuilder, RetrySpec};
use redress_core::strategy::{BackoffContext, StrategySpec};
use redress_core::{AsyncPolicy, Budget, CircuitBreaker, ErrorClass, Policy, Retry, StopReason, exponential, fixed};

use crate::lab::{Answer, ByClass, Failed, fails, secs};

fn custom(_: &BackoffContext<'_>) -> Duration {
    Duration::ZERO
}

#[test]
fn every_setting_of_a_retry_is_a_field_and_back() {
    type Build = fn(RetryBuilder) -> RetryBuilder;
    type Set = fn(&mut RetrySpec);
    let rows: [(Build, Set); 9] = [
        (|retry| retry.max_attempts(3), |spec| spec.max_attempts = 3),
        (|retry| retry.max_unknown_retries(1), |spec| spec.max_unknown_retries = Some(1)),
        (RetryBuilder::unlimited_unknown_retries, |spec| spec.max_unknown_retries = None),
        (
            |retry| retry.max_retries_for(ErrorClass::RateLimit, 2),
            |spec| {
                spec.max_retries_for[ErrorClass::RateLimit] = Some(2);
            },
        ),
        (
            |retry| retry.strategy(fixed(secs(1))),
            |spec| {
                spec.strategy = Some(StrategySpec::Fixed { delay: secs(1) });
            },
        ),
        (
            |retry| retry.strategy_for(ErrorClass::RateLimit, fixed(secs(2))),
            |spec| {
                spec.strategies[ErrorClass::RateLimit] = Some(StrategySpec::Fixed { delay: secs(2) });
            },
        ),
        (
            |retry| retry.budget(Budget::new(5, secs(9)).expect("valid")),
            |spec| {
                spec.budget = Some(BudgetSpec::new(5, secs(9)));
            },
        ),
        (RetryBuilder::ignore_retry_after, |spec| spec.ignore_retry_after = true),
        (|retry| retry.max_retry_after(secs(7)), |spec| spec.max_retry_after = Some(secs(7))),
    ];
    let (mut all, mut all_built) = (RetrySpec::default(), Retry::builder());
    for (build, set) in rows {
        let mut spec = RetrySpec::default();
        set(&mut spec);
        assert_ne!(spec, RetrySpec::default());
        assert_eq!(build(Retry::builder()).build().expect("valid").spec(), &spec);
        assert_eq!(Retry::from_spec(spec.clone()).build().expect("valid").spec(), &spec);
        assert_eq!(Policy::builder().retry(spec.clone()).build().expect("valid").spec().retry, Some(spec));
        set(&mut all);
        all_built = build(all_built);
    }
    assert_eq!(all_built.build().expect("valid").spec(), &all);
}

#[test]
fn every_setting_of_a_policy_is_a_field_and_back() {
    type Built<K> = PolicyBuilder<redress_core::classify::DefaultClassifier, K>;
    type Row<K> = (fn(Built<K>) -> Built<K>, fn(&mut PolicySpec));
    fn rows<K>() -> [Row<K>; 8] {
        [
            (|policy| policy.name("orders"), |spec| spec.name = Some("orders".into())),
            (
                |policy| policy.retry(Retry::builder().max_attempts(3)),
                |spec| {
                    let mut retry = RetrySpec::default();
                    retry.max_attempts = 3;
                    spec.retry = Some(retry);
                    spec.deadline = Some(secs(60));
                },
            ),
            (
                |policy| policy.circuit_breaker(CircuitBreaker::builder()),
                |spec| {
                    spec.breaker = Some(PolicyBreaker::Circuit(BreakerSpec::default()));
                },
            ),
            (|policy| policy.attempt_timeout(secs(2)), |spec| spec.attempt_timeout = Some(secs(2))),
            (PolicyBuilder::finish_running_attempt, |spec| spec.finish_running_attempt = true),
            (|policy| policy.deadline(secs(5)), |spec| spec.deadline = Some(secs(5))),
            (PolicyBuilder::no_deadline, |spec| spec.deadline = None),
            (|policy| policy.attempt_timeout(secs(2)).no_attempt_timeout(), |spec| spec.attempt_timeout = None),
        ]
    }
    let nothing = Policy::builder().build().expect("valid").spec();
    let asynchronous = rows().into_iter();
    for ((build, set), (build_async, _)) in rows().into_iter().zip(asynchronous) {
        let mut spec = nothing.clone();
        set(&mut spec);
        assert_eq!(build(Policy::builder()).build().expect("valid").spec(), spec);
        assert_eq!(Policy::from_spec(spec.clone()).build().expect("valid").spec(), spec);
        let polled = build_async(AsyncPolicy::<_, NoTimer>::builder()).build().expect("valid");
        assert_eq!(polled.spec(), spec);
        let polled = AsyncPolicy::<_, InstantTimer>::from_spec(spec.clone()).build().expect("valid");
        assert_eq!(polled.spec(), spec);
    }
}

#[test]
fn the_default_policy_is_the_default_spec() {
    assert_eq!(Policy::default().spec(), PolicySpec::default());
    assert_eq!(AsyncPolicy::<_, InstantTimer>::default().spec(), PolicySpec::default());
    assert_eq!(Policy::from(Retry::default()).spec(), PolicySpec::default());
    assert_eq!(Policy::from_spec(PolicySpec::default()).build().expect("valid").spec(), PolicySpec::default());
    let retrying = Policy::builder().retry(Retry::builder()).build().expect("valid");
    assert_eq!(retrying.spec(), PolicySpec::default());
}

#[test]
fn an_empty_name_is_none() {
    assert_eq!(Policy::builder().name("").build().expect("valid").spec().name, None);
}

#[test]
fn what_is_the_callers_own_shows_as_custom_and_is_not_built_from_data() {
    let breaker = Arc::new(CircuitBreaker::builder().build().expect("valid"));
    let retry = Retry::builder().strategy(custom).strategy_for(ErrorClass::RateLimit, custom);
    let policy = Policy::builder().retry(retry).circuit_breaker(breaker).build().expect("valid");
    let spec = policy.spec();
    let retry = spec.retry.as_ref().expect("it retries");
    assert_eq!(retry.strategy, Some(StrategySpec::Custom));
    assert_eq!(retry.strategies[ErrorClass::RateLimit], Some(StrategySpec::Custom));
    assert_eq!(spec.breaker, Some(PolicyBreaker::Custom));

    let refused = Policy::from_spec(spec.clone()).build().expect_err("code is no data");
    let fields: Vec<_> = refused.issues().iter().map(redress_core::error::ConfigIssue::field).collect();
    assert_eq!(fields, ["retry.strategy", "retry.strategy_for", "policy.circuit_breaker"]);
    let text = refused.issues()[0].to_string();
    assert!(text.starts_with("retry.strategy = custom must be given to the builder"), "{text}");

    let retry = Retry::from_spec(retry.clone()).strategy(custom).strategy_for(ErrorClass::RateLimit, fixed(secs(1)));
    let given = Policy::from_spec(spec).retry(retry).circuit_breaker(CircuitBreaker::builder());
    assert!(given.build().is_ok());
}

#[test]
fn what_is_wrong_in_a_spec_is_refused_when_it_is_built() {
    let mut spec = PolicySpec::default();
    let mut retry = RetrySpec::default();
    retry.max_attempts = 0;
    retry.strategy = Some(exponential().base(Duration::ZERO).spec_of());
    retry.budget = Some(BudgetSpec::new(1, Duration::ZERO));
    spec.retry = Some(retry);
    spec.deadline = Some(Duration::ZERO);
    let mut breaker = BreakerSpec::default();
    breaker.failure_threshold = Some(0);
    spec.breaker = Some(PolicyBreaker::Circuit(breaker));
    let refused = Policy::from_spec(spec).build().expect_err("it is refused");
    let fields: Vec<_> = refused.issues().iter().map(redress_core::error::ConfigIssue::field).collect();
    let expected = [
        "retry.max_attempts",
        "exponential.base",
        "budget.window",
        "policy.deadline",
        "circuit_breaker.failure_threshold",
    ];
    assert_eq!(fields, expected);
}

/// A strategy's spec, by its trait.
trait SpecOf {
    fn spec_of(&self) -> StrategySpec;
}

impl<S: redress_core::strategy::Strategy> SpecOf for S {
    fn spec_of(&self) -> StrategySpec {
        self.spec()
    }
}

#[test]
fn each_policy_of_one_spec_has_a_budget_and_a_breaker_for_itself() {
    let mut retry = RetrySpec::default();
    retry.strategy = Some(StrategySpec::Fixed { delay: Duration::ZERO });
    retry.budget = Some(BudgetSpec::new(1, secs(60)));
    let mut spec = PolicySpec::default();
    spec.retry = Some(retry);
    let make = || Policy::from_spec(spec.clone()).classifier(ByClass).build().expect("valid");
    for policy in [make(), make()] {
        let outcome = policy.execute(|| fails(ErrorClass::Transient));
        assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::BudgetExhausted), 2));
    }
}

#[test]
fn what_is_alike_has_the_settings_and_nothing_else() {
    let breaker = CircuitBreaker::builder().name("orders").failure_threshold(1).failure_ratio(0.5).min_calls(2);
    let first = breaker.build().expect("valid");
    first.try_acquire().expect("closed").failure(ErrorClass::Transient);
    let second = first.alike();
    assert_eq!((first.state(), second.state()), (CircuitState::Open, CircuitState::Closed));
    assert_eq!((second.spec(), second.alike().spec()), (first.spec(), first.spec()));
    second.alike().try_acquire().expect("closed").failure(ErrorClass::Transient);
    assert_eq!(second.state(), CircuitState::Closed, "they share no count");

    for budget in
        [Budget::new(1, secs(60)), Budget::earned(0.5).capacity(1.0).build()].map(|budget| budget.expect("valid"))
    {
        assert!(budget.consume() && !budget.consume());
        let other = budget.alike();
        assert_eq!(other.spec(), budget.spec());
        assert!(other.consume() && !other.consume());
        assert!(other.alike().consume());
    }
}

#[test]
fn a_policy_for_one_tenant_shares_all_but_the_budget() {
    let retry = Retry::builder()
        .strategy(fixed(Duration::ZERO))
        .max_attempts(3)
        .budget(Budget::new(9, secs(60)).expect("valid"));
    let breaker = CircuitBreaker::builder().failure_threshold(2);
    let all = Policy::builder().retry(retry).circuit_breaker(breaker).classifier(ByClass).build().expect("valid");
    let poor = all.with_budget(Budget::new(1, secs(60)).expect("valid"));
    let outcome = poor.execute(|| fails(ErrorClass::Transient));
    assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::BudgetExhausted), 2));
    assert_eq!(all.budget().map(Budget::remaining), Some(9), "it has its budget still");
    assert_eq!(poor.spec().retry.and_then(|retry| retry.budget), Some(BudgetSpec::new(1, secs(60))));
    assert_eq!(all.execute(|| fails(ErrorClass::Transient)).attempts(), 3);
    assert_eq!(poor.circuit_state(), Some(CircuitState::Open), "both count in one breaker");

    let earned = all.with_budget(Budget::earned(0.5).capacity(2.0).build().expect("valid"));
    let account = earned.budget().expect("it has one").clone();
    assert!(account.consume() && account.consume());
    assert!(
        earned
            .with_circuit_breaker(CircuitBreaker::builder())
            .expect("valid")
            .call(|| Ok::<_, Failed>(Answer::Good))
            .is_ok()
    );
    assert_eq!(account.balance(), 0.5, "successes pay in");
}

#[test]
fn a_policy_for_one_dependency_shares_all_but_the_breaker() {
    let budget = Budget::new(9, secs(60)).expect("valid");
    let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2).budget(budget.clone());
    let all = Policy::builder().name("hosts").retry(retry).classifier(ByClass).build().expect("valid");
    let named = |host: &'static str| CircuitBreaker::builder().name(host).failure_threshold(1);
    let [bad, good] = ["bad", "good"].map(|host| all.with_circuit_breaker(named(host)).expect("valid"));
    assert!(bad.call(|| fails(ErrorClass::Transient)).is_err());
    assert_eq!(bad.circuit_state(), Some(CircuitState::Open));
    assert_eq!((good.circuit_state(), all.circuit_state()), (Some(CircuitState::Closed), None));
    assert_eq!((budget.remaining(), good.budget().map(Budget::remaining)), (8, Some(8)));
    assert_eq!((good.name(), good.max_attempts()), (Some("hosts"), 2));
    let PolicySpec { breaker: Some(PolicyBreaker::Circuit(breaker)), .. } = good.spec() else { panic!("it has one") };
    assert_eq!(breaker.name.as_deref(), Some("good"));

    let refused = all.with_circuit_breaker(named("x").failure_threshold(0)).expect_err("it is refused");
    assert_eq!(refused.issues()[0].field(), "circuit_breaker.failure_threshold");
    let odd = all.with_circuit_breaker(named("x").trip_on([])).expect("valid");
    assert_eq!(odd.warnings()[0].field(), "circuit_breaker.trip_on");
    assert!(all.call(|| Err::<Answer, _>(Failed::Of(ErrorClass::Permanent))).is_err());
}

#[test]
fn a_page_says_what_a_policy_does() {
    let retry = Retry::builder()
        .strategy_for(ErrorClass::RateLimit, fixed(secs(30)))
        .max_retries_for(ErrorClass::RateLimit, 1)
        .max_retries_for(ErrorClass::Transient, 0)
        .max_retry_after(secs(90))
        .budget(Budget::new(20, secs(10)).expect("valid"));
    let breaker = Arc::new(CircuitBreaker::builder().build().expect("valid"));
    let policy = Policy::builder().retry(retry).circuit_breaker(breaker).finish_running_attempt();
    let expected = "\
policy
  ends within 1 min, but lets a running attempt finish
  at most 6 attempts
  at most 1 retry of RATE_LIMIT
  no retry of TRANSIENT
  at most 2 retries of UNKNOWN
  waits after RATE_LIMIT: a fixed delay of 30 s, at least the hint up to 1 min 30 s
  no retry of any other class
  budget: at most 20 retries in 10 s
  breaker: custom";
    assert_eq!(policy.build().expect("valid").spec().to_string(), expected);
    let once = Policy::builder().build().expect("valid");
    assert_eq!(once.spec().to_string(), "policy\n  no deadline\n  one attempt");
    let deaf = Policy::builder().retry(Retry::builder().ignore_retry_after().unlimited_unknown_retries());
    let page = deaf.no_deadline().build().expect("valid").spec().to_string();
    let waits = "  at most 6 attempts\n  waits: decorrelated jitter from 250 ms up to 5 s";
    assert_eq!(page, format!("policy\n  no deadline\n{waits}"));
}
