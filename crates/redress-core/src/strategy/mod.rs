//! Backoff: how long to wait before the next attempt.
//!
//! Owns the [`Strategy`] seam and what a strategy is told. The five strategies stand in a file each.

mod adaptive;
mod bounds;
mod decorrelated_jitter;
mod equal_jitter;
mod fixed;
mod jitter;
mod retry_after_or;
mod token_backoff;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::adaptive::{Adaptive, adaptive};
pub use self::decorrelated_jitter::{DecorrelatedJitter, decorrelated_jitter};
pub use self::equal_jitter::{EqualJitter, equal_jitter};
pub use self::fixed::{Fixed, fixed};
pub use self::retry_after_or::{RetryAfterOr, retry_after_or};
pub use self::token_backoff::{TokenBackoff, token_backoff};
use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;
use crate::outcome::event::owned;
use crate::outcome::retry_outcome::Cause;
use crate::policy::config_error::ConfigIssue;

/// What a strategy is told about the failure it is to wait after.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackoffContext<'a> {
    /// The attempt that failed, counted from 1.
    pub attempt: u32,
    /// What the classifier made of the failure.
    pub classification: Cow<'a, Classification>,
    /// The delay before this attempt, if there was one.
    pub prev_sleep: Option<Duration>,
    /// What is left until the deadline, if there is one.
    pub remaining: Option<Duration>,
    /// What failed.
    pub cause: Cause,
    /// The instant of the failure.
    pub now: Instant,
}

impl<'a> BackoffContext<'a> {
    /// The context of a failed attempt with no delay before it and no deadline; set the other fields as needed. For
    /// testing strategies: in a call the engine makes it.
    #[must_use]
    pub const fn new(attempt: u32, classification: &'a Classification, now: Instant) -> Self {
        let classification = Cow::Borrowed(classification);
        Self { attempt, classification, prev_sleep: None, remaining: None, cause: Cause::Error, now }
    }

    /// The failure's class.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        self.classification.class()
    }

    /// The context with a classification of its own, to be kept for longer than the strategy is asked.
    #[must_use]
    pub fn into_owned(self) -> BackoffContext<'static> {
        BackoffContext {
            attempt: self.attempt,
            classification: owned(self.classification),
            prev_sleep: self.prev_sleep,
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
/// One strategy object serves every call of its policy, at the same time if need be; what belongs to one call comes in
/// the context.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a backoff strategy",
    label = "computes no delays",
    note = "use one of `decorrelated_jitter()`, `equal_jitter()`, `token_backoff()`, `fixed(delay)`, `retry_after_or(..)`, \
            `adaptive(..)`, or a closure `|context: &BackoffContext<'_>| -> Duration`"
)]
pub trait Strategy: Send + Sync {
    /// How long to wait before the next attempt. The engine does not shorten it: a delay that does not fit the
    /// deadline ends the call.
    fn delay(&self, context: &BackoffContext<'_>) -> Duration;

    /// Whether [`learn`](Self::learn) does anything. A strategy that wraps another answers for it too.
    fn learns(&self) -> bool {
        false
    }

    /// Hears of a result. A strategy that wraps another passes it on.
    fn learn(&self, feedback: Feedback, now: Instant) {
        let _ = (feedback, now);
    }

    /// Where what learns is kept, so that one object which serves several classes hears of a success once. A pointer, or
    /// a strategy that wraps another and does not learn itself, answers for what is behind it.
    fn learns_at(&self) -> *const () {
        std::ptr::from_ref(self).cast()
    }

    /// What is wrong with the strategy's own configuration; read by the policy's `build()`.
    fn issues(&self) -> Vec<ConfigIssue> {
        Vec::new()
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

    fn issues(&self) -> Vec<ConfigIssue> {
        (**self).issues()
    }
}
