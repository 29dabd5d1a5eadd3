//! Decides whether a failure is retried, and after how long, by a sequence of gates. The first gate
//! that refuses sets the stop reason.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use super::deadline::fits;
use super::decisions::EndedBy;
use super::flags::Flags;
use super::run::{FailureView, Run};
use super::state::Wait;
use crate::budget::earned::Answer;
use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;
use crate::outcome::failure::Cause;
use crate::outcome::stop_reason::StopReason;
use crate::policy::abort_handle::AbortHandle;
use crate::policy::hooks::contained;
use crate::policy::sleep_decision::SleepDecision;
use crate::strategy::{BackoffContext, Feedback, Strategy};

/// A retry that passed every gate.
#[derive(Clone, Copy)]
pub(super) struct Granted {
    pub(super) wait: Duration,
    /// The previous delay for the next call of the strategy, if it differs from the wait.
    pub(super) prev_delay: Option<Wait>,
    /// The time left until the deadline at the failure.
    pub(super) remaining: Option<Duration>,
    /// The sleep handler has already deferred it, because the wait does not fit the deadline.
    pub(super) deferred: bool,
    /// The budget takes the price back if the retry does not start.
    pub(super) returns: bool,
}

/// A retry that a gate refused.
#[derive(Clone, Copy)]
pub(super) struct Refused {
    pub(super) reason: StopReason,
    /// What the reason does not tell.
    pub(super) by: EndedBy,
    /// The hint, if it does not fit the deadline. If the circuit is open, the time until its next
    /// probe.
    pub(super) hint: Wait,
    /// The wait, if it does not fit the deadline.
    pub(super) wait: Wait,
}

impl Refused {
    /// An abort by the sleep handler.
    pub(super) const BY_SLEEP_HANDLER: Self =
        Self { reason: StopReason::Aborted, by: EndedBy::SleepHandler, hint: Wait::NONE, wait: Wait::NONE };

    /// A wait that does not fit the deadline, and the hint, if that does not.
    #[inline]
    fn unfit(wait: Duration, hint: Option<Duration>) -> Self {
        Self { reason: StopReason::DeadlineExceeded, by: EndedBy::Wait, hint: Wait::from(hint), wait: Wait::of(wait) }
    }
}

impl From<StopReason> for Refused {
    #[inline]
    fn from(reason: StopReason) -> Self {
        Self { reason, by: EndedBy::Gate, hint: Wait::NONE, wait: Wait::NONE }
    }
}

impl<'a> Run<'a> {
    /// Returns the wait before the next attempt, or the reason of the first gate that refuses.
    /// `failures` is the number of failures in this class so far. `PLAIN` omits the checks for
    /// hooks and learning strategies, which a [plain](super::RunState::is_plain) call does not
    /// have.
    ///
    /// ORDER: the budget comes last, so that a refused retry takes no token. The strategy comes
    /// after the limits, so that it computes a delay only for a retry that they allow.
    #[inline(always)]
    pub(super) fn gates<const PLAIN: bool>(
        &self,
        classification: &Classification,
        cause: Cause,
        failures: u16,
        now: Instant,
    ) -> Result<Granted, Refused> {
        let plan = self.plan;
        let class = classification.class();
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
        refuse_if(self.state.attempts >= plan.max_attempts || (!PLAIN && self.is_single()), StopReason::MaxAttempts)?;
        // After `MaxAttempts`, so that a policy of one attempt never reports `RetryForbidden`.
        refuse_if(classification.retry_forbidden().is_some(), StopReason::RetryForbidden)?;
        // `fail_plainly` has already shortened the hint of a plain call.
        let heeded = if PLAIN { Cow::Borrowed(classification) } else { plan.heeded(classification) };
        let hint = heeded.retry_after();
        let context = self.backoff_context(heeded, cause, remaining, now);
        let computed = strategy.delay(&context);
        let (wait, prev_delay) = match hint {
            None => (computed, None),
            Some(hint) => self.hinted(strategy, &context.classification, computed, hint),
        };
        let mut deferred = false;
        if !fits(wait, remaining) {
            deferred = !PLAIN && self.defers_unfit(&context, wait)?;
            if !deferred {
                let hint = hint.filter(|hint| !fits(*hint, remaining));
                return Err(Refused::unfit(wait, hint));
            }
        }
        if !PLAIN && !deferred && self.state.flags.has(Flags::JUDGES_ATTEMPTS) {
            self.refuse_if_shut(now, wait)?;
        }
        let returns = match &plan.budget {
            None => false,
            Some(budget) => pay(budget.withdraw_at(now, class, self.priority::<PLAIN>()))?,
        };
        Ok(Granted { wait, prev_delay, remaining, deferred, returns })
    }

    /// Refuses a retry that the breaker will certainly not admit after the wait.
    #[cold]
    fn refuse_if_shut(&self, now: Instant, wait: Duration) -> Result<(), Refused> {
        let Some(breaker) = &self.plan.breaker else { return Ok(()) };
        let breaker = breaker.as_dyn();
        if now.checked_add(wait).is_none_or(|at| breaker.admits_by(at)) {
            return Ok(());
        }
        Err(Refused { hint: Wait::from(breaker.open_for(now)), ..StopReason::CircuitOpen.into() })
    }

    /// Returns the wait, with the hint as its floor, and the previous delay for the next call of
    /// the strategy. A hint does not affect the backoff, so that delay is neither the hint nor a
    /// delay derived from it. An ordered wait replaces the delay, and the backoff starts over.
    #[inline(never)]
    fn hinted(
        &self,
        strategy: &dyn Strategy,
        classification: &Classification,
        computed: Duration,
        hint: Duration,
    ) -> (Duration, Option<Wait>) {
        let floor = self.plan.hint_floor(hint);
        if classification.has_exact_delay() && self.plan.reads_hints() {
            return (floor, Some(Wait::NONE));
        }
        let reads_hint = !hint.is_zero() && strategy.reads_retry_after();
        let prev_delay = if reads_hint { self.state.prev_delay } else { Wait::of(computed) };
        (computed.max(floor), Some(prev_delay))
    }

    /// Calls the sleep handler with a wait that does not fit the deadline, before a token is taken.
    /// Returns whether it defers the retry.
    #[cold]
    fn defers_unfit(&self, context: &BackoffContext<'_>, wait: Duration) -> Result<bool, Refused> {
        match self.ask_sleep_handler(context, wait) {
            Some(SleepDecision::Defer) => Ok(true),
            Some(SleepDecision::Abort) => Err(Refused::BY_SLEEP_HANDLER),
            Some(SleepDecision::Sleep) | None => Ok(false),
        }
    }

    /// The sleep handler's decision; `None` without a handler. A handler that panics counts as
    /// `Sleep`.
    pub(super) fn ask_sleep_handler(&self, context: &BackoffContext<'_>, wait: Duration) -> Option<SleepDecision> {
        let handler = self.steering(|hooks| hooks.sleep.as_deref())?;
        Some(contained(|| handler(context, wait)).unwrap_or(SleepDecision::Sleep))
    }

    /// The context of a failure for hooks: the same that the strategy received.
    pub(super) fn heeded_context<'f>(
        &self,
        failed: &FailureView<'f>,
        remaining: Option<Duration>,
        now: Instant,
    ) -> BackoffContext<'f> {
        self.backoff_context(self.plan.heeded(failed.classification), failed.cause, remaining, now)
    }

    #[inline]
    fn backoff_context<'f>(
        &self,
        classification: Cow<'f, Classification>,
        cause: Cause,
        remaining: Option<Duration>,
        now: Instant,
    ) -> BackoffContext<'f> {
        let (attempt, prev_delay) = (self.state.attempts, self.state.prev_delay.get());
        BackoffContext { attempt, classification, prev_delay, remaining, cause, now }
    }

    /// Whether an abort handle was aborted or an abort predicate returns `true`, the policy's or
    /// the call's. A predicate that panics counts as `false`.
    #[inline]
    pub(super) fn abort_asked(&self) -> bool {
        self.state.flags.has(Flags::STEERED.with(Flags::ABORTABLE)) && self.abort_asked_by_any()
    }

    fn abort_asked_by_any(&self) -> bool {
        let of_call = self.call.and_then(|call| call.hooks.abort_if.as_deref());
        let mut predicates = self.plan.hooks.abort_if.as_deref().into_iter().chain(of_call);
        self.is_aborted() || predicates.any(|predicate| contained(predicate).unwrap_or(false))
    }

    /// Whether the call has abort handles.
    #[inline]
    pub(crate) fn is_abortable(&self) -> bool {
        self.state.flags.has(Flags::ABORTABLE)
    }

    /// The policy's abort handles, then the call's.
    pub(crate) fn abort_handles(&self) -> impl Iterator<Item = &'a AbortHandle> + use<'a> {
        let of_call = self.call.map_or(&[][..], |call| &call.hooks.aborts);
        self.plan.hooks.aborts.iter().chain(of_call)
    }

    /// Whether one of the abort handles was aborted.
    #[inline]
    pub(crate) fn is_aborted(&self) -> bool {
        self.is_abortable() && self.abort_handles().any(AbortHandle::is_aborted)
    }
}

/// Whether the price of a granted retry can come back.
#[inline]
fn pay(answer: Answer) -> Result<bool, StopReason> {
    match answer {
        Answer::Refused => Err(StopReason::BudgetExhausted),
        Answer::Granted => Ok(true),
        Answer::GrantedByChance => Ok(false),
    }
}

#[inline]
fn refuse_if(refuse: bool, reason: StopReason) -> Result<(), StopReason> {
    if refuse { Err(reason) } else { Ok(()) }
}
