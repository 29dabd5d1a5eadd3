//! Whether a failure is retried, and after how long: the gates, in order.
//!
//! Owns the order, which shows in the stop reason. Tells nobody: events are `events.rs`.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use super::run::{Failed, Run};
use crate::classify::class::ErrorClass;
use crate::outcome::stop_reason::StopReason;
use crate::policy::hooks::contained;
use crate::strategy::{BackoffContext, Feedback};

impl Run<'_> {
    /// The delay before the next attempt, or the first gate that says no.
    ///
    /// ORDER: no token is spent before every limit has agreed, and a strategy is asked only for a delay that can happen.
    pub(super) fn gates(&self, failed: &Failed<'_>, now: Instant) -> Result<Duration, StopReason> {
        let plan = self.plan;
        let class = failed.classification.class();
        refuse_if(self.abort_asked(), StopReason::Aborted)?;
        refuse_if(self.state.failures[class] > plan.class_caps[class], StopReason::MaxAttemptsPerClass)?;
        refuse_if(!class.is_retryable(), StopReason::NonRetryableClass)?;
        let unknown = class == ErrorClass::Unknown && self.state.failures[class] > plan.unknown_cap;
        refuse_if(unknown, StopReason::MaxUnknownAttempts)?;
        let remaining = self.remaining(now);
        refuse_if(remaining == Some(Duration::ZERO), StopReason::DeadlineExceeded)?;
        let strategy = plan.strategies[class].as_deref().ok_or(StopReason::NoStrategy)?;
        if self.learns() && strategy.learns() {
            strategy.learn(Feedback::Failure(class), now);
        }
        refuse_if(self.state.attempts >= plan.max_attempts, StopReason::MaxAttemptsGlobal)?;
        // After the attempts, so that a policy of one attempt never reports it.
        refuse_if(failed.classification.retry_forbidden().is_some(), StopReason::RetryForbidden)?;
        let delay = strategy.delay(&self.backoff_context(failed, now));
        // A sleep handler sees the whole delay and decides first; see `Run::ask_again`.
        let too_long = self.sleep_handler().is_none() && !fits(delay, remaining);
        refuse_if(too_long, StopReason::DeadlineExceeded)?;
        let granted = plan.budget.as_ref().is_none_or(|budget| budget.consume_at(now, 1));
        refuse_if(!granted, StopReason::BudgetExhausted)?;
        Ok(delay)
    }

    pub(super) fn backoff_context<'f>(&self, failed: &Failed<'f>, now: Instant) -> BackoffContext<'f> {
        BackoffContext {
            attempt: self.state.attempts,
            classification: Cow::Borrowed(failed.classification),
            prev_sleep: self.state.prev_sleep.get(),
            remaining: self.remaining(now),
            cause: failed.cause,
            now,
        }
    }

    /// Whether the abort predicate asks to stop; one that panics does not.
    #[inline]
    pub(super) fn abort_asked(&self) -> bool {
        let predicate = self.steering(|hooks| hooks.abort_if.as_deref());
        predicate.is_some_and(|predicate| contained(predicate).unwrap_or(false))
    }

    /// What is left until the deadline; zero at it.
    #[inline]
    pub(super) fn remaining(&self, now: Instant) -> Option<Duration> {
        Some(self.plan.deadline?.saturating_sub(self.elapsed(now)))
    }
}

/// Whether a delay ends before the deadline: at it is too late, since no attempt starts there.
pub(super) fn fits(delay: Duration, remaining: Option<Duration>) -> bool {
    remaining.is_none_or(|remaining| delay < remaining)
}

fn refuse_if(refuse: bool, reason: StopReason) -> Result<(), StopReason> {
    if refuse { Err(reason) } else { Ok(()) }
}
