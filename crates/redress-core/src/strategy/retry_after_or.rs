//! The hint instead of a computed delay, and a fallback where there is none.

use std::time::{Duration, Instant};

use super::random_source::RandomSource;
use super::{BackoffContext, Feedback, Strategy, StrategySpec};
use crate::policy::config_error::{Check, ConfigIssue};

/// Waits as long as the classification's `retry_after` says, plus a little jitter; without a hint
/// `fallback` decides. Made by [`retry_after_or`].
///
/// A hint takes the place of the fallback's delay, also where it is shorter. A hint of zero says
/// nothing about how long to wait, so it counts as no hint. The jitter is added to the hint. A
/// delay that does not fit the deadline ends the call at once, and
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

/// The hint instead of the delay that `fallback` computes; see [`RetryAfterOr`].
pub const fn retry_after_or<S: Strategy>(fallback: S) -> RetryAfterOr<S> {
    RetryAfterOr { fallback, jitter: Duration::from_millis(250), source: RandomSource::Thread }
}

impl<S: Strategy> RetryAfterOr<S> {
    /// Sets the most that is added to a hint, so that callers told the same time do not come back
    /// together. Default: 250 ms. Zero adds nothing.
    pub const fn jitter(mut self, jitter: Duration) -> Self {
        self.jitter = jitter;
        self
    }

    /// Draws from a generator with this seed, so that a run can be repeated.
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
