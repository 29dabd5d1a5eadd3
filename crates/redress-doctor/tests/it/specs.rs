//! Random settings of policies, for properties.

use std::time::Duration;

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{collection, option};
use redress::ErrorClass;
use redress::policy::{PolicySpec, RetrySpec};
use redress::strategy::{Jitter, StrategySpec};

/// Milliseconds, as a duration.
pub(crate) fn ms(range: std::ops::Range<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_millis)
}

fn jitter() -> impl Strategy<Value = Jitter> {
    prop_oneof![Just(Jitter::None), Just(Jitter::Full), Just(Jitter::Equal)]
}

fn simple() -> impl Strategy<Value = StrategySpec> {
    prop_oneof![
        ms(0..2_000).prop_map(|delay| StrategySpec::Fixed { delay }),
        (ms(1..500), 1.0..4.0, 1_u32..20, jitter(), 0_u32..3, any::<u64>()).prop_map(
            |(base, factor, times, jitter, first_power, seed)| {
                let seed = Some(seed);
                StrategySpec::Exponential { base, factor, max: base * times, jitter, first_power, seed }
            }
        ),
        (ms(1..500), 1_u32..20, any::<u64>()).prop_map(|(base, times, seed)| StrategySpec::DecorrelatedJitter {
            base,
            max: base * times,
            seed: Some(seed)
        }),
    ]
}

/// Every strategy that a spec can describe.
pub(crate) fn strategy() -> impl Strategy<Value = StrategySpec> {
    simple().prop_recursive(2, 4, 1, |inner| {
        prop_oneof![
            (ms(0..500), any::<u64>(), inner.clone()).prop_map(|(jitter, seed, inner)| {
                StrategySpec::RetryAfterOr { jitter, seed: Some(seed), fallback: Box::new(inner) }
            }),
            (1.0..3.0, 1.0..3.0, inner).prop_map(|(least, more, inner)| StrategySpec::Adaptive {
                window: Duration::from_secs(60),
                target_success: 0.9,
                min_multiplier: least,
                max_multiplier: least * more,
                fallback: Box::new(inner),
            }),
        ]
    })
}

fn retry(attempts: std::ops::Range<u32>) -> impl Strategy<Value = RetrySpec> {
    let strategies = (strategy(), option::of(strategy()), collection::vec(option::of(strategy()), 2));
    let caps = collection::vec(option::of(0_u32..3), ErrorClass::ALL.len());
    let hints = (any::<bool>(), option::weighted(0.8, ms(0..5_000)));
    (attempts, strategies, caps, option::of(0_u32..3), hints).prop_map(
        |(max_attempts, (default, of_limits, of_two), caps, of_unknown, (ignore, longest))| {
            let mut retry = RetrySpec::default();
            retry.max_attempts = max_attempts;
            retry.max_unknown_retries = of_unknown;
            retry.strategy = Some(default);
            retry.strategies[ErrorClass::RateLimit] = of_limits;
            retry.strategies[ErrorClass::Unknown] = of_two[0].clone();
            retry.strategies[ErrorClass::Concurrency] = of_two[1].clone();
            for (class, cap) in ErrorClass::ALL.iter().zip(caps) {
                retry.max_retries_for[*class] = cap;
            }
            retry.ignore_retry_after = ignore;
            retry.max_retry_after = longest.filter(|longest| !longest.is_zero());
            retry
        },
    )
}

/// Policies without budget and breaker, of so many attempts.
pub(crate) fn policy(attempts: std::ops::Range<u32>) -> impl Strategy<Value = PolicySpec> {
    let limits = (option::of(ms(1..12_000)), option::weighted(0.8, ms(2..3_000)), any::<bool>());
    (retry(attempts), limits).prop_map(|(retry, (deadline, timeout, finishes))| {
        let mut spec = PolicySpec::default();
        spec.retry = Some(retry);
        spec.deadline = deadline;
        spec.attempt_timeout = timeout;
        spec.finish_running_attempt = finishes;
        spec
    })
}
