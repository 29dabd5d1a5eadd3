//! File to spec to file is the identity, for files with any settings.

use std::time::Duration;

use proptest::prelude::*;
use redress::breaker::{BreakerSpec, ProbeLease, Ramp, RecoveryGrowth, Trial};
use redress::budget::{BudgetSpec, EarnedBudgetSpec};
use redress::classify::PerClass;
use redress::config::PolicyFile;
use redress::policy::{Nested, PolicyBreaker, PolicySpec, RetrySpec};
use redress::strategy::{Jitter, StrategySpec};
use redress::{ErrorClass, Policy};

fn time() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (1_u64..10_000).prop_map(Duration::from_millis),
        (1_u64..1_000_000).prop_map(Duration::from_secs),
        (1_u64..u64::MAX).prop_map(Duration::from_nanos),
    ]
}

fn class() -> impl Strategy<Value = ErrorClass> {
    prop::sample::select(ErrorClass::ALL)
}

fn share() -> impl Strategy<Value = f64> {
    prop_oneof![Just(1.0), Just(0.1), 0.000_001..=1.0]
}

fn by_class<V: Clone + std::fmt::Debug>(value: impl Strategy<Value = V>) -> impl Strategy<Value = PerClass<Option<V>>> {
    prop::collection::vec((class(), value), 0..4).prop_map(|entries| {
        let mut table = PerClass::from_fn(|_| None);
        for (class, value) in entries {
            table[class] = Some(value);
        }
        table
    })
}

/// A base and a cap that is not below it.
fn bounds() -> impl Strategy<Value = (Duration, Duration)> {
    (time(), time()).prop_map(|(a, b)| (a.min(b), a.max(b)))
}

fn strategy() -> impl Strategy<Value = StrategySpec> {
    let seed = || prop::option::of(any::<u64>());
    let jitter = prop::sample::select(vec![Jitter::None, Jitter::Full, Jitter::Equal]);
    let exponential = (bounds(), 1.0..100.0, jitter, 0_u32..5, seed()).prop_map(
        |((base, max), factor, jitter, first_power, seed)| StrategySpec::Exponential {
            base,
            factor,
            max,
            jitter,
            first_power,
            seed,
        },
    );
    let leaf = prop_oneof![
        time().prop_map(|delay| StrategySpec::Fixed { delay }),
        exponential,
        (bounds(), seed()).prop_map(|((base, max), seed)| StrategySpec::DecorrelatedJitter { base, max, seed }),
    ];
    leaf.prop_recursive(3, 4, 1, move |inner| {
        let inner = inner.prop_map(Box::new).boxed();
        prop_oneof![
            (time(), seed(), inner.clone()).prop_map(|(jitter, seed, fallback)| StrategySpec::RetryAfterOr {
                jitter,
                seed,
                fallback
            }),
            (time(), share(), 1.0..4.0, 4.0..9.0, inner).prop_map(
                |(window, target_success, min_multiplier, max_multiplier, fallback)| StrategySpec::Adaptive {
                    window,
                    target_success,
                    min_multiplier,
                    max_multiplier,
                    fallback
                }
            ),
        ]
    })
}

fn budget() -> impl Strategy<Value = BudgetSpec> {
    let earned = (share(), 0.000_001..1e6, 0.0..10.0, by_class(1_u32..9), prop::option::of(any::<u64>()));
    prop_oneof![
        (0_u32..1000, time()).prop_map(|(max_retries, window)| BudgetSpec::new(max_retries, window)),
        earned.prop_map(|(share, capacity, reserve, costs, seed)| {
            let mut spec = EarnedBudgetSpec::new(share);
            (spec.capacity, spec.reserve, spec.seed) = (capacity, reserve, seed);
            spec.costs = PerClass::from_fn(|class| costs[class].unwrap_or(1));
            BudgetSpec::Earned(spec)
        }),
    ]
}

fn breaker() -> impl Strategy<Value = BreakerSpec> {
    let count = || prop::option::of(1_u32..1000);
    let time_or_none = || prop::option::of(time());
    let rules = (count(), prop::option::of(share()), 1_u32..99, count(), time_or_none(), time_or_none());
    let lease =
        prop_oneof![Just(ProbeLease::RecoveryTimeout), Just(ProbeLease::Endless), time().prop_map(ProbeLease::Lasts)];
    let waits = (bounds(), prop::option::of(1.0..1000.0), share(), prop::option::of(any::<u64>()), lease);
    let rest = (
        time_or_none(),
        time_or_none(),
        (1_u32..9, 1_u32..9, 0_u32..9),
        prop::option::of((time(), share())),
        prop::collection::vec(class(), 0..4),
        by_class(1_u32..99),
    );
    (prop::option::of("[a-z \"\\\\\u{e9}]{1,9}"), rules, waits, rest).prop_map(|(name, rules, waits, rest)| {
        let mut spec = BreakerSpec::default();
        spec.name = name.map(Into::into);
        (
            spec.failure_threshold,
            spec.failure_ratio,
            spec.min_calls,
            spec.consecutive_failures,
            spec.window,
            spec.slow_call,
        ) = rules;
        spec.window = spec.window.map(|window| window.max(Duration::from_nanos(32)));
        let ((base, max), factor, jitter, seed, lease) = waits;
        spec.recovery_timeout = base;
        spec.recovery_growth = factor.map(|factor| RecoveryGrowth::new(factor, max));
        (spec.recovery_jitter, spec.seed, spec.probe_lease) = (jitter, seed, lease);
        let (honour, open_on, (places, passes, failures), ramp, trip_on, thresholds) = rest;
        (spec.honour_retry_after, spec.open_on_retry_after, spec.trip_on) = (honour, open_on, trip_on);
        spec.trial = Trial::new().places(places).passes(passes).failures(failures);
        spec.ramp = ramp.map(|(length, from)| Ramp::new(length, from));
        spec.class_thresholds =
            thresholds.iter().filter_map(|(class, threshold)| Some((class, (*threshold)?))).collect();
        spec
    })
}

fn retry() -> impl Strategy<Value = RetrySpec> {
    let caps = (1_u32..99, prop::option::of(0_u32..99), by_class(0_u32..99));
    let waits = (prop::option::of(strategy()), by_class(strategy()));
    (caps, waits, prop::option::of(budget()), any::<bool>(), prop::option::of(time())).prop_map(
        |(caps, waits, budget, ignore, longest)| {
            let mut spec = RetrySpec::default();
            (spec.max_attempts, spec.max_unknown_retries, spec.max_retries_for) = caps;
            (spec.strategy, spec.strategies) = waits;
            (spec.budget, spec.ignore_retry_after, spec.max_retry_after) = (budget, ignore, longest);
            spec
        },
    )
}

fn policy() -> impl Strategy<Value = PolicySpec> {
    let nested = prop::option::of(prop::sample::select(Nested::ALL));
    let limits = (prop::option::of(time()), prop::option::of(time()));
    let name = prop::option::of("[a-z.\"\\\\\u{e9}\n\t]{1,12}");
    (name, prop::option::of(retry()), prop::option::of(breaker()), limits, nested, any::<[bool; 3]>()).prop_map(
        |(name, retry, breaker, limits, nested, flags)| {
            let mut spec = PolicySpec::default();
            (spec.name, spec.retry) = (name.map(Into::into), retry);
            spec.breaker = breaker.map(PolicyBreaker::Circuit);
            (spec.deadline, spec.attempt_timeout) = limits;
            spec.nested = nested;
            [spec.finish_running_attempt, spec.ignore_inherited_deadline, spec.judge_attempts] = flags;
            spec
        },
    )
}

proptest! {
    #[test]
    fn a_spec_that_is_written_and_read_is_the_same(name in "[a-z.\"é ]{1,9}", spec in policy()) {
        prop_assume!(name != "none");
        let file = PolicyFile::of_specs([(name.as_str(), &spec)]).expect("no part is code");
        let text = file.to_toml();
        let read = PolicyFile::parse(&text, "p.toml").map_err(|refused| TestCaseError::fail(refused.to_string()))?;
        prop_assert_eq!(&read, &file, "{}", text);
        prop_assert_eq!(read.policy(&name).expect("known").spec(), spec.clone());
        prop_assert_eq!(read.to_toml(), text);
        // And the builder's own round is the same.
        prop_assert_eq!(Policy::from_spec(spec.clone()).build().expect("keeps the rules").spec(), spec);
    }
}
