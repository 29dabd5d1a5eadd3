//! Backoff: how long to wait before the next attempt.
//!
//! The [`Strategy`] trait, what a strategy is told, and the default of a retry. Each strategy has a
//! file, and `spec.rs` has them all as plain data.

mod adaptive;
mod bounds;
mod decorrelated_jitter;
mod exponential;
mod fixed;
mod random_source;
mod retry_after_or;
mod spec;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::adaptive::{Adaptive, adaptive};
pub use self::decorrelated_jitter::{DecorrelatedJitter, decorrelated_jitter};
pub use self::exponential::{Exponential, Jitter, equal_jitter, exponential, token_backoff};
pub use self::fixed::{Fixed, fixed};
pub use self::retry_after_or::{RetryAfterOr, retry_after_or};
pub use self::spec::StrategySpec;
use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;
use crate::outcome::event::owned;
use crate::outcome::failure::Cause;
use crate::policy::config_error::ConfigIssue;

/// What a strategy is told about the failure it is to wait after.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackoffContext<'a> {
    /// The attempt that failed, counted from 1.
    pub attempt: u32,
    /// What the classifier made of the failure. A hint that is longer than the retry's
    /// [`max_retry_after`](crate::policy::RetryBuilder::max_retry_after) is shortened to it.
    pub classification: Cow<'a, Classification>,
    /// The delay that the strategy computed after the attempt before, if there was one. What was
    /// waited may be longer: a hint does not count here.
    pub prev_delay: Option<Duration>,
    /// What is left until the deadline, if there is one.
    pub remaining: Option<Duration>,
    /// What failed.
    pub cause: Cause,
    /// The instant of the failure.
    pub now: Instant,
}

impl<'a> BackoffContext<'a> {
    /// The context of a failed attempt with no delay before it and no deadline; set the other
    /// fields as needed. For testing strategies: in a call the engine makes it.
    #[must_use]
    pub const fn new(attempt: u32, classification: &'a Classification, now: Instant) -> Self {
        let classification = Cow::Borrowed(classification);
        Self { attempt, classification, prev_delay: None, remaining: None, cause: Cause::Error, now }
    }

    /// The failure's class.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        self.classification.class()
    }

    /// The context with a classification of its own, to be kept for longer than the strategy is
    /// asked.
    #[must_use]
    pub fn into_owned(self) -> BackoffContext<'static> {
        BackoffContext {
            attempt: self.attempt,
            classification: owned(self.classification),
            prev_delay: self.prev_delay,
            remaining: self.remaining,
            cause: self.cause,
            now: self.now,
        }
    }
}

/// What a strategy that learns is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feedback {
    /// An attempt of the policy succeeded.
    Success,
    /// An attempt failed in a class this strategy was selected for.
    Failure(ErrorClass),
}

/// Computes delays.
///
/// Closures are strategies: `|context: &BackoffContext<'_>| Duration::from_millis(50)`.
///
/// One strategy object serves every call of its policy, at the same time if need be; what belongs
/// to one call comes in the context.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a backoff strategy",
    label = "computes no delays",
    note = "use one of `decorrelated_jitter()`, `exponential()`, `equal_jitter()`, `token_backoff()`, `fixed(delay)`, \
            `retry_after_or(..)`, `adaptive(..)`, or a closure `|context: &BackoffContext<'_>| -> Duration`"
)]
pub trait Strategy: Send + Sync {
    /// How long to wait before the next attempt. The engine does not shorten it: a delay that does
    /// not fit the deadline ends the call.
    fn delay(&self, context: &BackoffContext<'_>) -> Duration;

    /// Whether [`learn`](Self::learn) does anything. A strategy that wraps another answers for it
    /// too.
    fn learns(&self) -> bool {
        false
    }

    /// Hears of a result. A strategy that wraps another passes it on.
    fn learn(&self, feedback: Feedback, now: Instant) {
        let _ = (feedback, now);
    }

    /// Where what learns is kept, so that one object which serves several classes hears of a
    /// success once. A pointer, or a strategy that wraps another and does not learn itself, answers
    /// for what is behind it.
    fn learns_at(&self) -> *const () {
        std::ptr::from_ref(self).cast()
    }

    /// Whether the delay after a failure with a `retry_after` hint is the hint rather than a
    /// backoff of its own, so that later delays do not grow from it. Default: false. A strategy
    /// that wraps another answers for it too.
    fn reads_retry_after(&self) -> bool {
        false
    }

    /// What is wrong with the strategy's own configuration; read by the policy's `build()`.
    fn issues(&self) -> Vec<ConfigIssue> {
        Vec::new()
    }

    /// The strategy's configuration as plain data. Default: [`StrategySpec::Custom`], for a
    /// strategy of the user's own.
    fn spec(&self) -> StrategySpec {
        StrategySpec::Custom
    }
}

#[diagnostic::do_not_recommend]
impl<F: Fn(&BackoffContext<'_>) -> Duration + Send + Sync> Strategy for F {
    fn delay(&self, context: &BackoffContext<'_>) -> Duration {
        self(context)
    }
}

impl<S: Strategy + ?Sized> Strategy for Arc<S> {
    fn delay(&self, context: &BackoffContext<'_>) -> Duration {
        (**self).delay(context)
    }

    fn learns(&self) -> bool {
        (**self).learns()
    }

    fn learn(&self, feedback: Feedback, now: Instant) {
        (**self).learn(feedback, now);
    }

    fn learns_at(&self) -> *const () {
        (**self).learns_at()
    }

    fn reads_retry_after(&self) -> bool {
        (**self).reads_retry_after()
    }

    fn issues(&self) -> Vec<ConfigIssue> {
        (**self).issues()
    }

    fn spec(&self) -> StrategySpec {
        (**self).spec()
    }
}

/// The strategy of a retry that names none: decorrelated jitter from 250 ms up to 5 s.
pub(crate) fn default_strategy() -> Arc<dyn Strategy> {
    Arc::new(decorrelated_jitter().max(Duration::from_secs(5)))
}

pub(crate) fn default_strategy_spec() -> StrategySpec {
    default_strategy().spec()
}
