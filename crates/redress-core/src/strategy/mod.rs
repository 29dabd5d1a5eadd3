//! Backoff strategies: how long to wait before the next attempt.
//!
//! A [`Strategy`] computes a delay from a [`BackoffContext`]. The default of a retry is
//! decorrelated jitter from 250 ms up to 5 s. A [`StrategySpec`] is a strategy as plain data.
//!
//! | strategy | delay |
//! |---|---|
//! | [`decorrelated_jitter`] | random, between a base and three times the previous delay |
//! | [`exponential`] | random, below a ceiling that doubles |
//! | [`equal_jitter`] | random, in the upper half of a ceiling that doubles |
//! | [`token_backoff`] | like `equal_jitter`, with a ceiling that grows more slowly |
//! | [`fixed`] | always the same |
//! | [`retry_after_or`] | the dependency's hint, or else another strategy's delay |
//! | [`adaptive`] | another strategy's delay, multiplied while many attempts fail |

mod adaptive;
mod bounds;
mod decorrelated_jitter;
mod exponential;
mod fixed;
pub(crate) mod random_source;
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

/// The failure that a strategy computes a delay for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackoffContext<'a> {
    /// The attempt that failed, counted from 1.
    pub attempt: u32,
    /// The classification of the failure. A hint longer than the retry's
    /// [`max_retry_after`](crate::policy::RetryBuilder::max_retry_after) has been shortened to it.
    pub classification: Cow<'a, Classification>,
    /// The delay that the strategy computed after the previous attempt, if there was one. The
    /// actual wait may have been longer, because of a hint.
    pub prev_delay: Option<Duration>,
    /// The time left until the deadline, if there is one.
    pub remaining: Option<Duration>,
    /// Whether the operation returned an error, returned a value classified as a failure, or ran
    /// into its timeout.
    pub cause: Cause,
    /// The instant of the failure.
    pub now: Instant,
}

impl<'a> BackoffContext<'a> {
    /// Creates the context of an attempt that returned an error, without a previous delay and
    /// without a deadline; set the other fields as needed. For tests of strategies: in a call the
    /// engine creates it.
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

    /// Clones a borrowed classification, so that the context can be stored.
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

/// The result of an attempt, for a strategy that learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feedback {
    /// An attempt of the policy succeeded.
    Success,
    /// An attempt failed in a class this strategy was selected for.
    Failure(ErrorClass),
}

/// Computes the delay before the next attempt.
///
/// Closures are strategies: `|context: &BackoffContext<'_>| Duration::from_millis(50)`.
///
/// One strategy object serves every call of its policy, also concurrently. The state of a single
/// call is in the context.
///
/// ```
/// use std::time::{Duration, Instant};
/// use redress::strategy::{BackoffContext, Strategy};
/// use redress::{Classification, ErrorClass, Policy, Retry};
///
/// /// Waits longer by the same step after each attempt.
/// struct Linear(Duration);
///
/// impl Strategy for Linear {
///     fn delay(&self, context: &BackoffContext<'_>) -> Duration {
///         self.0.saturating_mul(context.attempt)
///     }
/// }
///
/// let failure = Classification::new(ErrorClass::Transient);
/// let third = BackoffContext::new(3, &failure, Instant::now());
/// assert_eq!(Linear(Duration::from_millis(100)).delay(&third), Duration::from_millis(300));
///
/// let policy = Policy::builder().retry(Retry::builder().strategy(Linear(Duration::from_millis(100)))).build()?;
/// # drop(policy);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a backoff strategy",
    label = "computes no delays",
    note = "use one of `decorrelated_jitter()`, `exponential()`, `equal_jitter()`, `token_backoff()`, `fixed(delay)`, \
            `retry_after_or(..)`, `adaptive(..)`, or a closure `|context: &BackoffContext<'_>| -> Duration`"
)]
pub trait Strategy: Send + Sync {
    /// Returns how long to wait before the next attempt. The engine does not shorten it: a delay
    /// that does not fit the deadline ends the call.
    fn delay(&self, context: &BackoffContext<'_>) -> Duration;

    /// Whether [`learn`](Self::learn) has an effect. A strategy that wraps another also returns
    /// `true` if the inner one does. Default: `false`.
    fn learns(&self) -> bool {
        false
    }

    /// Called with the result of an attempt at `now`. A strategy that wraps another passes it on.
    /// Default: does nothing.
    fn learn(&self, feedback: Feedback, now: Instant) {
        let _ = (feedback, now);
    }

    /// The address of the object that learns, so that an object which serves several classes learns
    /// each success once. A pointer returns the address of its target, and a strategy that wraps
    /// another and does not learn itself that of the inner one.
    fn learns_at(&self) -> *const () {
        std::ptr::from_ref(self).cast()
    }

    /// Whether the delay after a failure with a `retry_after` hint is derived from the hint instead
    /// of computed, so that later delays do not grow from it. A strategy that wraps another also
    /// returns `true` if the inner one does. Default: `false`.
    fn reads_retry_after(&self) -> bool {
        false
    }

    /// Returns the errors in the strategy's configuration. The policy's `build()` fails with them.
    /// Default: none.
    fn issues(&self) -> Vec<ConfigIssue> {
        Vec::new()
    }

    /// The strategy's configuration as plain data. Default: [`StrategySpec::Custom`].
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

/// The strategy of a retry that sets none: decorrelated jitter from 250 ms up to 5 s.
pub(crate) fn default_strategy() -> Arc<dyn Strategy> {
    Arc::new(decorrelated_jitter().max(Duration::from_secs(5)))
}

pub(crate) fn default_strategy_spec() -> StrategySpec {
    default_strategy().spec()
}
