//! Each check: a policy that it warns of, and the same with the advice followed.

use std::time::Duration;

use redress::breaker::{CircuitBreakerBuilder, RecoveryGrowth};
use redress::doctor::{Circumstances, Code, Finding, Severity, Traffic, examine};
use redress::policy::{PolicySpec, Preset, RetryBuilder};
use redress::strategy::{Jitter, StrategySpec, adaptive};
use redress::{Budget, CircuitBreaker, ErrorClass, Policy, Retry, exponential, fixed, retry_after_or};

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) fn budgeted() -> RetryBuilder {
    Retry::builder().max_attempts(4).budget(Budget::earned(0.1).capacity(1.0).build().expect("valid"))
}

pub(crate) fn with_retry(retry: RetryBuilder) -> PolicySpec {
    Policy::builder().retry(retry).deadline(secs(20)).build().expect("valid").spec()
}

pub(crate) fn with_breaker(breaker: CircuitBreakerBuilder) -> PolicySpec {
    Policy::builder().deadline(secs(20)).circuit_breaker(breaker).build().expect("valid").spec()
}

pub(crate) fn warnings(spec: &PolicySpec, used: &Circumstances) -> Vec<Finding> {
    examine(spec, used).into_iter().filter(|finding| finding.severity > Severity::Note).collect()
}

/// The codes and fields that are warned of.
pub(crate) fn warned(spec: &PolicySpec, used: &Circumstances) -> Vec<(&'static str, &'static str)> {
    warnings(spec, used).iter().map(|finding| (finding.code.as_str(), finding.field)).collect()
}

pub(crate) fn unused() -> Circumstances {
    Circumstances::new()
}

pub(crate) fn traffic(calls_per_second: f64, clients: u32) -> Circumstances {
    Circumstances::new().traffic(Traffic::new(calls_per_second, clients))
}

/// The text of the only warning.
pub(crate) fn why(spec: &PolicySpec, used: &Circumstances) -> String {
    let [finding] = &warnings(spec, used)[..] else { panic!("one warning: {:?}", warnings(spec, used)) };
    finding.why.clone()
}

#[test]
fn a_sound_policy_has_notes_alone() {
    let spec = with_retry(budgeted());
    assert_eq!(warned(&spec, &unused()), []);
    assert_eq!(warned(&spec, &traffic(700.0, 10)), []);
    let codes: Vec<_> = examine(&spec, &unused()).iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::WorstTime, Code::WorstCalls, Code::ExtraLoad]);
}

#[test]
fn rd00_what_build_refuses_is_an_error_and_all_that_is_found() {
    let mut spec = with_retry(Retry::builder());
    spec.retry.as_mut().expect("retries").max_attempts = 0;
    spec.deadline = Some(Duration::ZERO);
    let found = examine(&spec, &unused());
    let found: Vec<_> = found.iter().map(|finding| (finding.code, finding.severity, finding.field)).collect();
    assert_eq!(
        found,
        [(Code::Refused, Severity::Error, "retry.max_attempts"), (Code::Refused, Severity::Error, "policy.deadline")]
    );
    let texts: Vec<_> = examine(&spec, &unused()).into_iter().map(|finding| finding.why).collect();
    assert_eq!(texts, ["0 is refused", "0 s is refused"]);
}

#[test]
fn rd00_parts_that_are_code_are_not_refused() {
    let closure = |_: &redress::strategy::BackoffContext<'_>| secs(1);
    assert_eq!(warned(&with_retry(budgeted().strategy(closure)), &unused()), []);
    assert_eq!(warned(&with_retry(budgeted().strategy(retry_after_or(closure))), &unused()), []);
}

#[test]
fn rd01_a_call_without_a_limit() {
    let open = || Policy::builder().retry(budgeted()).no_deadline();
    let hangs = open().build().expect("valid").spec();
    assert_eq!(warned(&hangs, &unused()), [("RD01", "policy.deadline")]);
    let waits = open().attempt_timeout(secs(1)).build().expect("valid").spec();
    assert_eq!(why(&waits, &unused()), "a call may take for ever: it waits as long as a hint asks for");
    let hinted = Policy::builder().retry(budgeted().max_retry_after(secs(9))).no_deadline().attempt_timeout(secs(1));
    assert_eq!(warned(&hinted.build().expect("valid").spec(), &unused()), []);
    let finishes = Policy::builder().retry(budgeted()).deadline(secs(9)).finish_running_attempt();
    assert_eq!(
        warned(&finishes.build().expect("valid").spec(), &unused()),
        [("RD01", "policy.finish_running_attempt")]
    );
}

#[test]
fn rd01_says_how_long_a_call_takes() {
    let time = |spec: PolicySpec, used: &Circumstances| examine(&spec, used)[0].why.clone();
    let base = || {
        let retry = budgeted().max_retry_after(secs(1)).strategy(fixed(secs(1)));
        Policy::builder().retry(retry).attempt_timeout(secs(2))
    };
    let open = base().no_deadline().build().expect("valid").spec();
    assert_eq!(time(open.clone(), &unused()), "a call takes at most 11 s, with 4 attempts of 2 s");
    assert!(time(open, &unused().blocking()).starts_with("no limit cuts a blocking attempt that hangs"));
    let ended = base().deadline(secs(5)).build().expect("valid").spec();
    assert_eq!(time(ended, &unused()), "a call takes at most 5 s, which is its deadline");
    let once = Policy::builder().deadline(secs(5)).build().expect("valid").spec();
    assert_eq!(time(once, &unused()), "a call takes at most 5 s, which is its deadline");
}

#[test]
fn rd04_says_what_an_outage_gets() {
    let load = |spec: &PolicySpec, used: &Circumstances| {
        examine(spec, used).into_iter().find(|finding| finding.code == Code::ExtraLoad).map(|finding| finding.why)
    };
    assert_eq!(
        load(&with_retry(budgeted()), &traffic(700.0, 10)).expect("retries"),
        "when every attempt fails, the load is 4 times that of the calls: 2,800 instead of 700 requests/s, until each \
         client has spent its 1 token"
    );
    let window = Budget::new(60, secs(60)).expect("valid");
    assert!(
        load(&with_retry(Retry::builder().budget(window)), &unused()).expect("retries").contains("60 retries in 1 min")
    );
    assert_eq!(load(&with_retry(Retry::builder().max_attempts(1)), &unused()), None);
}

#[test]
fn rd10_attempts_of_layers_multiply() {
    let spec = with_retry(budgeted());
    let layers = unused().layer("sdk", 3).layer("mesh", 2).layer("proxy", 1);
    assert_eq!(why(&spec, &layers), "4 attempts here, times 3 in sdk, times 2 in mesh, are 24 requests for one call");
    assert_eq!(warned(&spec, &unused().layer("proxy", 1)), []);
    assert_eq!(warned(&with_retry(Retry::builder().max_attempts(1)), &layers), []);
}

#[test]
fn rd11_retries_need_a_budget() {
    assert_eq!(warned(&with_retry(Retry::builder().max_attempts(4)), &unused()), [("RD11", "retry.budget")]);
    assert_eq!(warned(&with_retry(Retry::builder().max_attempts(1)), &unused()), []);
}

#[test]
fn rd12_an_earned_budget_binds_in_time() {
    let capacity = |tokens: f64| {
        let budget = Budget::earned(0.1).capacity(tokens).build().expect("valid");
        with_retry(Retry::builder().max_attempts(4).budget(budget))
    };
    assert_eq!(warned(&capacity(10.0), &traffic(700.0, 1_000)), []); // 4.8 s
    let late = warnings(&capacity(10.0), &traffic(700.0, 10_000));
    assert_eq!(late.len(), 1);
    assert_eq!(late[0].code, Code::SlowBudget);
    assert_eq!(late[0].why, "in an outage, 10,000 clients with 10 tokens each retry without a limit for 47.6 s");
    assert_eq!(late[0].how, "with a capacity of 1, they do so for 4.76 s");
    assert_eq!(warned(&capacity(1.0), &traffic(700.0, 10_000)), []);
}

#[test]
fn rd12_costs_and_reserves_count() {
    let budget = Budget::earned(0.1).capacity(20.0).reserve(10.0);
    let reserved = with_retry(Retry::builder().max_attempts(4).budget(budget.clone().build().expect("valid")));
    assert_eq!(warned(&reserved, &traffic(700.0, 1_000)), []);
    assert_eq!(warned(&reserved, &traffic(350.0, 1_000)), [("RD12", "budget.capacity")]);
    let dear = ErrorClass::ALL.iter().fold(budget, |budget, class| budget.cost_for(*class, 2)).build().expect("valid");
    let dear = with_retry(Retry::builder().max_attempts(4).budget(dear));
    assert_eq!(warned(&dear, &traffic(350.0, 1_000)), []);
}

#[test]
fn rd12_a_window_budget_is_a_share_of_the_calls() {
    let spec = with_retry(Retry::builder().max_attempts(4).budget(Budget::new(60, secs(60)).expect("valid")));
    assert_eq!(warned(&spec, &traffic(700.0, 100)), []);
    assert_eq!(
        why(&spec, &traffic(700.0, 1_000)),
        "1,000 clients with 60 retries in 1 min each add 143 % to the load, for as long as an outage lasts"
    );
}

#[test]
fn rd13_a_part_of_a_token_is_a_chance() {
    let spec = |tokens: f64, cost: u32| {
        let budget = Budget::earned(0.1).capacity(tokens).cost_for(ErrorClass::Transient, cost).build().expect("valid");
        with_retry(Retry::builder().budget(budget))
    };
    assert!(why(&spec(0.3, 1), &unused()).contains("with a chance of 30 %"));
    assert_eq!(warned(&spec(1.0, 1), &unused()), []);
    assert!(why(&spec(1.0, 2), &unused()).contains("after TRANSIENT, which costs 2 with a chance of 50 %"));
    // 0.07 calls a second of one client: a chance is what it should have.
    assert_eq!(warned(&spec(0.3, 1), &traffic(700.0, 10_000)), []);
    assert_eq!(warned(&spec(0.3, 1), &traffic(70_000.0, 10_000)), [("RD13", "budget.capacity")]);
}

#[test]
fn rd20_what_build_warns_of() {
    let spec = Policy::builder().retry(budgeted()).deadline(secs(5)).attempt_timeout(secs(5)).build().expect("valid");
    assert_eq!(warned(&spec.spec(), &unused()), [("RD20", "policy.attempt_timeout")]);
    assert_eq!(why(&spec.spec(), &unused()), "5 s has no effect, or an unexpected one");

    let found = warnings(&with_retry(budgeted().max_retries_for(ErrorClass::RateLimit, 5)), &unused());
    let text = "warning RD20 retry.max_retries_for(RATE_LIMIT): 5 has no effect, or an unexpected one; it should be \
                below the retries that max_attempts allows, or it never binds";
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), [text]);
    let never = with_breaker(CircuitBreaker::builder().trip_on([ErrorClass::Auth; 0]));
    assert_eq!(why(&never, &unused()), "an empty list has no effect, or an unexpected one");
}

#[test]
fn rd20_attempts_that_the_deadline_leaves_no_time_for() {
    let spec = |retry: RetryBuilder, deadline| {
        Policy::builder().retry(retry).deadline(deadline).build().expect("valid").spec()
    };
    let slow = budgeted().strategy(fixed(secs(2)));
    assert_eq!(
        why(&spec(slow.clone(), secs(5)), &unused()),
        "of 4 attempts, the waits and caps let at most 3 start before the deadline of 5 s"
    );
    assert_eq!(why(&spec(slow.clone(), secs(2)), &unused()), "the first wait is at least 2 s, and the deadline is 2 s");
    assert_eq!(warned(&spec(slow.clone(), secs(7)), &unused()), []);
    assert_eq!(warned(&spec(slow.max_retry_after(secs(7)), secs(7)), &unused()), [("RD20", "retry.max_retry_after")]);
}

#[test]
fn rd20_attempts_with_a_timeout_do_not_finish_after_the_deadline() {
    let base = || Policy::builder().deadline(secs(5)).finish_running_attempt();
    let spec = base().attempt_timeout(secs(1)).build().expect("valid").spec();
    assert_eq!(warned(&spec, &unused()), [("RD20", "policy.finish_running_attempt")]);
    assert_eq!(warned(&base().build().expect("valid").spec(), &unused()), [("RD01", "policy.finish_running_attempt")]);
}

#[test]
fn rd20_strategies_and_budgets_that_are_never_used() {
    let auth = budgeted().strategy(exponential()).strategy_for(ErrorClass::Auth, exponential());
    let found = warnings(&with_retry(auth), &unused());
    assert_eq!((found[0].field, found[0].class), ("retry.strategy_for", Some(ErrorClass::Auth)));
    let capped = budgeted().strategy(exponential()).strategy_for(ErrorClass::RateLimit, exponential());
    assert_eq!(warned(&with_retry(capped.clone()), &unused()), []);
    let capped = capped.max_retries_for(ErrorClass::RateLimit, 0);
    assert_eq!(warned(&with_retry(capped), &unused()), [("RD20", "retry.strategy_for")]);

    let nothing = Retry::builder().budget(Budget::new(0, secs(1)).expect("valid"));
    assert_eq!(warned(&with_retry(nothing), &unused()), [("RD20", "budget.max_retries")]);
    let reserved = Budget::earned(0.1).reserve(10.0).build().expect("valid");
    assert_eq!(warned(&with_retry(Retry::builder().budget(reserved)), &unused()), [("RD20", "budget.reserve")]);
}

#[test]
fn rd20_settings_of_a_breaker_that_others_make_pointless() {
    let honours = |cap| with_breaker(CircuitBreaker::builder().honour_retry_after(cap));
    assert_eq!(warned(&honours(secs(30)), &unused()), [("RD20", "circuit_breaker.honour_retry_after")]);
    assert_eq!(warned(&honours(secs(31)), &unused()), []);

    let slow = |after| {
        let breaker = CircuitBreaker::builder().slow_call(after);
        Policy::builder().attempt_timeout(secs(2)).circuit_breaker(breaker).build().expect("valid").spec()
    };
    assert_eq!(warned(&slow(secs(2)), &unused()), [("RD20", "circuit_breaker.slow_call")]);
    assert_eq!(warned(&slow(secs(1)), &unused()), []);

    let mut spec = with_breaker(CircuitBreaker::builder());
    if let Some(redress::policy::PolicyBreaker::Circuit(breaker)) = &mut spec.breaker {
        breaker.recovery_growth = Some(RecoveryGrowth::new(2.0, secs(30)));
    }
    assert_eq!(warned(&spec, &unused()), [("RD20", "circuit_breaker.recovery_growth")]);
    spec.breaker = None;
    spec.judge_attempts = true;
    assert_eq!(warned(&spec, &unused()), [("RD20", "policy.judge_attempts")]);
}

#[test]
fn rd20_rules_that_one_client_is_too_quiet_for() {
    let count = with_breaker(CircuitBreaker::builder());
    assert_eq!(why(&count, &traffic(700.0, 10_000)), "a client makes 4 calls in 1 min, so it never counts 5 failures");
    assert_eq!(warned(&count, &traffic(840.0, 10_000)), []);
    let ratio = with_breaker(CircuitBreaker::builder().failure_ratio(0.5));
    assert_eq!(warned(&ratio, &traffic(1.0, 2)), [("RD20", "circuit_breaker.min_calls")]);
    assert!(why(&ratio, &traffic(1.0, 100)).contains("less than 1 call (0.01 calls/s)"));
}

#[test]
fn rd21_normal_errors_open_a_counting_breaker() {
    let spec = with_breaker(CircuitBreaker::builder());
    assert_eq!(
        why(&spec, &traffic(100.0, 1)),
        "if 1 % of the calls fail in good health, a client with 100 calls/s opens its circuit about every 5 s (5 failures in 1 min)"
    );
    assert_eq!(warned(&spec, &traffic(0.5, 1)), []);
    let healthy = Circumstances::new().traffic(Traffic::new(100.0, 1).error_share(0.000_01));
    assert_eq!(warned(&spec, &healthy), []);
}

#[test]
fn rd21_noise_opens_a_ratio_and_a_row() {
    let low = with_breaker(CircuitBreaker::builder().failure_ratio(0.1));
    assert_eq!(warned(&low, &traffic(1.0, 1)), [("RD21", "circuit_breaker.failure_ratio")]);
    let half = with_breaker(CircuitBreaker::builder().failure_ratio(0.5));
    assert_eq!(warned(&half, &traffic(1.0, 1)), []);
    let row = |failures| with_breaker(CircuitBreaker::builder().consecutive_failures(failures));
    assert_eq!(warned(&row(2), &traffic(10.0, 1)), [("RD21", "circuit_breaker.consecutive_failures")]);
    assert_eq!(warned(&row(5), &traffic(10.0, 1)), []);
}

#[test]
fn rd22_waits_without_jitter() {
    let plain = exponential().jitter(Jitter::None);
    assert_eq!(warned(&with_retry(budgeted().strategy(plain)), &unused()), [("RD22", "exponential.jitter")]);
    let level = exponential().jitter(Jitter::None).factor(1.0);
    assert_eq!(warned(&with_retry(budgeted().strategy(level)), &unused()), []);

    let nested = retry_after_or(adaptive(exponential().jitter(Jitter::None))).jitter(Duration::ZERO);
    let limited = budgeted().strategy(exponential()).strategy_for(ErrorClass::RateLimit, nested);
    let found = warnings(&with_retry(limited), &unused());
    let found: Vec<_> = found.iter().map(|finding| (finding.field, finding.class)).collect();
    let class = Some(ErrorClass::RateLimit);
    assert_eq!(found, [("retry_after_or.jitter", class), ("exponential.jitter", class)]);
}

#[test]
fn rd23_probes_that_hang() {
    let endless = CircuitBreaker::builder().no_probe_lease();
    let hangs = Policy::builder().circuit_breaker(endless.clone()).build().expect("valid").spec();
    assert!(warned(&hangs, &unused()).contains(&("RD23", "circuit_breaker.probe_lease")));
    let leased = Policy::builder().circuit_breaker(CircuitBreaker::builder()).build().expect("valid").spec();
    assert!(warned(&leased, &unused()).contains(&("RD23", "policy.attempt_timeout")));
    assert_eq!(warned(&with_breaker(endless.clone()), &unused()), []);
    assert_eq!(warned(&with_breaker(endless), &unused().blocking()), [("RD23", "circuit_breaker.probe_lease")]);
}

#[test]
fn rd23_notes_a_lease_shorter_than_a_call() {
    let notes = |breaker: CircuitBreakerBuilder| {
        let found = examine(&with_breaker(breaker), &unused());
        found
            .into_iter()
            .filter(|finding| finding.code == Code::HeldProbe)
            .map(|finding| finding.why)
            .collect::<Vec<_>>()
    };
    assert_eq!(notes(CircuitBreaker::builder()), Vec::<String>::new());
    let short = CircuitBreaker::builder().recovery_timeout(secs(10));
    assert_eq!(notes(short), ["a probe is superseded after 10 s, while its call may take 20 s"]);
}

#[test]
fn rd24_retries_so_long_that_recovery_is_noticed_late() {
    let base = |recovery| {
        let breaker = CircuitBreaker::builder().recovery_timeout(recovery);
        let retry = Retry::builder().max_attempts(4).strategy(fixed(secs(1)));
        let retry = retry.budget(Budget::earned(0.1).build().expect("valid"));
        Policy::builder().retry(retry).deadline(secs(60)).attempt_timeout(secs(2)).circuit_breaker(breaker)
    };
    let spec = base(secs(1)).build().expect("valid").spec();
    assert_eq!(
        why(&spec, &unused()),
        "the breaker hears of a call after its retries, whose waits take up to 3 s, and probes every 1 s"
    );
    assert_eq!(warned(&base(secs(2)).build().expect("valid").spec(), &unused()), []);
    assert_eq!(warned(&base(secs(1)).judge_attempts().build().expect("valid").spec(), &unused()), []);
}

#[test]
fn presets_have_notes_alone() {
    for preset in Preset::ALL {
        assert_eq!(warned(&preset.spec(), &unused()), [], "{preset}");
    }
}

#[test]
fn waits_without_a_spec_are_without_a_limit() {
    use redress::doctor::WaitRange;

    let custom = WaitRange::of(&StrategySpec::Custom, 1, None);
    assert_eq!((custom.least, custom.most), (Duration::ZERO, Duration::MAX));
}
