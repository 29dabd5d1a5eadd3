//! Decorrelated jitter: each delay is drawn between a base and three times the previous delay.

use std::time::Duration;

use super::bounds::bounds;
use super::random_source::RandomSource;
use super::{BackoffContext, Strategy, StrategySpec};
use crate::policy::config_error::ConfigIssue;

/// Draws each delay uniformly between `base` and three times the previous delay, then caps it at
/// `max`. Returned by [`decorrelated_jitter`].
///
/// It spreads callers that failed together better than doubling does. The formula is from Marc
/// Brooker, [Exponential Backoff And
/// Jitter](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/) (AWS
/// Architecture Blog, 2015).
///
/// # Defaults
///
/// `base` 250 ms, `max` 30 s, jitter from the thread's generator.
///
/// ```
/// use std::time::{Duration, Instant};
/// use redress::{Classification, ErrorClass, decorrelated_jitter};
/// use redress::strategy::{BackoffContext, Strategy};
///
/// let strategy = decorrelated_jitter().base(Duration::from_millis(100)).max(Duration::from_secs(5));
/// let failure = Classification::new(ErrorClass::Transient);
/// let first = strategy.delay(&BackoffContext::new(1, &failure, Instant::now()));
/// assert!(first >= Duration::from_millis(100) && first <= Duration::from_millis(300));
/// ```
#[derive(Debug)]
#[must_use = "a strategy does nothing until a policy uses it"]
pub struct DecorrelatedJitter {
    base: Duration,
    max: Duration,
    source: RandomSource,
}

/// Returns decorrelated jitter from 250 ms up to 30 s; see [`DecorrelatedJitter`].
pub const fn decorrelated_jitter() -> DecorrelatedJitter {
    DecorrelatedJitter { base: Duration::from_millis(250), max: Duration::from_secs(30), source: RandomSource::Thread }
}

impl DecorrelatedJitter {
    /// Sets the shortest delay. Must not be zero. Default: 250 ms.
    pub const fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// Sets the longest delay. Must be at least the base. Default: 30 s.
    pub const fn max(mut self, max: Duration) -> Self {
        self.max = max;
        self
    }

    /// Draws from a generator with this seed, for reproducible delays. Default: the thread's
    /// generator.
    pub fn seed(mut self, seed: u64) -> Self {
        self.source = RandomSource::seeded(seed);
        self
    }
}

impl Strategy for DecorrelatedJitter {
    fn delay(&self, context: &BackoffContext<'_>) -> Duration {
        let prev = context.prev_delay.filter(|prev| !prev.is_zero()).unwrap_or(self.base);
        self.source.between(self.base, prev.saturating_mul(3)).min(self.max)
    }

    fn issues(&self) -> Vec<ConfigIssue> {
        bounds(("decorrelated_jitter.base", self.base), ("decorrelated_jitter.max", self.max))
    }

    fn spec(&self) -> StrategySpec {
        StrategySpec::DecorrelatedJitter { base: self.base, max: self.max, seed: self.source.seed() }
    }
}
