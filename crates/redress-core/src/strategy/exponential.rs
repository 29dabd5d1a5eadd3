//! Exponential backoff with its jitter, and two presets: equal jitter and token backoff.

use std::time::Duration;

use super::bounds::bounds;
use super::random_source::RandomSource;
use super::{BackoffContext, Strategy, StrategySpec};
use crate::drive::clock::nanos;
use crate::policy::config_error::{Check, ConfigIssue};

/// 2⁵³: above it not every whole number is an `f64`.
const EXACT_BELOW: f64 = 9_007_199_254_740_992.0;

/// The part of an exponential delay that is drawn at random.
///
/// The names are those of Marc Brooker, [Exponential Backoff And
/// Jitter](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/) (AWS
/// Architecture Blog, 2015).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Jitter {
    /// Waits exactly the ceiling. Callers that failed together retry together.
    None,
    /// Draws uniformly between zero and the ceiling. Spreads callers the most, at half the ceiling
    /// on average.
    #[default]
    Full,
    /// Draws uniformly between half the ceiling and the ceiling, so a minimum delay is guaranteed.
    Equal,
}

/// Waits longer after every failed attempt, up to a cap. Returned by [`exponential`],
/// [`equal_jitter`] and [`token_backoff`].
///
/// The ceiling after failed attempt `n` is `base × factorⁿ⁻¹⁺ᵖ`, at most `max`, where `p` is
/// [`first_power`](Self::first_power). [`Jitter`] then draws a delay no longer than the ceiling.
/// Delays saturate instead of overflowing.
///
/// | returned by | `base` | `factor` | `max` | `jitter` | `first_power` | ceilings with the defaults |
/// |---|---|---|---|---|---|---|
/// | [`exponential`] | 250 ms | 2 | 30 s | `Full` | 0 | 250 ms, 500 ms, 1 s, .. 30 s |
/// | [`equal_jitter`] | 250 ms | 2 | 30 s | `Equal` | 1 | 500 ms, 1 s, 2 s, .. 30 s |
/// | [`token_backoff`] | 250 ms | 1.5 | 20 s | `Equal` | 1 | 375 ms, 562.5 ms, .. 20 s |
///
/// A policy's `build()` refuses a `base` of zero, a `max` below the base, and a `factor` that is
/// not a finite number of at least 1. Its error names the fields `exponential.base`,
/// `exponential.max` and `exponential.factor`, for the presets too.
#[derive(Debug)]
#[must_use = "a strategy does nothing until a policy uses it"]
pub struct Exponential {
    base: Duration,
    factor: f64,
    max: Duration,
    jitter: Jitter,
    first_power: u32,
    source: RandomSource,
}

/// Exponential backoff: 250 ms, doubling up to 30 s, with full jitter; see [`Exponential`].
///
/// Before jitter the first delay is the base. Jitter is on by default, unlike in most retry crates:
/// without it, callers that failed together retry together. Set [`Jitter::None`] for exact delays.
///
/// ```
/// use std::time::{Duration, Instant};
/// use redress::{Classification, ErrorClass, exponential};
/// use redress::strategy::{BackoffContext, Jitter, Strategy};
///
/// let strategy = exponential().base(Duration::from_millis(100)).factor(3.0).jitter(Jitter::None);
/// let failure = Classification::new(ErrorClass::Transient);
/// let delays = [1, 2, 3].map(|attempt| strategy.delay(&BackoffContext::new(attempt, &failure, Instant::now())));
/// assert_eq!(delays, [100, 300, 900].map(Duration::from_millis));
/// ```
pub const fn exponential() -> Exponential {
    Exponential {
        base: Duration::from_millis(250),
        factor: 2.0,
        max: Duration::from_secs(30),
        jitter: Jitter::Full,
        first_power: 0,
        source: RandomSource::Thread,
    }
}

/// Exponential backoff with a guaranteed minimum: the delay after failed attempt `n` is drawn
/// between half of `base × 2ⁿ` and all of it.
///
/// Short for `exponential().jitter(Jitter::Equal).first_power(1)`: with the default base of 250 ms
/// the first delay is between 250 ms and 500 ms. See [`Exponential`].
///
/// ```
/// use std::time::{Duration, Instant};
/// use redress::{Classification, ErrorClass};
/// use redress::strategy::{BackoffContext, Strategy, equal_jitter};
///
/// let failure = Classification::new(ErrorClass::ServerError);
/// let third = equal_jitter().delay(&BackoffContext::new(3, &failure, Instant::now()));
/// assert!(third >= Duration::from_secs(1) && third <= Duration::from_secs(2));
/// ```
pub const fn equal_jitter() -> Exponential {
    exponential().jitter(Jitter::Equal).first_power(1)
}

/// A slower growing exponential backoff for services with a token bucket: it retries soon while the
/// bucket refills.
///
/// Short for `equal_jitter().factor(1.5).max(20 s)`: the delay after failed attempt `n` is drawn
/// between half of `base × 1.5ⁿ` and all of it. See [`Exponential`].
///
/// ```
/// use std::time::{Duration, Instant};
/// use redress::{Classification, ErrorClass};
/// use redress::strategy::{BackoffContext, Strategy, token_backoff};
///
/// let failure = Classification::new(ErrorClass::RateLimit);
/// let second = token_backoff().base(Duration::from_secs(4)).delay(&BackoffContext::new(2, &failure, Instant::now()));
/// assert!(second >= Duration::from_millis(4500) && second <= Duration::from_secs(9));
/// ```
pub const fn token_backoff() -> Exponential {
    equal_jitter().factor(1.5).max(Duration::from_secs(20))
}

impl Exponential {
    /// Sets the delay that the factor multiplies. Must not be zero. Default: 250 ms.
    pub const fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// Sets the growth of the ceiling per attempt. Must be a finite number of at least 1; 1 keeps
    /// the ceiling constant. Default: 2.
    pub const fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// Sets the longest delay, jitter included. Must be at least the base. Default: 30 s.
    pub const fn max(mut self, max: Duration) -> Self {
        self.max = max;
        self
    }

    /// Sets the part of the delay that is drawn at random. Default: [`Jitter::Full`].
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// Sets the power of the factor in the first ceiling: 0 starts at the base, 1 at the base times
    /// the factor. Default: 0.
    pub const fn first_power(mut self, power: u32) -> Self {
        self.first_power = power;
        self
    }

    /// Draws from a generator with this seed, for reproducible delays. Default: the thread's
    /// generator.
    pub fn seed(mut self, seed: u64) -> Self {
        self.source = RandomSource::seeded(seed);
        self
    }
}

impl Strategy for Exponential {
    fn delay(&self, context: &BackoffContext<'_>) -> Duration {
        // Attempts count from 1. Adding first keeps a saturated power large.
        let power = context.attempt.saturating_add(self.first_power).saturating_sub(1);
        let ceiling = grown(self.base, self.factor, power).min(self.max);
        match self.jitter {
            Jitter::None => ceiling,
            Jitter::Full => self.source.between(Duration::ZERO, ceiling),
            Jitter::Equal => self.source.between(ceiling / 2, ceiling),
        }
    }

    fn issues(&self) -> Vec<ConfigIssue> {
        let mut check = Check::default();
        let factor = self.factor;
        check.extend(bounds(("exponential.base", self.base), ("exponential.max", self.max)));
        check.that(factor.is_finite() && factor >= 1.0, "exponential.factor", factor, "be a number of at least 1");
        check.into_issues()
    }

    fn spec(&self) -> StrategySpec {
        StrategySpec::Exponential {
            base: self.base,
            factor: self.factor,
            max: self.max,
            jitter: self.jitter,
            first_power: self.first_power,
            seed: self.source.seed(),
        }
    }
}

/// `base × factorᵖᵒʷᵉʳ`, saturating. Exact to the nanosecond for whole factors; in `f64` delays
/// above 104 days are inexact.
pub(super) fn grown(base: Duration, factor: f64, power: u32) -> Duration {
    if factor.fract() == 0.0 && (1.0..EXACT_BELOW).contains(&factor) {
        return Duration::from_nanos(nanos(base).saturating_mul((factor as u64).saturating_pow(power)));
    }
    let factor = factor.powf(power.into());
    // Err means that the product is too long for a `Duration`, so it exceeds any cap.
    Duration::try_from_secs_f64(base.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}
