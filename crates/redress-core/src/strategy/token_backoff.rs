//! Token backoff: a gentler exponential delay for quota- and credit-based services.
//!
//! Owns that formula and its defaults.

use std::time::Duration;

use super::bounds::bounds;
use super::jitter::Jitter;
use super::{BackoffContext, Strategy};
use crate::policy::config_error::ConfigIssue;

/// After failed attempt `n` the ceiling is `base` × 1.5ⁿ, at most `max`; the delay is drawn uniformly from its upper half.
///
/// For services that meter by token or credit: quick to come back while the bucket refills, without hammering it.
///
/// # Defaults
///
/// `base` 250 ms, `max` 20 s, jitter from the thread's generator.
///
/// ```
/// use std::time::{Duration, Instant};
/// use redress_core::{BackoffContext, Classification, ErrorClass, Strategy, token_backoff};
///
/// let failure = Classification::new(ErrorClass::RateLimit);
/// let second = token_backoff().base(Duration::from_secs(4)).delay(&BackoffContext::new(2, &failure, Instant::now()));
/// assert!(second >= Duration::from_millis(4500) && second <= Duration::from_secs(9));
/// ```
#[derive(Debug)]
#[must_use = "a strategy does nothing until a policy uses it"]
pub struct TokenBackoff {
    base: Duration,
    max: Duration,
    jitter: Jitter,
}

/// Token backoff with its defaults; see [`TokenBackoff`].
pub const fn token_backoff() -> TokenBackoff {
    TokenBackoff { base: Duration::from_millis(250), max: Duration::from_secs(20), jitter: Jitter::Thread }
}

impl TokenBackoff {
    /// Sets the delay that grows. Default: 250 ms.
    pub const fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// Sets the longest delay. Default: 20 s.
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

impl Strategy for TokenBackoff {
    fn delay(&self, context: &BackoffContext<'_>) -> Duration {
        let factor = 1.5_f64.powi(i32::try_from(context.attempt).unwrap_or(i32::MAX));
        // Err means that the product is too long for a `Duration`, so it is over any cap.
        let grown = Duration::try_from_secs_f64(self.base.as_secs_f64() * factor);
        let ceiling = grown.unwrap_or(Duration::MAX).min(self.max);
        self.jitter.between(ceiling / 2, ceiling)
    }

    fn issues(&self) -> Vec<ConfigIssue> {
        bounds(("token_backoff.base", self.base), ("token_backoff.max", self.max), "be at least the base")
    }
}
