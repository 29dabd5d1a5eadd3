//! Where a warning begins: the last setting without it, the first with it, and what each text says
//! of other settings.

use std::time::Duration;

use redress::breaker::{CircuitBreakerBuilder, RecoveryGrowth};
use redress::doctor::{Circumstances, Code, Traffic, WaitRange, WorstCase, examine};
use redress::policy::{PolicyBreaker, PolicySpec, RetryBuilder};
use redress::strategy::{Jitter, Strategy as _, StrategySpec, adaptive};
use redress::{
    Budget, CircuitBreaker, ErrorClass, Policy, Retry, decorrelated_jitter, exponential, fixed, retry_after_or,
};

use crate::examine::{budgeted, secs, traffic, unused, warned, warnings, why, with_breaker, with_retry};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn without_retries(retry: RetryBuilder) -> RetryBuilder {
    let retryable = ErrorClass::ALL.iter().filter(|class| class.is_retryable());
    retryable.fold(retry, |retry, class| retry.max_retries_for(*class, 0))
}

#[test]
fn a_refused_breaker_is_found_and_a_custom_one_is_not_refused() {
    let mut spec = with_breaker(CircuitBreaker::builder());
    let Some(PolicyBreaker::Circuit(breaker)) = &mut spec.breaker else { panic!("a circuit breaker") };
    breaker.recovery_timeout = Duration::ZERO;
    assert_eq!(warned(&spec, &unused()), [("RD00", "circuit_breaker.recovery_timeout")]);
    spec.breaker = Some(PolicyBreaker::Custom);
    assert_eq!(warned(&spec, &unused()), []);
}

#[test]
fn a_deadline_that_no_call_reaches_is_not_how_long_it_takes() {
    let retry = budgeted().max_retry_after(secs(1)).strategy(fixed(secs(1)));
    let spec =
        Policy::builder().retry(retry).attempt_timeout(secs(2)).deadline(secs(60)).build().expect("valid").spec();
    assert_eq!(examine(&spec, &unused())[0].why, "a call takes at most 11 s, with 4 attempts of 2 s");
}

#[test]
fn no_traffic_is_no_traffic() {
    assert_eq!(warned(&with_breaker(CircuitBreaker::builder()), &traffic(0.0, 1)), []);
}

#[test]
fn a_budget_is_judged_by_retries_that_are_possible() {
    let slow = with_retry(budgeted().strategy(fixed(secs(20))));
    assert_eq!(warned(&slow, &traffic(700.0, 1_000)), [("RD20", "policy.deadline")]);
    let nothing = Retry::builder().budget(Budget::new(0, secs(1)).expect("valid"));
    assert_eq!(warned(&with_retry(nothing.max_attempts(1)), &unused()), []);
}

#[test]
fn a_capacity_that_binds_in_time_is_a_round_number() {
    let advice = |clients: u32| {
        let budget = Budget::earned(0.1).capacity(100.0).build().expect("valid");
        let spec = with_retry(Retry::builder().max_attempts(4).budget(budget));
        warnings(&spec, &traffic(700.0, clients)).remove(0).how
    };
    assert_eq!(advice(1_000), "with a capacity of 10, they do so for 4.76 s");
    assert_eq!(advice(500), "with a capacity of 20, they do so for 4.76 s");
    assert_eq!(advice(200), "with a capacity of 50, they do so for 4.76 s");
}

#[test]
fn a_capacity_that_binds_in_time_has_the_reserve_on_top() {
    let budget = Budget::earned(0.1).capacity(110.0).reserve(10.0).build().expect("valid");
    let spec = with_retry(Retry::builder().max_attempts(4).budget(budget));
    assert_eq!(warnings(&spec, &traffic(700.0, 1_000)).remove(0).how, "with a capacity of 20, they do so for 4.76 s");
}

#[test]
fn the_cheapest_class_spends_a_budget_most_slowly() {
    let budget = Budget::earned(0.1).capacity(10.0).cost_for(ErrorClass::Transient, 20).build().expect("valid");
    let spec = with_retry(Retry::builder().max_attempts(4).budget(budget));
    assert_eq!(warned(&spec, &traffic(700.0, 10_000)), [("RD12", "budget.capacity")]);
}

#[test]
fn a_window_budget_grants_a_share_to_each_client() {
    let spec = with_retry(Retry::builder().budget(Budget::new(30, secs(60)).expect("valid")));
    let text = "1,000 clients with 30 retries in 1 min each add 71.4 % to the load, for as long as an outage lasts";
    assert_eq!(why(&spec, &traffic(700.0, 1_000)), text);
    assert_eq!(warned(&spec, &traffic(250.0, 100)), [], "20 % is what retries may add");
}

#[test]
fn a_row_of_failures_is_one_of_a_client() {
    let row = with_breaker(CircuitBreaker::builder().consecutive_failures(4));
    assert_eq!(warned(&row, &traffic(10_000.0, 1_000)), []);
    assert_eq!(warned(&row, &traffic(10_000.0, 1)), [("RD21", "circuit_breaker.consecutive_failures")]);
}

#[test]
fn a_part_of_a_token_is_a_chance_for_traffic_that_earns_a_token_in_ten_seconds() {
    let budget = Budget::earned(0.1).capacity(0.3).build().expect("valid");
    let spec = with_retry(Retry::builder().budget(budget));
    let text = "a full budget of 0.3 tokens grants a retry with a chance of 30 %, also while the dependency is healthy";
    assert_eq!(why(&spec, &traffic(1.0, 1)), text);
    assert_eq!(warned(&spec, &traffic(0.9, 1)), []);
}

#[test]
fn caps_that_leave_no_retry_are_told_from_waits() {
    let capped = without_retries(budgeted());
    let found: Vec<_> = warnings(&with_retry(capped), &unused()).into_iter().map(|finding| finding.why).collect();
    assert!(
        found.contains(&"of 4 attempts, the waits and caps let at most 1 start before the deadline of 20 s".to_owned()),
        "{found:?}"
    );
}

#[test]
fn recovery_grows_by_a_factor_above_one_to_a_longer_limit() {
    let grown = |factor, max| {
        let mut spec = with_breaker(CircuitBreaker::builder());
        if let Some(PolicyBreaker::Circuit(breaker)) = &mut spec.breaker {
            breaker.recovery_growth = Some(RecoveryGrowth::new(factor, max));
        }
        warned(&spec, &unused())
    };
    assert_eq!(grown(1.5, secs(31)), []);
    assert_eq!(grown(1.0, secs(31)), [("RD20", "circuit_breaker.recovery_growth")]);
    assert_eq!(grown(1.5, secs(30)), [("RD20", "circuit_breaker.recovery_growth")]);
}

#[test]
fn a_window_is_reached_by_as_many_calls_as_a_rule_needs() {
    let ratio = with_breaker(CircuitBreaker::builder().failure_ratio(0.5).min_calls(30).window(secs(60)));
    assert_eq!(warned(&ratio, &traffic(0.5, 1)), []);
    assert_eq!(warned(&ratio, &traffic(0.4, 1)), [("RD20", "circuit_breaker.min_calls")]);
}

#[test]
fn once_a_day_is_rare() {
    let always =
        |calls_per_second: f64| Circumstances::new().traffic(Traffic::new(calls_per_second, 1).error_share(1.0));
    let row = with_breaker(CircuitBreaker::builder().consecutive_failures(1));
    let count = with_breaker(CircuitBreaker::builder().failure_threshold(1).window(secs(100_000)));
    for (spec, field) in [(row, "circuit_breaker.consecutive_failures"), (count, "circuit_breaker.failure_threshold")] {
        assert_eq!(warned(&spec, &always(1.0 / 86_400.0)), []);
        assert_eq!(warned(&spec, &always(1.0 / 86_000.0)), [("RD21", field)]);
    }
}

#[test]
fn a_count_that_opens_by_chance_is_left_out_or_replaced_by_a_ratio() {
    let advice = |breaker| warnings(&with_breaker(breaker), &traffic(100.0, 1)).remove(0).how;
    let counting = CircuitBreaker::builder().failure_threshold(5);
    assert_eq!(advice(counting.clone()), "judge busy clients by a share: `failure_ratio`");
    assert_eq!(advice(counting.failure_ratio(0.5)), "leave the count out: the ratio suffices");
}

#[test]
fn an_attempt_that_may_finish_is_not_ended_by_the_deadline() {
    let policy =
        Policy::builder().deadline(secs(20)).finish_running_attempt().circuit_breaker(CircuitBreaker::builder());
    let found = warned(&policy.build().expect("valid").spec(), &unused());
    assert_eq!(found, [("RD01", "policy.finish_running_attempt"), ("RD23", "policy.attempt_timeout")]);
}

/// `build()` warns of the timeout, after all checks have run.
#[test]
fn findings_are_in_the_order_of_their_codes() {
    let policy = Policy::builder().retry(budgeted().strategy(exponential().jitter(Jitter::None)));
    let spec = policy.deadline(secs(5)).attempt_timeout(secs(5)).build().expect("valid").spec();
    assert_eq!(warned(&spec, &unused()), [("RD20", "policy.attempt_timeout"), ("RD22", "exponential.jitter")]);
}

#[test]
fn a_hanging_attempt_is_one_finding_of_the_breaker() {
    let spec =
        Policy::builder().no_deadline().circuit_breaker(CircuitBreaker::builder()).build().expect("valid").spec();
    assert_eq!(warned(&spec, &unused()), [("RD01", "policy.deadline"), ("RD23", "policy.attempt_timeout")]);
}

#[test]
fn a_lease_as_long_as_a_call_or_an_attempt_suffices() {
    let noted = |spec: &PolicySpec| examine(spec, &unused()).iter().any(|finding| finding.code == Code::HeldProbe);
    let recovering = |recovery| CircuitBreaker::builder().recovery_timeout(recovery);
    assert!(!noted(&with_breaker(recovering(secs(20)))));
    let mut short = with_breaker(recovering(secs(19)));
    assert!(noted(&short));
    short.judge_attempts = true;
    assert!(!noted(&short));
}

#[test]
fn only_waits_of_classes_that_the_breaker_counts_delay_what_it_hears() {
    let warned_of = |breaker: CircuitBreakerBuilder, recovery| {
        let retry =
            budgeted().max_attempts(3).strategy(fixed(ms(1))).strategy_for(ErrorClass::RateLimit, fixed(secs(2)));
        let policy = Policy::builder().retry(retry).deadline(secs(60)).attempt_timeout(secs(1));
        let policy = policy.circuit_breaker(breaker.recovery_timeout(recovery)).build().expect("valid");
        warned(&policy.spec(), &unused())
    };
    assert_eq!(warned_of(CircuitBreaker::builder(), secs(1)), []);
    let counting = CircuitBreaker::builder().class_threshold(ErrorClass::RateLimit, 5);
    assert_eq!(warned_of(counting.clone(), ms(1_999)), [("RD24", "policy.judge_attempts")]);
    assert_eq!(warned_of(counting, secs(2)), []);
}

#[test]
fn a_multiplier_of_one_leaves_a_long_delay_as_it_is() {
    let delay = Duration::new(1 << 40, 1);
    let spec = StrategySpec::Adaptive {
        window: secs(60),
        target_success: 0.9,
        min_multiplier: 1.0,
        max_multiplier: 1.0,
        fallback: Box::new(StrategySpec::Fixed { delay }),
    };
    let range = WaitRange::of(&spec, 1, None);
    assert_eq!((range.least, range.most), (delay, delay));
}

/// 100 ms without jitter, a drawn zero, and 3 s from the base that the zero makes decorrelated
/// jitter start over from. Other orders are shorter, or the second wait takes the deadline.
#[test]
fn a_drawn_zero_before_decorrelated_jitter_counts() {
    let growing = exponential().base(ms(100)).factor(40.0).first_power(0).max(secs(100)).jitter(Jitter::None);
    let tiny = exponential().base(ms(1)).factor(1.0).max(ms(1)).jitter(Jitter::Full);
    let retry = Retry::builder()
        .max_attempts(4)
        .strategy(tiny)
        .strategy_for(ErrorClass::RateLimit, growing)
        .max_retries_for(ErrorClass::RateLimit, 1)
        .strategy_for(ErrorClass::Concurrency, decorrelated_jitter().base(secs(1)).max(secs(100)))
        .max_retries_for(ErrorClass::Concurrency, 1)
        .ignore_retry_after();
    let policy = Policy::builder().retry(retry).attempt_timeout(Duration::from_nanos(1)).deadline(ms(3_900));
    let worst = WorstCase::of(&policy.build().expect("valid").spec());
    assert_eq!((worst.time, worst.calls), (Some(ms(3_100) + Duration::from_nanos(4)), 4));
}

/// Without a deadline, after attempts that take 1 ns.
fn worst_of(retry: RetryBuilder) -> WorstCase {
    let policy = Policy::builder().retry(retry).attempt_timeout(Duration::from_nanos(1)).no_deadline();
    WorstCase::of(&policy.build().expect("valid").spec())
}

/// A retry whose waits of three classes have caps, and last 10 ms, 100 ms and 1 s; others last
/// 1 ms.
fn capped(max_attempts: u32, caps: [u32; 3]) -> WorstCase {
    let classes = [ErrorClass::RateLimit, ErrorClass::Concurrency, ErrorClass::ServerError];
    let retry = Retry::builder().max_attempts(max_attempts).strategy(fixed(ms(1))).ignore_retry_after();
    let waits = [10, 100, 1_000].map(ms);
    let retry =
        classes.into_iter().zip(caps).zip(waits).fold(retry, |retry, ((class, cap), wait)| {
            retry.strategy_for(class, fixed(wait)).max_retries_for(class, cap)
        });
    worst_of(retry.max_unknown_retries(max_attempts))
}

#[test]
fn one_hundred_and_twenty_eight_courses_are_followed_one_by_one() {
    // After 13 waits: 0 to 3 of the first, 0 to 3 of the second, 0 to 7 of the third.
    let worst = capped(15, [3, 3, 7]);
    let waits = 3 * ms(10) + 3 * ms(100) + 7 * secs(1) + ms(1);
    assert_eq!((worst.time, worst.calls), (Some(waits + Duration::from_nanos(15)), 15));
}

#[test]
fn more_courses_are_merged_and_bounded_too() {
    let worst = capped(250, [60, 60, 60]);
    let waits = 60 * ms(1_110) + 69 * ms(1);
    assert_eq!(worst.calls, 250);
    assert!(worst.time.is_some_and(|time| time >= waits + Duration::from_nanos(250)), "{worst:?}");
}

/// Kept apart, the courses would be so many that they are merged, and the caps would start over.
#[test]
fn caps_of_one_strategy_count_together() {
    let capped = ErrorClass::ALL.iter().copied().filter(|class| class.is_retryable() && *class != ErrorClass::Unknown);
    let retry = Retry::builder().max_attempts(31).strategy(fixed(secs(1))).ignore_retry_after();
    let retry = capped.fold(retry, |retry, class| retry.max_retries_for(class, 3));
    let retry = retry.strategy_for(ErrorClass::Unknown, fixed(ms(1))).max_unknown_retries(31);
    assert_eq!(worst_of(retry).time, Some(secs(4 * 3) + ms(30 - 4 * 3) + Duration::from_nanos(31)));
}

#[test]
fn caps_of_all_classes_allow_no_more_than_the_attempts() {
    let retryable = ErrorClass::ALL.iter().filter(|class| class.is_retryable());
    let retry = Retry::builder().max_attempts(4).strategy(fixed(ms(1)));
    assert_eq!(worst_of(retryable.fold(retry, |retry, class| retry.max_retries_for(*class, 2))).calls, 4);
}

#[test]
fn the_cap_of_unknown_failures_is_theirs_alone() {
    let retry = Retry::builder().max_attempts(6).strategy(fixed(ms(1))).max_unknown_retries(2).ignore_retry_after();
    let worst = worst_of(retry.strategy_for(ErrorClass::Unknown, fixed(secs(10))));
    assert_eq!(worst.time, Some(secs(20) + ms(3) + Duration::from_nanos(6)));
}

/// The most after a hint is the same with both strategies, and the next wait is not.
#[test]
fn a_longer_delay_before_decorrelated_jitter_counts() {
    let growing = decorrelated_jitter().base(secs(1)).max(secs(100));
    let retry = Retry::builder().max_attempts(3).strategy(fixed(ms(1))).strategy_for(ErrorClass::RateLimit, growing);
    let worst = worst_of(retry.max_retry_after(secs(5)));
    assert_eq!(worst.time, Some(secs(5 + 9) + Duration::from_nanos(3)));
}

/// One wait of 1000 s makes every later one of decorrelated jitter its longest, 3000 s. The short
/// waits are not part of the longest call, and make courses that none of the others beats.
#[test]
fn merged_courses_have_the_longest_next_delay() {
    let growing = decorrelated_jitter().base(ms(1)).max(secs(3_000));
    let retry = Retry::builder().max_attempts(10).strategy(growing).ignore_retry_after();
    let short = [(ErrorClass::RateLimit, 1), (ErrorClass::ServerError, 2), (ErrorClass::Transient, 3)];
    let retry = short.into_iter().fold(retry, |retry, (class, micros)| {
        retry.strategy_for(class, fixed(Duration::from_micros(micros))).max_retries_for(class, 8)
    });
    let retry = retry.strategy_for(ErrorClass::Unknown, fixed(secs(1_000))).max_unknown_retries(1);
    assert_eq!(worst_of(retry).time, Some(secs(1_000 + 8 * 3_000) + Duration::from_nanos(10)));
}

/// A strategy that reads hints computes a delay only without one: 3 s and then 9 s. A delay of 5 s,
/// the longest hint, is not one that the next delay grows from.
#[test]
fn a_hint_is_no_floor_of_a_strategy_that_reads_it() {
    let growing = decorrelated_jitter().base(secs(1)).max(secs(100));
    let retry = Retry::builder().max_attempts(3).strategy(retry_after_or(growing).jitter(Duration::ZERO));
    assert_eq!(worst_of(retry.max_retry_after(secs(5))).time, Some(secs(3 + 9) + Duration::from_nanos(3)));
}

#[test]
fn the_longest_hint_is_jittered_and_multiplied() {
    let once = |retry: RetryBuilder| worst_of(retry.max_attempts(2).max_retry_after(secs(5))).time;
    let hinted = || retry_after_or(fixed(ms(1))).jitter(secs(1));
    let attempts = Duration::from_nanos(2);
    assert_eq!(once(Retry::builder().strategy(hinted())), Some(secs(6) + attempts));
    let learning = adaptive(hinted()).max_multiplier(2.0);
    assert_eq!(once(Retry::builder().strategy(learning)), Some(secs(12) + attempts));
}

#[test]
fn the_range_of_each_strategy() {
    let of = |spec: &StrategySpec, attempt, prev: Option<u64>| {
        let range = WaitRange::of(spec, attempt, prev.map(ms));
        (range.least.as_millis(), range.most.as_millis())
    };
    let jittered = |jitter| exponential().base(ms(100)).factor(3.0).first_power(0).max(secs(1)).jitter(jitter).spec();
    assert_eq!(
        [1, 2, 4].map(|attempt| of(&jittered(Jitter::None), attempt, None)),
        [(100, 100), (300, 300), (1_000, 1_000)]
    );
    assert_eq!([1, 2].map(|attempt| of(&jittered(Jitter::Equal), attempt, None)), [(50, 100), (150, 300)]);
    assert_eq!(of(&jittered(Jitter::Full), 2, None), (0, 300));
    let decorrelated = decorrelated_jitter().base(ms(100)).max(secs(1)).spec();
    let after = [None, Some(0), Some(1), Some(200), Some(900)].map(|prev| of(&decorrelated, 1, prev));
    assert_eq!(after, [(100, 300), (100, 300), (100, 100), (100, 600), (100, 1_000)]);

    let fallback = Box::new(jittered(Jitter::Equal));
    let hinted = StrategySpec::RetryAfterOr { jitter: secs(1), seed: None, fallback };
    assert_eq!(of(&hinted, 2, None), (150, 300));
    let learning = StrategySpec::Adaptive {
        window: secs(60),
        target_success: 0.9,
        min_multiplier: 1.5,
        max_multiplier: 4.0,
        fallback: Box::new(hinted),
    };
    assert_eq!(of(&learning, 2, None), (225, 1_200));
}
