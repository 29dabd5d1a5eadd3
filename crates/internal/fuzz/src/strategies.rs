//! The target `strategies`: every strategy in every configuration and context, sensible or not.
//!
//! Computes the documented bounds a second time, in wider numbers. A configuration that `issues`
//! refuses may return any delay, but must not panic.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redress_core::strategy::{
    BackoffContext, Feedback, Jitter, Strategy, StrategySpec, adaptive, equal_jitter, token_backoff,
};
use redress_core::{Classification, ErrorClass, decorrelated_jitter, exponential, fixed, retry_after_or};

use crate::reader::Reader;

/// More than fits in the window of `adaptive`.
const MOST_FEEDBACK: usize = 1300;

/// Calls any strategy, in any configuration and context. Checks that it returns, within its bounds
/// if the configuration is valid.
///
/// # Panics
///
/// If a law is broken.
pub fn strategies(bytes: &[u8]) {
    let mut reader = Reader::new(bytes);
    let which = reader.below(6);
    let query = Query::read(&mut reader);
    let origin = Instant::now();
    match which {
        0 => decorrelated(&mut reader, &query, origin),
        1 => grows(&mut reader, &query, origin),
        2 => preset(&mut reader, &query, origin),
        3 => waits_as_told(&mut reader, &query, origin),
        4 => hinted(&mut reader, &query, origin),
        _ => adapted(&mut reader, &query, origin),
    }
}

/// The failure and history that a strategy is called with.
struct Query {
    attempt: u32,
    prev_delay: Option<Duration>,
    remaining: Option<Duration>,
    failure: Classification,
}

impl Query {
    fn read(reader: &mut Reader<'_>) -> Self {
        let attempt = if reader.flag() { reader.below(80).into() } else { reader.u32() };
        let (prev_delay, remaining) = (reader.maybe(Reader::any_duration), reader.maybe(Reader::any_duration));
        let failure = Classification::new(reader.class()).with_retry_after(reader.maybe(Reader::any_duration));
        Self { attempt, prev_delay, remaining, failure }
    }

    fn context(&self, now: Instant) -> BackoffContext<'_> {
        let mut context = BackoffContext::new(self.attempt, &self.failure, now);
        context.prev_delay = self.prev_delay;
        context.remaining = self.remaining;
        context
    }
}

/// The delay, and whether the strategy's configuration is valid.
fn delay_of(strategy: &impl Strategy, query: &Query, now: Instant) -> (Duration, bool) {
    let is_sound = strategy.issues().is_empty();
    let rebuilt = is_rebuilt(strategy, is_sound);
    let delay = strategy.delay(&query.context(now));
    // With the same seed, the copy makes the strategy's first draw.
    let draws_alike = rebuilt.filter(|rebuilt| is_repeatable(&rebuilt.spec()));
    if let Some(rebuilt) = draws_alike {
        assert_eq!(rebuilt.delay(&query.context(now)), delay, "a spec loses nothing");
    }
    (delay, is_sound)
}

/// Builds a strategy from the spec and returns it. Its spec must be the same, except with NaN,
/// which is not equal to itself.
fn is_rebuilt(strategy: &impl Strategy, is_sound: bool) -> Option<Arc<dyn Strategy>> {
    let spec = strategy.spec();
    assert!(!spec.to_string().is_empty());
    let rebuilt = spec.build();
    assert_eq!(rebuilt.is_none(), spec == StrategySpec::Custom, "{spec}");
    if let Some(rebuilt) = rebuilt.as_ref().filter(|_| is_sound) {
        assert_eq!(rebuilt.spec(), spec);
        assert_eq!(rebuilt.issues(), strategy.issues());
    }
    rebuilt
}

/// Whether a new strategy always returns the same for the same call.
fn is_repeatable(spec: &StrategySpec) -> bool {
    match spec {
        StrategySpec::Fixed { .. } => true,
        StrategySpec::Exponential { seed, .. } | StrategySpec::DecorrelatedJitter { seed, .. } => seed.is_some(),
        StrategySpec::RetryAfterOr { seed, fallback, .. } => seed.is_some() && is_repeatable(fallback),
        _ => false,
    }
}

#[track_caller]
fn is_within(delay: Duration, low: Duration, high: Duration) {
    assert!((low..=high).contains(&delay), "{delay:?} is not between {low:?} and {high:?}");
}

/// Converts nanoseconds to a duration. They fit, since the cap is a duration.
fn from_nanos(nanos: u128) -> Duration {
    Duration::new((nanos / 1_000_000_000) as u64, (nanos % 1_000_000_000) as u32)
}

fn decorrelated(reader: &mut Reader<'_>, query: &Query, now: Instant) {
    let (base, max, seed) = (reader.any_duration(), reader.any_duration(), reader.u64());
    let strategy = || decorrelated_jitter().base(base).max(max);
    let (delay, is_sound) = delay_of(&strategy().seed(seed), query, now);
    assert_eq!(delay_of(&strategy().seed(seed), query, now).0, delay, "a seed repeats a run");
    let (unseeded, _) = delay_of(&strategy(), query, now);
    if is_sound {
        let prev = query.prev_delay.filter(|prev| !prev.is_zero()).unwrap_or(base);
        let high = prev.checked_mul(3).map_or(max, |tripled| tripled.max(base).min(max));
        is_within(delay, base, high);
        is_within(unseeded, base, high);
    }
}

fn grows(reader: &mut Reader<'_>, query: &Query, now: Instant) {
    let (base, max, seed) = (reader.any_duration(), reader.any_duration(), reader.u64());
    let (factor, jitter) = (number(reader), reader.one_of(&[Jitter::None, Jitter::Full, Jitter::Equal]));
    let first_power = if reader.flag() { reader.u32() } else { reader.below(4).into() };
    let strategy = || exponential().base(base).factor(factor).max(max).jitter(jitter).first_power(first_power);
    let (delay, is_sound) = delay_of(&strategy().seed(seed), query, now);
    assert_eq!(delay_of(&strategy().seed(seed), query, now).0, delay, "a seed repeats a run");
    let (unseeded, _) = delay_of(&strategy(), query, now);
    if is_sound {
        let power = (f64::from(query.attempt) + f64::from(first_power) - 1.0).clamp(0.0, f64::from(u32::MAX));
        let ceiling = (base.as_secs_f64() * factor.powf(power)).min(max.as_secs_f64());
        let low = match jitter {
            Jitter::None => ceiling,
            Jitter::Equal => ceiling / 2.0,
            _ => 0.0,
        };
        for delay in [delay, unseeded] {
            let (seconds, rounded) = (delay.as_secs_f64(), ceiling.mul_add(1e-9, 2e-9));
            assert!(seconds >= low - rounded && seconds <= ceiling + rounded, "{delay:?}: {low} s to {ceiling} s");
            assert!(delay <= max, "{delay:?} is at most {max:?}");
        }
    }
}

fn preset(reader: &mut Reader<'_>, query: &Query, now: Instant) {
    let (base, max, seed) = (reader.any_duration(), reader.any_duration(), reader.u64());
    if reader.flag() {
        let (delay, is_sound) = delay_of(&equal_jitter().base(base).max(max).seed(seed), query, now);
        // A nanosecond doubled 64 times exceeds every cap.
        let doubled = base.as_nanos().saturating_mul(1 << query.attempt.min(64));
        let ceiling = from_nanos(doubled.min(max.as_nanos()));
        if is_sound {
            is_within(delay, ceiling / 2, ceiling);
        }
        return;
    }
    let (delay, is_sound) = delay_of(&token_backoff().base(base).max(max).seed(seed), query, now);
    if is_sound {
        // After 200 attempts, every base exceeds every cap.
        let grown = (0..query.attempt.min(200)).fold(base.as_secs_f64(), |delay, _| delay * 1.5);
        let ceiling = grown.min(max.as_secs_f64());
        let rounded = ceiling.mul_add(1e-9, 2e-9);
        let seconds = delay.as_secs_f64();
        assert!(seconds >= ceiling / 2.0 - rounded && seconds <= ceiling + rounded, "{delay:?} for {ceiling} s");
        assert!(delay <= max, "{delay:?} is at most {max:?}");
    }
}

fn waits_as_told(reader: &mut Reader<'_>, query: &Query, now: Instant) {
    let told = reader.any_duration();
    assert_eq!(delay_of(&fixed(told), query, now).0, told);
    let closure = move |context: &BackoffContext<'_>| context.prev_delay.unwrap_or(told);
    assert_eq!(delay_of(&closure, query, now), (query.prev_delay.unwrap_or(told), true));
}

fn hinted(reader: &mut Reader<'_>, query: &Query, now: Instant) {
    let (fallback, jitter) = (reader.any_duration(), reader.any_duration());
    let strategy = retry_after_or(fixed(fallback)).jitter(jitter).seed(reader.u64());
    let (delay, is_sound) = delay_of(&strategy, query, now);
    match query.failure.retry_after().filter(|hint| !hint.is_zero()) {
        None => assert_eq!(delay, fallback, "without a hint the fallback decides"),
        Some(hint) if is_sound => is_within(delay, hint, hint.saturating_add(jitter)),
        Some(_) => {}
    }
}

/// A number as a configuration may hold it, including NaN and infinities.
fn number(reader: &mut Reader<'_>) -> f64 {
    match reader.below(6) {
        0 => f64::from_bits(reader.u64()),
        1 => reader.one_of(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0, f64::MAX, f64::MIN_POSITIVE]),
        2 => 1.0,
        3 => f64::from(reader.u8()),
        _ => f64::from(reader.u8()) / 255.0,
    }
}

fn adapted(reader: &mut Reader<'_>, query: &Query, origin: Instant) {
    let (fallback, window) = (reader.any_duration(), reader.any_duration());
    let (target, min, max) = (number(reader), number(reader), number(reader));
    let strategy =
        adaptive(fixed(fallback)).window(window).target_success(target).min_multiplier(min).max_multiplier(max);
    let is_sound = strategy.issues().is_empty();
    is_rebuilt(&strategy, is_sound);
    let mut model = Rate { results: VecDeque::new(), window };
    let mut since = Duration::ZERO;
    let mut learned = 0;
    while learned < MOST_FEEDBACK && !reader.is_at_end() {
        let step = reader.u8();
        // One byte for each result: its time, success or failure, and whether to repeat it, so that
        // few bytes fill the window.
        since = since.saturating_add(Duration::from_secs(u64::from(step >> 3)));
        let Some(now) = origin.checked_add(since) else { break };
        let failed = step & 1 == 1;
        let count = if step >= 248 { 256 } else { 1 };
        learned += count;
        for _ in 0..count {
            strategy.learn(if failed { Feedback::Failure(ErrorClass::Transient) } else { Feedback::Success }, now);
            model.record(since, failed);
        }
        if step & 2 == 2 {
            let delay = strategy.delay(&query.context(now));
            if is_sound {
                let rate = model.failure_rate(since);
                is_stretched(delay, fallback, multiplier(rate, target, min, max));
            }
        }
    }
    let delay = strategy.delay(&query.context(origin.checked_add(since).unwrap_or(origin)));
    if is_sound {
        is_stretched(delay, fallback, multiplier(model.failure_rate(since), target, min, max));
    }
}

fn is_stretched(delay: Duration, fallback: Duration, multiplier: f64) {
    let expected = fallback.as_secs_f64() * multiplier;
    if expected >= Duration::MAX.as_secs_f64() {
        assert_eq!(delay, Duration::MAX, "{fallback:?} times {multiplier} saturates");
        return;
    }
    let rounded = expected.mul_add(1e-9, 2e-9);
    let apart = (delay.as_secs_f64() - expected).abs();
    assert!(apart <= rounded, "{delay:?} is not {fallback:?} times {multiplier}");
}

/// The documented formula.
fn multiplier(rate: f64, target: f64, min: f64, max: f64) -> f64 {
    let tolerated = 1.0 - target;
    if rate <= tolerated {
        return min;
    }
    ((rate - tolerated) / (1.0 - tolerated)).mul_add(max - min, min).clamp(min, max)
}

/// The results within the window, as a plain list.
struct Rate {
    results: VecDeque<(Duration, bool)>,
    window: Duration,
}

impl Rate {
    fn record(&mut self, at: Duration, failed: bool) {
        self.results.push_back((at, failed));
        let too_many = self.results.len().saturating_sub(1024);
        self.results.drain(..too_many);
    }

    fn failure_rate(&self, now: Duration) -> f64 {
        let counted: Vec<bool> =
            self.results.iter().filter(|(at, _)| now - *at < self.window).map(|(_, failed)| *failed).collect();
        let failures = counted.iter().filter(|failed| **failed).count();
        failures as f64 / counted.len().max(1) as f64
    }
}
