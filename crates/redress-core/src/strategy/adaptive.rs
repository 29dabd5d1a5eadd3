//! `Adaptive`, a strategy that multiplies the delays of another strategy while many attempts fail.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{BackoffContext, Feedback, Strategy, StrategySpec};
use crate::drive::clock::nanos;
use crate::drive::epoch::Epoch;
use crate::policy::config_error::{Check, ConfigIssue};
use crate::sync::Mutex;

/// Caps the results in the window. A rate over 1024 results is accurate to ±3 % (two standard
/// errors at worst), which is finer than a backoff needs, and they take at most 16 KiB.
const MAX_RESULTS: usize = 1024;

/// Multiplies the fallback's delays while more attempts fail than `target_success` allows. Returned
/// by [`adaptive`].
///
/// With failure rate `f` over the window and tolerated rate `t = 1 - target_success`, the
/// multiplier is `min_multiplier` up to `t`, and rises linearly to `max_multiplier` at `f = 1`.
/// Without results it is `min_multiplier`. A result counts until it is one window old, and at most
/// the last 1024 results are kept.
///
/// It records every success of its policy, and the failures in the classes it was selected for, at
/// any depth of nesting. An object that serves several classes records each success once. Do not
/// use one object both directly and inside another learning strategy: it would record each success
/// twice.
///
/// # Defaults
///
/// `window` 60 s, `target_success` 0.9, `min_multiplier` 1, `max_multiplier` 5.
///
/// ```
/// use std::time::{Duration, Instant};
/// use redress::{Classification, ErrorClass, fixed};
/// use redress::strategy::{BackoffContext, Feedback, Strategy, adaptive};
///
/// let strategy = adaptive(fixed(Duration::from_secs(1))).max_multiplier(3.0);
/// let failure = Classification::new(ErrorClass::Transient);
/// let now = Instant::now();
/// strategy.learn(Feedback::Failure(ErrorClass::Transient), now);
/// assert_eq!(strategy.delay(&BackoffContext::new(1, &failure, now)), Duration::from_secs(3));
/// ```
#[derive(Debug)]
#[must_use = "a strategy does nothing until a policy uses it"]
pub struct Adaptive<S> {
    fallback: S,
    window: Duration,
    target_success: f64,
    min_multiplier: f64,
    max_multiplier: f64,
    epoch: Epoch,
    results: Mutex<Results>,
}

/// Wraps `fallback`; see [`Adaptive`].
pub fn adaptive<S: Strategy>(fallback: S) -> Adaptive<S> {
    Adaptive {
        fallback,
        window: Duration::from_secs(60),
        target_success: 0.9,
        min_multiplier: 1.0,
        max_multiplier: 5.0,
        epoch: Epoch::default(),
        results: Mutex::new(Results { recent: VecDeque::new(), failures: 0 }),
    }
}

impl<S: Strategy> Adaptive<S> {
    /// Sets how long a result counts. Must not be zero. Default: 60 s.
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Sets the share of successes below which delays are multiplied. Must be above 0 and at most
    /// 1. Default: 0.9.
    pub fn target_success(mut self, share: f64) -> Self {
        self.target_success = share;
        self
    }

    /// Sets the smallest multiplier. Must be at least 1. Default: 1.
    pub fn min_multiplier(mut self, multiplier: f64) -> Self {
        self.min_multiplier = multiplier;
        self
    }

    /// Sets the largest multiplier. Must be at least the smallest. Default: 5.
    pub fn max_multiplier(mut self, multiplier: f64) -> Self {
        self.max_multiplier = multiplier;
        self
    }

    fn multiplier(&self, now: Instant) -> f64 {
        let rate = self.results.lock().failure_rate(self.epoch.ticks(now), nanos(self.window));
        let tolerated = 1.0 - self.target_success;
        let excess = (rate - tolerated) / (1.0 - tolerated);
        let stretch = self.max_multiplier - self.min_multiplier;
        (self.min_multiplier + excess * stretch).max(self.min_multiplier).min(self.max_multiplier)
    }
}

impl<S: Strategy> Strategy for Adaptive<S> {
    fn delay(&self, context: &BackoffContext<'_>) -> Duration {
        let delay = self.fallback.delay(context);
        let multiplier = self.multiplier(context.now);
        if multiplier <= 1.0 {
            return delay; // exact, while seconds as `f64` round long delays
        }
        let scaled = delay.as_secs_f64() * multiplier;
        // Err means too long for a `Duration`. The product is never negative: the multiplier is at
        // least 1.
        Duration::try_from_secs_f64(scaled).unwrap_or(Duration::MAX)
    }

    fn learns(&self) -> bool {
        true
    }

    fn learn(&self, feedback: Feedback, now: Instant) {
        let failed = matches!(feedback, Feedback::Failure(_));
        let now_ticks = self.epoch.ticks(now);
        self.results.lock().record(now_ticks, failed, nanos(self.window));
        self.fallback.learn(feedback, now);
    }

    fn reads_retry_after(&self) -> bool {
        self.fallback.reads_retry_after()
    }

    fn issues(&self) -> Vec<ConfigIssue> {
        let mut check = Check::default();
        let (target, min, max) = (self.target_success, self.min_multiplier, self.max_multiplier);
        check.duration("adaptive.window", self.window);
        check.that(target > 0.0 && target <= 1.0, "adaptive.target_success", target, "be above 0 and at most 1");
        check.that(min.is_finite() && min >= 1.0, "adaptive.min_multiplier", min, "be a number of at least 1");
        check.beside(
            "adaptive.min_multiplier",
            max.is_finite() && max >= min,
            "adaptive.max_multiplier",
            max,
            "be a number of at least the smallest multiplier",
        );
        check.extend(self.fallback.issues());
        check.into_issues()
    }

    fn spec(&self) -> StrategySpec {
        StrategySpec::Adaptive {
            window: self.window,
            target_success: self.target_success,
            min_multiplier: self.min_multiplier,
            max_multiplier: self.max_multiplier,
            fallback: Box::new(self.fallback.spec()),
        }
    }
}

/// The results within the window, oldest first, and how many of them are failures.
#[derive(Debug)]
struct Results {
    recent: VecDeque<(u64, bool)>,
    failures: usize,
}

impl Results {
    fn record(&mut self, now: u64, failed: bool, window: u64) {
        self.expire(now, window);
        if self.recent.len() == MAX_RESULTS {
            self.forget_oldest();
        }
        self.recent.push_back((now, failed));
        self.failures += usize::from(failed);
    }

    fn failure_rate(&mut self, now: u64, window: u64) -> f64 {
        self.expire(now, window);
        // Both are at most MAX_RESULTS, so the conversion is exact. An empty window has the rate 0.
        self.failures as f64 / self.recent.len().max(1) as f64
    }

    fn expire(&mut self, now: u64, window: u64) {
        while self.recent.front().is_some_and(|(tick, _)| now.saturating_sub(*tick) >= window) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, failed)) = self.recent.pop_front() {
            self.failures -= usize::from(failed);
        }
    }
}
