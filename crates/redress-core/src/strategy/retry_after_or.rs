//! Honours the other side's hint, and falls back where there is none.
//!
//! Owns the choice between hint and fallback. Does not know where the hint came from.

use std::time::{Duration, Instant};

use super::jitter::Jitter;
use super::{BackoffContext, Feedback, Strategy};
use crate::policy::config_error::{Check, ConfigIssue};

/// Waits as long as the classification's `retry_after` says, plus a little jitter, or as `fallback` says where there
/// is no hint. Made by [`retry_after_or`].
///
/// The hint is a floor: the jitter only adds to it, and the engine never shortens a delay. A hint that does not fit the
/// deadline ends the call at once.
///
/// # Defaults
///
/// `jitter` 250 ms; no `max`: the deadline bounds what is waited.
///
/// ```
/// use std::time::{Duration, Instant};
/// use redress_core::{BackoffContext, Classification, ErrorClass, Strategy, equal_jitter, retry_after_or};
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
    max: Duration,
    source: Jitter,
}

/// Honours `retry_after` hints, else `fallback`; see [`RetryAfterOr`].
pub const fn retry_after_or<S: Strategy>(fallback: S) -> RetryAfterOr<S> {
    RetryAfterOr { fallback, jitter: Duration::from_millis(250), max: Duration::MAX, source: Jitter::Thread }
}

impl<S: Strategy> RetryAfterOr<S> {
    /// Sets the most that is added to a hint, so that callers told the same time do not come back together.
    /// Default: 250 ms. Zero adds nothing.
    pub const fn jitter(mut self, jitter: Duration) -> Self {
        self.jitter = jitter;
        self
    }

    /// Sets the longest wait for a hint, jitter included; a longer hint is shortened to it. Default: none. It protects
    /// a policy without a deadline from a hostile hint; to give up instead of coming back early, set a deadline.
    pub const fn max(mut self, max: Duration) -> Self {
        self.max = max;
        self
    }

    /// Draws from a generator with this seed, so that a run can be repeated.
    pub fn seed(mut self, seed: u64) -> Self {
        self.source = Jitter::seeded(seed);
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
        hint.saturating_add(jitter).min(self.max)
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
        check.that(!self.max.is_zero(), "retry_after_or.max", self.max, "be longer than zero");
        check.into_issues()
    }
}
