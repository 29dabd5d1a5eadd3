//! Properties of the parts of a call: the budget's window and the strategies, with any settings.
//!
//! They use the public API with plain data, without a policy or a clock.

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy as _, any, prop_assert, prop_assert_eq, prop_assume, prop_oneof, proptest};
use proptest::sample::select;
use proptest::test_runner::Config;
use redress_core::strategy::{BackoffContext, Feedback, Jitter, Strategy, adaptive, equal_jitter, token_backoff};
use redress_core::{Budget, Classification, ErrorClass, decorrelated_jitter, exponential, fixed, retry_after_or};

use crate::doubt::Events;

fn config() -> Config {
    super::config(concat!(env!("CARGO_MANIFEST_DIR"), "/regressions/values.txt"))
}

/// How many results `adaptive` keeps.
const MAX_RESULTS: usize = 1024;

/// Any duration, and often one of the few that matter.
fn durations() -> impl proptest::strategy::Strategy<Value = Duration> {
    let notable = [0, 1, 250_000_000, 1_000_000_000, 30_000_000_000, u64::MAX - 1, u64::MAX].map(Duration::from_nanos);
    prop_oneof![
        3 => any::<u64>().prop_map(Duration::from_nanos),
        3 => (0_u32..64, any::<u64>()).prop_map(|(shift, nanos)| Duration::from_nanos(nanos >> shift)),
        2 => select(notable.to_vec()),
        1 => any::<Duration>(),
    ]
}

/// A factor that is accepted, whole or not.
fn factors() -> impl proptest::strategy::Strategy<Value = f64> {
    prop_oneof![3 => (1_u32..12).prop_map(f64::from), 3 => 1.0_f64..4.0, 1 => select(vec![1.0, 1.5, 2.0, 1e9, f64::MAX])]
}

/// Any attempt, and often one of the first.
fn attempts() -> impl proptest::strategy::Strategy<Value = u32> {
    prop_oneof![4 => 1_u32..12, 2 => 28_u32..70, 1 => any::<u32>(), 1 => select(vec![0, u32::MAX])]
}

fn context<'a>(attempt: u32, prev: Option<Duration>, failure: &'a Classification) -> BackoffContext<'a> {
    let mut context = BackoffContext::new(attempt, failure, Instant::now());
    context.prev_delay = prev;
    context
}

const FAILURE: Classification = Classification::new(ErrorClass::Transient);

/// Whether `delay` lies between these, but for what floating point loses.
fn is_about(delay: Duration, low: f64, high: f64) -> bool {
    let slack = 1e-9 * high + 2e-9;
    let delay = delay.as_secs_f64();
    delay >= low - slack && delay <= high + slack
}

proptest! {
    #![proptest_config(config())]

    /// Every grant ever, and which of them are within the window; the clock goes where it likes.
    ///
    /// Attacks B1.
    #[test]
    fn a_budget_counts_what_was_granted_within_the_window(
        limit in 0_u32..6,
        window in 1_u64..12,
        steps in vec((prop_oneof![4 => 0_u64..30, 1 => 1_000_u64..1_030, 1 => 0_u64..1_100], 0_u32..4), 0..60),
    ) {
        let budget = Budget::new(limit, Duration::from_nanos(window)).expect("valid");
        let origin = Instant::now();
        let mut grants = Events::new(Duration::from_nanos(window));
        for (at, cost) in steps {
            let shown = Duration::from_nanos(at);
            grants.observe(shown);
            // After a step back, grants that had left are within the window again, beside those
            // that took their place.
            let live = (grants.count(shown) as u32).min(limit);
            let instant = origin + shown;
            prop_assert_eq!(budget.remaining_at(instant), limit - live, "at {}", at);
            prop_assert_eq!(budget.consume_at(instant, cost), live + cost <= limit, "{} at {}", cost, at);
            if live + cost <= limit {
                (0..cost).for_each(|_| grants.push(shown));
            }
        }
    }

    /// Time passes, and the clock may lose more than passed: what was granted within any window of
    /// the real time.
    ///
    /// Attacks B1.
    #[test]
    fn a_clock_that_steps_back_never_gives_a_token_back_sooner(
        limit in 1_u32..5,
        window in 1_u64..12,
        steps in vec((0_u64..9, prop_oneof![4 => Just(0_u64), 1 => 0_u64..12, 1 => 0_u64..2_000], 1_u32..3), 0..80),
    ) {
        let budget = Budget::new(limit, Duration::from_nanos(window)).expect("valid");
        let (origin, mut real, mut lost) = (Instant::now() + Duration::from_secs(1), 0, 0);
        let mut grants: Vec<u64> = Vec::new();
        for (passes, loses, cost) in steps {
            (real, lost) = (real + passes, lost + loses);
            let shown = origin + Duration::from_nanos(real) - Duration::from_nanos(lost);
            if budget.consume_at(shown, cost) {
                grants.extend((0..cost).map(|_| real));
            }
            let live = grants.iter().filter(|granted| real - **granted < window).count();
            prop_assert!(live <= limit as usize, "{live} within {window} up to {real}");
        }
    }

    /// Callers that looked at the clock up to a window before they ask: by the instants they show,
    /// no window has more.
    ///
    /// Attacks B1.
    #[test]
    fn instants_up_to_a_window_late_grant_no_more(
        limit in 1_u32..5,
        window in 1_u64..12,
        steps in vec((0_u64..9, 0_u64..12, 1_u32..3), 0..80),
    ) {
        let budget = Budget::new(limit, Duration::from_nanos(window)).expect("valid");
        let (origin, mut now) = (Instant::now(), 0);
        let mut grants: Vec<u64> = Vec::new();
        for (passes, late, cost) in steps {
            now += passes;
            let shown = now.saturating_sub(late.min(window));
            if budget.consume_at(origin + Duration::from_nanos(shown), cost) {
                grants.extend((0..cost).map(|_| shown));
            }
        }
        for from in &grants {
            let within = grants.iter().filter(|at| (*from..from + window).contains(*at)).count();
            prop_assert!(within <= limit as usize, "{within} from {from}: {grants:?}");
        }
    }

    /// Readings too far ahead, each between ordinary ones: a window after the last of them the
    /// budget is whole.
    #[test]
    fn a_reading_too_far_ahead_does_not_use_a_budget_up(
        limit in 1_u32..5,
        window in 1_u64..12,
        steps in vec((0_u64..9, prop_oneof![2 => Just(0_u64), 1 => 1_000_u64..(1 << 61)], 0_u32..3), 0..40),
    ) {
        let budget = Budget::new(limit, Duration::from_nanos(window)).expect("valid");
        let (origin, mut now) = (Instant::now(), 0);
        for (passes, ahead, cost) in steps {
            now += passes;
            let _ = budget.consume_at(origin + Duration::from_nanos(now + ahead), cost);
        }
        let [last, later] = [now, now + window].map(|at| origin + Duration::from_nanos(at));
        let _ = budget.remaining_at(last);
        prop_assert_eq!(budget.remaining_at(later), limit);
        prop_assert!(budget.consume_at(later, limit));
    }

    #[test]
    fn decorrelated_jitter_stays_within_its_bounds(
        (base, max) in (durations(), durations()),
        (attempt, prev, seed) in (attempts(), proptest::option::of(durations()), any::<u64>()),
    ) {
        let strategy = decorrelated_jitter().base(base).max(max).seed(seed);
        prop_assume!(strategy.issues().is_empty());
        let delay = strategy.delay(&context(attempt, prev, &FAILURE));
        let before = prev.filter(|prev| !prev.is_zero()).unwrap_or(base);
        prop_assert!(delay >= base && delay <= max && delay <= base.max(before.saturating_mul(3)), "{delay:?}");
    }

    #[test]
    fn exponential_backoff_stays_below_its_ceiling(
        (base, max, factor) in (durations(), durations(), factors()),
        (attempt, first_power) in (attempts(), prop_oneof![0_u32..4, any::<u32>()]),
        (jitter, seed) in (select(vec![Jitter::None, Jitter::Full, Jitter::Equal]), any::<u64>()),
    ) {
        let strategy = exponential().base(base).factor(factor).max(max).first_power(first_power).jitter(jitter).seed(seed);
        prop_assume!(strategy.issues().is_empty());
        let delay = strategy.delay(&context(attempt, None, &FAILURE));
        // Where the attempt is 0 there is no context from a call, and the power is that of the
        // first.
        let power = (f64::from(attempt) + f64::from(first_power) - 1.0).clamp(0.0, f64::from(u32::MAX - 1));
        let ceiling = (base.as_secs_f64() * factor.powf(power)).min(max.as_secs_f64());
        let low = match jitter {
            Jitter::None => ceiling,
            Jitter::Equal => ceiling / 2.0,
            _ => 0.0,
        };
        prop_assert!(delay <= max && is_about(delay, low, ceiling), "{delay:?} of {low} s to {ceiling} s");
    }

    #[test]
    fn equal_jitter_stays_in_the_upper_half(
        (base, max) in (durations(), durations()),
        (attempt, seed) in (attempts(), any::<u64>()),
    ) {
        let strategy = equal_jitter().base(base).max(max).seed(seed);
        prop_assume!(strategy.issues().is_empty());
        let delay = strategy.delay(&context(attempt, None, &FAILURE)).as_nanos();
        // No cap that is accepted is longer than 2^64 ns.
        let ceiling = (base.as_nanos() << attempt.min(64)).min(max.as_nanos());
        prop_assert!(delay >= ceiling / 2 && delay <= ceiling, "{delay} of {ceiling}");
    }

    #[test]
    fn token_backoff_stays_in_the_upper_half(
        (base, max) in (durations(), durations()),
        (attempt, seed) in (attempts(), any::<u64>()),
    ) {
        let strategy = token_backoff().base(base).max(max).seed(seed);
        prop_assume!(strategy.issues().is_empty());
        let delay = strategy.delay(&context(attempt, None, &FAILURE));
        let ceiling = (base.as_secs_f64() * 1.5_f64.powf(attempt.into())).min(max.as_secs_f64());
        prop_assert!(delay <= max && is_about(delay, ceiling / 2.0, ceiling), "{delay:?} of {ceiling} s");
    }

    #[test]
    fn a_hint_takes_the_place_of_the_fallback(
        (hint, fallback) in (proptest::option::of(durations()), durations()),
        (jitter, seed) in (durations(), any::<u64>()),
    ) {
        let strategy = retry_after_or(fixed(fallback)).jitter(jitter).seed(seed);
        prop_assume!(strategy.issues().is_empty());
        let delay = strategy.delay(&context(1, None, &FAILURE.with_retry_after(hint)));
        match hint.filter(|hint| !hint.is_zero()) {
            None => prop_assert_eq!(delay, fallback),
            Some(hint) => prop_assert!(delay >= hint && delay <= hint.saturating_add(jitter), "{delay:?}"),
        }
    }

    #[test]
    fn the_adaptive_multiplier_is_that_of_the_results_within_the_window(
        (window, target) in (1_u64..20, 0.001_f64..=1.0),
        (min, stretch) in (1.0_f64..10.0, 0.0_f64..10.0),
        results in vec((0_u64..4, any::<bool>(), 1_usize..40), 0..60),
    ) {
        let max = min + stretch;
        let strategy = adaptive(fixed(Duration::from_secs(1))).window(Duration::from_nanos(window)).target_success(target);
        let strategy = strategy.min_multiplier(min).max_multiplier(max);
        prop_assert_eq!(strategy.issues(), []);
        let (origin, mut now) = (Instant::now(), 0);
        let mut heard: Vec<(u64, bool)> = Vec::new();
        for (passes, failed, times) in results {
            now += passes;
            let instant = origin + Duration::from_nanos(now);
            let feedback = if failed { Feedback::Failure(ErrorClass::Transient) } else { Feedback::Success };
            for _ in 0..times {
                strategy.learn(feedback, instant);
                heard.push((now, failed));
            }
            let kept = &heard[heard.len().saturating_sub(MAX_RESULTS)..];
            let live = kept.iter().filter(|(at, _)| now - at < window);
            let (failures, all) = live.fold((0.0, 0.0), |(failures, all), (_, failed)| {
                (if *failed { failures + 1.0 } else { failures }, all + 1.0)
            });
            let rate = if all == 0.0 { 0.0 } else { failures / all };
            let tolerated = 1.0 - target;
            let multiplier = if rate <= tolerated { min } else { min + stretch * (rate - tolerated) / (1.0 - tolerated) };
            let failure = FAILURE;
            let mut context = context(1, None, &failure);
            context.now = instant;
            let delay = strategy.delay(&context);
            prop_assert!(is_about(delay, multiplier, multiplier), "{delay:?} for {multiplier}");
            prop_assert!(is_about(delay, min, max), "{delay:?}");
        }
    }
}
