//! The strategies that compute delays: their bounds, their seeds, and server hints.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redress_core::strategy::{BackoffContext, Exponential, Jitter, Strategy, equal_jitter, token_backoff};
use redress_core::{Cause, Classification, ErrorClass, decorrelated_jitter, exponential, fixed, retry_after_or};

use crate::lab::{TICK, millis, secs};

const ZERO: Duration = Duration::ZERO;
/// The longest duration that can be counted in 64 bits of nanoseconds.
const LONGEST: Duration = Duration::from_nanos(u64::MAX);

/// The delay after this failed attempt and this delay before it.
fn delay(strategy: &impl Strategy, attempt: u32, prev_delay: Option<Duration>) -> Duration {
    let failure = Classification::new(ErrorClass::Transient);
    let mut context = BackoffContext::new(attempt, &failure, Instant::now());
    context.prev_delay = prev_delay;
    strategy.delay(&context)
}

fn hinted(strategy: &impl Strategy, hint: Duration) -> Duration {
    let failure = Classification::new(ErrorClass::RateLimit).with_retry_after(hint);
    strategy.delay(&BackoffContext::new(1, &failure, Instant::now()))
}

/// Many delays drawn from where this one comes from.
#[track_caller]
fn check_drawn(from: Duration, to: Duration, draw: impl Fn(u64) -> Duration) {
    let drawn: Vec<_> = (0..400).map(draw).collect();
    let (least, most) = (*drawn.iter().min().expect("some"), *drawn.iter().max().expect("some"));
    assert!(from <= least && most <= to, "{least:?} to {most:?}, not within {from:?} to {to:?}");
    // Uniform: of 400 draws some fall into the lowest and some into the highest twentieth.
    let edge = (to - from) / 20;
    assert!(least <= from + edge && most >= to - edge, "{least:?} to {most:?} does not fill {from:?} to {to:?}");
}

#[test]
fn fixed_is_always_the_same() {
    for wait in [ZERO, secs(3), Duration::MAX] {
        for attempt in [1, 2, u32::MAX] {
            assert_eq!(delay(&fixed(wait), attempt, Some(secs(9))), wait);
        }
    }
}

#[test]
fn a_closure_is_a_strategy() {
    let linear = |context: &BackoffContext<'_>| secs(u64::from(context.attempt));
    assert_eq!(delay(&linear, 7, None), secs(7));
    assert!(!linear.learns() && linear.issues().is_empty());
    assert_eq!(delay(&Arc::new(linear), 7, None), secs(7));
}

#[test]
fn decorrelated_jitter_is_drawn_between_the_base_and_three_times_the_last() {
    let strategy = |seed| decorrelated_jitter().base(secs(1)).max(secs(100)).seed(seed);
    let rows = [
        (None, secs(1), secs(3)),
        (Some(ZERO), secs(1), secs(3)),
        (Some(secs(1)), secs(1), secs(3)),
        (Some(secs(10)), secs(1), secs(30)),
        // The cap holds after the jitter: all that is drawn above it is cut to it.
        (Some(millis(100)), secs(1), secs(1)),
    ];
    for (prev_delay, from, to) in rows {
        check_drawn(from, to, |seed| delay(&strategy(seed), 1, prev_delay));
    }
    let capped: Vec<_> = (0..400).map(|seed| delay(&strategy(seed), 1, Some(secs(100)))).collect();
    assert!(capped.iter().all(|delay| *delay <= secs(100)));
    let at_cap = capped.iter().filter(|delay| **delay == secs(100)).count();
    assert!((200..340).contains(&at_cap), "two thirds are drawn above the cap, not {at_cap} of 400");
}

#[test]
fn exponential_backoff_starts_at_the_base_and_is_multiplied_by_the_factor() {
    let delays =
        |strategy: &dyn Fn() -> Exponential| [1, 2, 3, 4, 5].map(|n| delay(&strategy().jitter(Jitter::None), n, None));
    assert_eq!(delays(&exponential), [250, 500, 1_000, 2_000, 4_000].map(millis));
    assert_eq!(delays(&|| exponential().factor(3.0).max(secs(5))), [250, 750, 2_250, 5_000, 5_000].map(millis));
    assert_eq!(delays(&|| exponential().base(secs(16)).factor(1.5)), [16, 24, 30, 30, 30].map(secs));
    assert_eq!(delays(&|| exponential().factor(1.0)), [250; 5].map(millis));
    assert_eq!(delays(&|| exponential().first_power(2)), [1, 2, 4, 8, 16].map(secs));
    // Between whole factors, and at the power where a square root of ten has become a hundred.
    let root = exponential().base(secs(1)).factor(10_f64.sqrt()).max(secs(1000)).jitter(Jitter::None);
    assert!(delay(&root, 5, None).abs_diff(secs(100)) < millis(1));
}

#[test]
fn exponential_jitter_is_drawn_below_the_ceiling() {
    let strategy = |seed| exponential().base(secs(1)).max(secs(100)).seed(seed);
    for (attempt, ceiling) in [(1, 1), (2, 2), (3, 4), (7, 64), (8, 100), (99, 100), (u32::MAX, 100)] {
        let ceiling = secs(ceiling);
        check_drawn(ZERO, ceiling, |seed| delay(&strategy(seed), attempt, None));
        check_drawn(ZERO, ceiling, |seed| delay(&strategy(seed).jitter(Jitter::Full), attempt, None));
        check_drawn(ceiling / 2, ceiling, |seed| delay(&strategy(seed).jitter(Jitter::Equal), attempt, None));
        assert_eq!(delay(&strategy(1).jitter(Jitter::None), attempt, None), ceiling);
    }
}

/// The delays of one seed are equal, so the presets equal what they stand for.
#[test]
fn the_presets_are_exponential_backoff() {
    for attempt in [1, 2, 3, 8, 64, u32::MAX] {
        let equal = exponential().jitter(Jitter::Equal).first_power(1);
        assert_eq!(delay(&equal_jitter().seed(5), attempt, None), delay(&equal.seed(5), attempt, None));
        let token = exponential().jitter(Jitter::Equal).first_power(1).factor(1.5).max(secs(20));
        assert_eq!(delay(&token_backoff().seed(5), attempt, None), delay(&token.seed(5), attempt, None));
    }
}

#[test]
fn the_defaults_are_the_documented_ones() {
    check_drawn(millis(250), millis(750), |seed| delay(&decorrelated_jitter().seed(seed), 1, None));
    check_drawn(millis(250), secs(30), |seed| delay(&decorrelated_jitter().seed(seed), 1, Some(secs(10))));
    check_drawn(ZERO, millis(250), |seed| delay(&exponential().seed(seed), 1, None));
    check_drawn(ZERO, secs(30), |seed| delay(&exponential().seed(seed), 99, None));
    check_drawn(millis(250), millis(500), |seed| delay(&equal_jitter().seed(seed), 1, None));
    check_drawn(secs(15), secs(30), |seed| delay(&equal_jitter().seed(seed), 99, None));
    check_drawn(Duration::from_micros(187_500), millis(375), |seed| delay(&token_backoff().seed(seed), 1, None));
    check_drawn(secs(10), secs(20), |seed| delay(&token_backoff().seed(seed), 99, None));
    check_drawn(secs(9), secs(9) + millis(250), |seed| hinted(&retry_after_or(fixed(ZERO)).seed(seed), secs(9)));
}

/// A strategy without a seed draws, too, and within the same bounds.
#[test]
fn the_threads_generator_draws_as_well() {
    check_drawn(millis(250), millis(750), |_| delay(&decorrelated_jitter(), 1, None));
    check_drawn(ZERO, millis(250), |_| delay(&exponential(), 1, None));
    check_drawn(millis(250), millis(500), |_| delay(&equal_jitter(), 1, None));
    check_drawn(secs(10), secs(20), |_| delay(&token_backoff(), 99, None));
    check_drawn(secs(9), secs(9) + millis(250), |_| hinted(&retry_after_or(fixed(ZERO)), secs(9)));
}

#[test]
fn a_seed_replays_a_run() {
    fn run(strategy: &impl Strategy) -> Vec<Duration> {
        let failure = Classification::new(ErrorClass::RateLimit).with_retry_after(secs(1));
        let own = (1..20).scan(None, |prev, attempt| {
            *prev = Some(delay(strategy, attempt, *prev));
            *prev
        });
        let own: Vec<_> = own.collect();
        let hinted = (1..20).map(|attempt| strategy.delay(&BackoffContext::new(attempt, &failure, Instant::now())));
        own.into_iter().chain(hinted).collect()
    }
    #[track_caller]
    fn check<S: Strategy>(seeded: impl Fn(u64) -> S) {
        assert_eq!(run(&seeded(7)), run(&seeded(7)));
        assert_ne!(run(&seeded(7)), run(&seeded(8)));
    }
    check(|seed| decorrelated_jitter().seed(seed));
    check(|seed| exponential().seed(seed));
    check(|seed| equal_jitter().seed(seed));
    check(|seed| token_backoff().seed(seed));
    check(|seed| retry_after_or(fixed(ZERO)).seed(seed));
    check(|seed| retry_after_or(equal_jitter().seed(seed)).jitter(ZERO));
}

/// backon: a `max_delay` of 10 s with jitter yielded 19.99 s, since the cap is applied before the
/// jitter. backon 184, ferd/backoff 8, agenda 1748, Polly 2163.
///
/// Over random settings, however extreme: never outside the bounds, and no overflow.
#[test]
fn every_delay_is_within_its_bounds() {
    let mut random = fastrand::Rng::with_seed(1);
    let any = |random: &mut fastrand::Rng| {
        let shift = random.u32(0..64);
        Duration::from_nanos((random.u64(..) >> shift).max(1))
    };
    for seed in 0..5_000 {
        let (a, b) = (any(&mut random), any(&mut random));
        let (base, max) = (a.min(b), a.max(b));
        let attempt = [1, 2, 3, 10, 31, 32, 33, 63, 64, 1_000, u32::MAX][random.usize(0..11)];
        let prev = [None, Some(ZERO), Some(any(&mut random)), Some(LONGEST), Some(Duration::MAX)][random.usize(0..5)];
        let case = format!("base {base:?}, max {max:?}, attempt {attempt}, after {prev:?}, seed {seed}");

        let drawn = delay(&decorrelated_jitter().base(base).max(max).seed(seed), attempt, prev);
        assert!(base <= drawn && drawn <= max, "decorrelated jitter: {drawn:?} with {case}");
        let drawn = delay(&exponential().base(base).max(max).seed(seed), attempt, prev);
        assert!(drawn <= max, "exponential: {drawn:?} with {case}");
        let drawn = delay(&equal_jitter().base(base).max(max).seed(seed), attempt, prev);
        assert!(base.min(max / 2) <= drawn && drawn <= max, "equal jitter: {drawn:?} with {case}");
        let drawn = delay(&token_backoff().base(base).max(max).seed(seed), attempt, prev);
        assert!(drawn <= max, "token backoff: {drawn:?} with {case}");
        // Half of one and a half times the base, to the nanosecond below.
        assert!((base * 3 / 4).min(max / 2) <= drawn + TICK, "token backoff: {drawn:?} with {case}");

        let (hint, jitter) = (any(&mut random), any(&mut random));
        let drawn = hinted(&retry_after_or(fixed(ZERO)).jitter(jitter).seed(seed), hint);
        assert!(hint <= drawn, "hint {hint:?}: {drawn:?} with {case}");
        assert!(drawn <= hint + jitter, "hint {hint:?} and {jitter:?}: {drawn:?}");
    }
}

/// A factor in 32 bits would stop short of a far cap.
#[test]
fn equal_jitter_doubles_until_it_meets_the_cap() {
    let strategy = |seed| equal_jitter().base(TICK).max(secs(3600)).seed(seed);
    for (attempt, ceiling) in
        [(31, TICK * (1 << 31)), (35, secs(34) + Duration::from_nanos(359_738_368)), (60, secs(3600))]
    {
        check_drawn(ceiling / 2, ceiling, |seed| delay(&strategy(seed), attempt, None));
    }
}

#[test]
fn extreme_settings_saturate() {
    let endless = u32::MAX;
    let steep = exponential().factor(f64::MAX).max(LONGEST).first_power(endless).jitter(Jitter::None);
    assert_eq!(delay(&steep, endless, None), LONGEST);
    assert!(delay(&equal_jitter().base(LONGEST).max(LONGEST).seed(1), endless, None) >= LONGEST / 2);
    assert!(delay(&token_backoff().base(LONGEST).max(LONGEST).seed(1), endless, None) >= LONGEST / 2);
    assert_eq!(delay(&decorrelated_jitter().base(LONGEST).max(LONGEST), endless, Some(Duration::MAX)), LONGEST);
    let hostile = retry_after_or(fixed(ZERO)).jitter(Duration::MAX);
    assert_eq!(hinted(&hostile, Duration::MAX), Duration::MAX);
}

#[test]
fn jitter_is_added_to_a_hint() {
    check_drawn(secs(9), secs(11), |seed| hinted(&retry_after_or(fixed(ZERO)).jitter(secs(2)).seed(seed), secs(9)));
}

#[test]
fn without_jitter_a_hint_is_taken_as_it_is() {
    let strategy = retry_after_or(fixed(secs(1))).jitter(ZERO);
    for hint in [TICK, secs(9), Duration::MAX] {
        assert_eq!(hinted(&strategy, hint), hint);
    }
}

/// Zero says nothing about how long to wait.
#[test]
fn a_hint_of_zero_is_no_hint() {
    let strategy = retry_after_or(fixed(secs(77))).jitter(secs(5));
    assert_eq!(hinted(&strategy, ZERO), secs(77));
    assert_eq!(hinted(&retry_after_or(strategy), ZERO), secs(77), "nested too");
}

#[test]
fn without_a_hint_the_fallback_decides() {
    let strategy = retry_after_or(fixed(secs(77))).jitter(secs(5));
    assert_eq!(delay(&strategy, 1, None), secs(77), "the jitter is for hints");
    let linear = |context: &BackoffContext<'_>| secs(u64::from(context.attempt));
    assert_eq!(delay(&retry_after_or(linear), 5, None), secs(5), "it receives the whole context");
}

#[test]
fn a_context_for_tests_is_a_plain_failure() {
    let (failure, now) = (Classification::new(ErrorClass::Auth), Instant::now());
    let context = BackoffContext::new(3, &failure, now);
    assert_eq!((context.attempt, context.class(), context.now), (3, ErrorClass::Auth, now));
    assert_eq!((context.prev_delay, context.remaining, context.cause), (None, None, Cause::Error));
}
