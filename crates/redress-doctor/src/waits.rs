//! The shortest and the longest wait after a failed attempt, from a strategy's settings.

use std::time::{Duration, Instant};

use redress_core::policy::RetrySpec;
use redress_core::strategy::{BackoffContext, Jitter, Strategy, StrategySpec};
use redress_core::{Classification, ErrorClass, exponential};

/// The shortest hint: one of zero counts as no hint.
const LEAST_HINT: Duration = Duration::from_nanos(1);

/// Between what a wait lies, both ends included. A `most` of [`Duration::MAX`] is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitRange {
    /// The shortest wait.
    pub least: Duration,
    /// The longest wait.
    pub most: Duration,
}

impl WaitRange {
    const fn new(least: Duration, most: Duration) -> Self {
        Self { least, most }
    }

    /// The range of the delay that a strategy computes for a failure without a hint, after this
    /// attempt, counted from 1. `prev_delay` is the longest delay that it may have computed before.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress::decorrelated_jitter;
    /// use redress::doctor::WaitRange;
    /// use redress::strategy::Strategy;
    ///
    /// let first = WaitRange::of(&decorrelated_jitter().spec(), 1, None);
    /// assert_eq!((first.least, first.most), (Duration::from_millis(250), Duration::from_millis(750)));
    /// ```
    #[must_use]
    pub fn of(strategy: &StrategySpec, attempt: u32, prev_delay: Option<Duration>) -> Self {
        match strategy {
            StrategySpec::Fixed { delay } => Self::new(*delay, *delay),
            StrategySpec::Exponential { base, factor, max, jitter, first_power, .. } => {
                let ceiling = exponential().base(*base).factor(*factor).max(*max).first_power(*first_power);
                let ceiling = delay_of(&ceiling.jitter(Jitter::None), attempt);
                Self::new(
                    match jitter {
                        Jitter::None => ceiling,
                        Jitter::Equal => ceiling / 2,
                        _ => Duration::ZERO,
                    },
                    ceiling,
                )
            }
            StrategySpec::DecorrelatedJitter { base, max, .. } => {
                let prev = prev_delay.filter(|prev| !prev.is_zero()).unwrap_or(*base);
                Self::new((*base).min(*max), prev.saturating_mul(3).max(*base).min(*max))
            }
            StrategySpec::RetryAfterOr { fallback, .. } => Self::of(fallback, attempt, prev_delay),
            StrategySpec::Adaptive { min_multiplier, max_multiplier, fallback, .. } => {
                Self::of(fallback, attempt, prev_delay).multiplied(*min_multiplier, *max_multiplier)
            }
            _ => Self::new(Duration::ZERO, Duration::MAX),
        }
    }

    /// The range of the wait that a strategy derives from a hint of at most `longest`; `None` if it
    /// computes its delay instead.
    pub(crate) fn of_hint(strategy: &StrategySpec, longest: Duration) -> Option<Self> {
        match strategy {
            StrategySpec::RetryAfterOr { jitter, .. } => Some(Self::new(LEAST_HINT, longest.saturating_add(*jitter))),
            StrategySpec::Adaptive { min_multiplier, max_multiplier, fallback, .. } => {
                Some(Self::of_hint(fallback, longest)?.multiplied(*min_multiplier, *max_multiplier))
            }
            _ => None,
        }
    }

    fn multiplied(self, least: f64, most: f64) -> Self {
        Self::new(product(self.least, least), product(self.most, most))
    }
}

/// The longest hint that a retry heeds.
pub(crate) fn longest_hint(retry: &RetrySpec) -> Duration {
    retry.max_retry_after.unwrap_or(Duration::MAX)
}

fn delay_of(strategy: &impl Strategy, attempt: u32) -> Duration {
    // The class and the instant do not matter to the strategies that this is called for.
    strategy.delay(&BackoffContext::new(attempt, &Classification::new(ErrorClass::Transient), Instant::now()))
}

/// The product as `adaptive` computes it, rounding included.
fn product(delay: Duration, multiplier: f64) -> Duration {
    if multiplier <= 1.0 || delay == Duration::MAX {
        return delay;
    }
    Duration::try_from_secs_f64(delay.as_secs_f64() * multiplier).unwrap_or(Duration::MAX)
}
