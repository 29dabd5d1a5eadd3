//! `RetryAfterOr`, a strategy that waits as long as the `retry_after` hint, or else as long as a
//! fallback.

use std::time::{Duration, Instant};

use super::random_source::RandomSource;
use super::{BackoffContext, Feedback, Strategy, StrategySpec};
use crate::policy::config_error::{Check, ConfigIssue};

/// Waits as long as the classification's `retry_after` hint, plus jitter. Without a hint it waits
/// as long as the fallback. Returned by [`retry_after_or`].
///
/// A hint replaces the fallback's delay, even if it is shorter. A hint of zero counts as no hint. A
/// delay that does not fit the deadline ends the call at once.
/// [`max_retry_after`](crate::policy::RetryBuilder::max_retry_after) shortens hints that are too
/// long.
///
/// # Defaults
///
/// `jitter` 250 ms.
///
/// ```
/// use std::time::{Duration, Instant};
/// use redress::{Classification, ErrorClass, retry_after_or};
/// use redress::strategy::{BackoffContext, Strategy, equal_jitter};
///
/// let strategy = retry_after_or(equal_jitter()).jitter(Duration::ZERO);
/// let limited = Classification::new(ErrorClass::RateLimit).with_retry_after(Duration::from_secs(9));
/// assert_eq!(strategy.delay(&BackoffContext::new(1, &limited, Instant::now())), Duration::from_secs(9));
/// ```
#[derive(Debug)]
#[must_use = "a strategy does nothing until a policy uses it"]
pub struct RetryAfterOr<S> {
    fallback: S,
    jitter: Duration,
    source: RandomSource,
}

/// Waits for the hint, or else as long as `fallback`; see [`RetryAfterOr`].
pub const fn retry_after_or<S: Strategy>(fallback: S) -> RetryAfterOr<S> {
    RetryAfterOr { fallback, jitter: Duration::from_millis(250), source: RandomSource::Thread }
}

impl<S: Strategy> RetryAfterOr<S> {
    /// Sets the longest time that is added to a hint, so that callers with the same hint do not
    /// retry together. Zero adds nothing. Default: 250 ms.
    pub const fn jitter(mut self, jitter: Duration) -> Self {
        self.jitter = jitter;
        self
    }

    /// Draws from a generator with this seed, for reproducible delays. Default: the thread's
    /// generator.
    pub fn seed(mut self, seed: u64) -> Self {
        self.source = RandomSource::seeded(seed);
        self
    }
}

impl<S: Strategy> Strategy for RetryAfterOr<S> {
    fn delay(&self, context: &BackoffContext<'_>) -> Duration {
        let Some(hint) = context.classification.retry_after().filter(|hint| !hint.is_zero()) else {
            return self.fallback.delay(context);
        };
        let jitter =
            if self.jitter.is_zero() { Duration::ZERO } else { self.source.between(Duration::ZERO, self.jitter) };
        hint.saturating_add(jitter)
    }

    fn learns(&self) -> bool {
        self.fallback.learns()
    }

    fn learn(&self, feedback: Feedback, now: Instant) {
        self.fallback.learn(feedback, now);
    }

    fn learns_at(&self) -> *const () {
        self.fallback.learns_at()
    }

    fn reads_retry_after(&self) -> bool {
        true
    }

    fn issues(&self) -> Vec<ConfigIssue> {
        let mut check = Check::default();
        check.extend(self.fallback.issues());
        check.countable("retry_after_or.jitter", self.jitter);
        check.into_issues()
    }

    fn spec(&self) -> StrategySpec {
        StrategySpec::RetryAfterOr {
            jitter: self.jitter,
            seed: self.source.seed(),
            fallback: Box::new(self.fallback.spec()),
        }
    }
}
