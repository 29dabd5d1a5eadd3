//! Whether a failure is retried, and after how long: the gates, in order. The order shows in the stop reason.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use super::deadline::fits;
use super::flags::Flags;
use super::run::{FailureView, Run};
use super::state::Wait;
use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;
use crate::outcome::stop_reason::StopReason;
use crate::policy::abort_handle::AbortHandle;
use crate::policy::hooks::contained;
use crate::policy::sleep_decision::SleepDecision;
use crate::strategy::{BackoffContext, Feedback, Strategy};

/// A retry that every gate agreed to.
#[derive(Clone, Copy)]
pub(super) struct Granted {
    pub(super) wait: Duration,
    /// What the strategy is told next as the previous delay, if that is not the wait.
    pub(super) prev_delay: Option<Wait>,
    /// The sleep handler has deferred it already, since the wait does not fit the deadline.
    pub(super) deferred: bool,
}

/// A gate that said no.
#[derive(Clone, Copy)]
pub(super) struct Refused {
    pub(super) reason: StopReason,
    /// The hint, if it does not fit the deadline.
    pub(super) hint: Wait,
}

impl From<StopReason> for Refused {
    #[inline]
    fn from(reason: StopReason) -> Self {
        Self { reason, hint: Wait::NONE }
    }
}

impl<'a> Run<'a> {
    /// The wait before the next attempt, or the first gate that says no; `failures` of this class there were. `PLAIN` leaves out what a
    /// [plain](super::RunState::is_plain) call does not have: hooks that steer, and strategies that learn.
    ///
    /// ORDER: no token is spent before every limit has agreed, and a strategy is asked only for a delay that can happen.
    #[inline(always)]
    pub(super) fn gates<const PLAIN: bool>(
        &self,
        failed: &FailureView<'_>,
        failures: u16,
        now: Instant,
    ) -> Result<Granted, Refused> {
        let plan = self.plan;
        let class = failed.classification.class();
        refuse_if(!PLAIN && self.abort_asked(), StopReason::Aborted)?;
        refuse_if(failures > plan.class_caps[class], StopReason::MaxAttemptsPerClass)?;
        refuse_if(!class.is_retryable(), StopReason::NonRetryableClass)?;
        refuse_if(class == ErrorClass::Unknown && failures > plan.unknown_cap, StopReason::MaxUnknownAttempts)?;
        let remaining = self.remaining(now);
        refuse_if(remaining == Some(Duration::ZERO), StopReason::DeadlineExceeded)?;
        let strategy = plan.strategies[class].as_deref().ok_or(StopReason::NoStrategy)?;
        if !PLAIN && self.learns() && strategy.learns() {
            strategy.learn(Feedback::Failure(class), now);
        }
        refuse_if(self.state.attempts >= plan.max_attempts, StopReason::MaxAttempts)?;
        // After the attempts, so that a policy of one attempt never reports it.
        refuse_if(failed.classification.retry_forbidden().is_some(), StopReason::RetryForbidden)?;
        let context = self.backoff_context::<PLAIN>(failed, remaining, now);
        let mut granted = self.delay(strategy, &context);
        if !fits(granted.wait, remaining) {
            granted.deferred = !PLAIN && self.defers_unfit(&context, granted.wait)?;
            if !granted.deferred {
                let hint = context.classification.retry_after().filter(|hint| !fits(*hint, remaining));
                return Err(Refused { reason: StopReason::DeadlineExceeded, hint: Wait::from(hint) });
            }
        }
        if let Some(budget) = &plan.budget {
            refuse_if(!budget.consume_at(now, 1), StopReason::BudgetExhausted)?;
        }
        Ok(granted)
    }

    /// The strategy's delay, with the hint as its floor.
    #[inline(always)]
    fn delay(&self, strategy: &dyn Strategy, context: &BackoffContext<'_>) -> Granted {
        let computed = strategy.delay(context);
        match context.classification.retry_after() {
            None => Granted { wait: computed, prev_delay: None, deferred: false },
            Some(hint) => self.hinted(strategy, &context.classification, computed, hint),
        }
    }

    /// A hint raises the wait and leaves the backoff alone: neither it nor a delay that was read from it is what the next
    /// delay grows from. One that is an order is the wait, and the backoff starts over.
    #[inline(never)]
    fn hinted(
        &self,
        strategy: &dyn Strategy,
        classification: &Classification,
        computed: Duration,
        hint: Duration,
    ) -> Granted {
        let floor = self.plan.hint_floor(hint);
        if classification.is_ordered() && self.plan.reads_hints() {
            return Granted { wait: floor, prev_delay: Some(Wait::NONE), deferred: false };
        }
        let reads_hint = !hint.is_zero() && strategy.reads_retry_after();
        let prev_delay = if reads_hint { self.state.prev_delay } else { Wait::of(computed) };
        Granted { wait: computed.max(floor), prev_delay: Some(prev_delay), deferred: false }
    }

    /// Asks the sleep handler about a wait that does not fit the deadline, before anything is spent: whether it defers.
    #[cold]
    fn defers_unfit(&self, context: &BackoffContext<'_>, wait: Duration) -> Result<bool, StopReason> {
        match self.ask_sleep_handler(context, wait) {
            Some(SleepDecision::Defer) => Ok(true),
            Some(SleepDecision::Abort) => Err(StopReason::Aborted),
            Some(SleepDecision::Sleep) | None => Ok(false),
        }
    }

    /// The sleep handler's answer, if there is one. A handler that panics has not answered; the call goes on as if it had
    /// said sleep.
    pub(super) fn ask_sleep_handler(&self, context: &BackoffContext<'_>, wait: Duration) -> Option<SleepDecision> {
        let handler = self.steering(|hooks| hooks.sleep.as_deref())?;
        Some(contained(|| handler(context, wait)).unwrap_or(SleepDecision::Sleep))
    }

    /// What a strategy is told. The hint of a plain call has been [shortened](Run::fail_plainly) already.
    #[inline]
    pub(super) fn backoff_context<'f, const PLAIN: bool>(
        &self,
        failed: &FailureView<'f>,
        remaining: Option<Duration>,
        now: Instant,
    ) -> BackoffContext<'f> {
        BackoffContext {
            attempt: self.state.attempts,
            classification: if PLAIN {
                Cow::Borrowed(failed.classification)
            } else {
                self.plan.heeded(failed.classification)
            },
            prev_delay: self.state.prev_delay.get(),
            remaining,
            cause: failed.cause,
            now,
        }
    }

    /// Whether a handle was aborted or an abort predicate asks to stop, the policy's or the call's; one that panics does not.
    #[inline]
    pub(super) fn abort_asked(&self) -> bool {
        self.state.flags.has(Flags::STEERED.with(Flags::ABORTABLE)) && self.abort_asked_by_any()
    }

    fn abort_asked_by_any(&self) -> bool {
        let of_call = self.call.and_then(|call| call.hooks.abort_if.as_deref());
        let mut predicates = self.plan.hooks.abort_if.as_deref().into_iter().chain(of_call);
        self.is_aborted() || predicates.any(|predicate| contained(predicate).unwrap_or(false))
    }

    /// Whether there are handles that may abort the call.
    #[inline]
    pub(crate) fn is_abortable(&self) -> bool {
        self.state.flags.has(Flags::ABORTABLE)
    }

    /// The handles that may abort the call: the policy's, and its own.
    pub(crate) fn abort_handles(&self) -> impl Iterator<Item = &'a AbortHandle> + use<'a> {
        let of_call = self.call.map_or(&[][..], |call| &call.hooks.aborts);
        self.plan.hooks.aborts.iter().chain(of_call)
    }

    /// Whether one of the handles was aborted.
    #[inline]
    pub(crate) fn is_aborted(&self) -> bool {
        self.is_abortable() && self.abort_handles().any(AbortHandle::is_aborted)
    }
}

#[inline]
fn refuse_if(refuse: bool, reason: StopReason) -> Result<(), StopReason> {
    if refuse { Err(reason) } else { Ok(()) }
}
