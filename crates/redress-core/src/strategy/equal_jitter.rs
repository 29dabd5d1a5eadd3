//! Equal jitter: half of a doubling delay is certain, half is drawn.
//!
//! Owns that formula and its defaults.

use std::time::Duration;

use super::bounds::bounds;
use super::jitter::Jitter;
use super::{BackoffContext, Strategy};
use crate::drive::clock::nanos;
use crate::policy::config_error::ConfigIssue;

/// After failed attempt `n` the ceiling is `base` × 2ⁿ, at most `max`; the delay is drawn uniformly from its upper half.
///
/// Formula: "equal jitter" in Marc Brooker,
/// [Exponential Backoff And Jitter](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/) (AWS
/// Architecture Blog, 2015).
///
/// # Defaults
///
/// `base` 250 ms, `max` 30 s, jitter from the thread's generator.
///
/// ```
/// use std::time::{Duration, Instant};
/// use redress_core::{BackoffContext, Classification, ErrorClass, Strategy, equal_jitter};
///
/// let failure = Classification::new(ErrorClass::ServerError);
/// let third = equal_jitter().delay(&BackoffContext::new(3, &failure, Instant::now()));
/// assert!(third >= Duration::from_secs(1) && third <= Duration::from_secs(2));
/// ```
#[derive(Debug)]
#[must_use = "a strategy does nothing until a policy uses it"]
pub struct EqualJitter {
    base: Duration,
    max: Duration,
    jitter: Jitter,
}

/// Equal jitter with its defaults; see [`EqualJitter`].
pub const fn equal_jitter() -> EqualJitter {
    EqualJitter { base: Duration::from_millis(250), max: Duration::from_secs(30), jitter: Jitter::Thread }
}

impl EqualJitter {
    /// Sets the delay that is doubled. Default: 250 ms.
    pub const fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// Sets the longest delay. Default: 30 s.
    pub const fn max(mut self, max: Duration) -> Self {
        self.max = max;
        self
    }

    /// Draws from a generator with this seed, so that a run can be repeated.
    pub fn seed(mut self, seed: u64) -> Self {
        self.jitter = Jitter::seeded(seed);
        self
    }
}

impl Strategy for EqualJitter {
    fn delay(&self, context: &BackoffContext<'_>) -> Duration {
        let factor = 1_u64.checked_shl(context.attempt).unwrap_or(u64::MAX);
        let ceiling = Duration::from_nanos(nanos(self.base).saturating_mul(factor)).min(self.max);
        self.jitter.between(ceiling / 2, ceiling)
    }

    fn issues(&self) -> Vec<ConfigIssue> {
        bounds(("equal_jitter.base", self.base), ("equal_jitter.max", self.max), "be at least the base")
    }
}
