//! The transitions of one call: it begins, attempts succeed or fail, and it ends once.

use std::time::{Duration, Instant};

use super::admission::Heard;
use super::decisions::EndedBy;
use super::flags::Flags;
use super::gates::{Granted, Refused};
use super::state::{RunState, Wait};
use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;
use crate::drive::attempt::Attempt;
use crate::outcome::failure::Cause;
use crate::outcome::observer::AttemptDecision;
use crate::outcome::stop_reason::StopReason;
use crate::outcome::timeline::RetryTimeline;
use crate::policy::compiled::Plan;
use crate::policy::hooks::{BeforeSleep, Hooks, Sleeper, contained};
use crate::policy::settings::CallSettings;
use crate::policy::sleep_decision::{HookFuture, SleepDecision};
use crate::resume::ResumeToken;

/// A failed attempt, without the caller's types.
pub(crate) struct FailureView<'f> {
    pub(crate) classification: &'f Classification,
    pub(crate) cause: Cause,
    /// The type of the operation's error, if it returned one.
    pub(crate) error_type: Option<&'static str>,
}

impl FailureView<'_> {
    /// The type of the error that decided the classification, or else of the operation's error.
    pub(super) fn deciding_type(&self) -> Option<&'static str> {
        self.error_type.map(|own| self.classification.error_type().unwrap_or(own))
    }
}

/// The engine's decision about a failed attempt.
#[must_use = "a verdict that is not acted on loses the call"]
pub(crate) enum Verdict {
    /// Await the hook, if there is one, then [wait](Run::wait), then call [`Run::resume`].
    Retry(Option<HookFuture>),
    /// The call is over.
    Stop,
}

/// The engine's view of one call: its settings, and the state that the driver owns.
///
/// - **Invariant R1**: attempts never exceed the cap.
/// - **Invariant R2**: no wait ends past the deadline, and no attempt starts at or past it.
/// - **Invariant R3**: a call that is started ends in exactly one terminal event: `Cancelled` if it
///   is dropped or unwound before another one.
/// - **Invariant R4**: its permit is reported once, or released by the driver.
pub(crate) struct Run<'a> {
    pub(super) plan: &'a Plan,
    pub(super) call: Option<&'a CallSettings<'a>>,
    pub(super) state: &'a mut RunState,
}

impl<'a> Run<'a> {
    #[inline]
    pub(crate) fn of(plan: &'a Plan, call: Option<&'a CallSettings<'a>>, state: &'a mut RunState) -> Self {
        Self { plan, call, state }
    }

    /// Starts a call that does not take the fast path, and its first attempt. Checks for an abort,
    /// then the deadline, then the budget if the call goes on, then the breaker. Returns `None` if
    /// the call ended instead.
    pub(crate) fn begin(&mut self, now: Instant) -> Option<Attempt> {
        self.state.observers.set_timeline(self.timeline_for_call());
        if self.is_watched() {
            self.tell_call_start();
        }
        self.go_on();
        self.begin_frame();
        let remaining = self.remaining(now);
        if let Some(reason) = self.refusal_to_begin(remaining) {
            self.note_end(EndedBy::Start, Wait::NONE);
            self.end(reason, None, now);
            return None;
        }
        if !self.pay_again(now) {
            self.end(StopReason::BudgetExhausted, None, now);
            return None;
        }
        if !self.admit(now) {
            return None;
        }
        Some(self.next_attempt(remaining, now))
    }

    /// Takes over the state of the deferred call that this call continues, if any.
    fn go_on(&mut self) {
        let Some(&token) = self.resumed() else { return };
        // A token is untrusted, or older than a limit that was lowered.
        self.state.attempts = token.attempts.min(self.plan.max_attempts);
        self.state.failures = token.failures;
        self.state.prev_delay = Wait::from(token.prev_delay);
    }

    /// Why the first attempt does not start, apart from the breaker.
    fn refusal_to_begin(&self, remaining: Option<Duration>) -> Option<StopReason> {
        let is_late = remaining == Some(Duration::ZERO);
        // After a wait, the deadline comes first; a deferred wait is one.
        if is_late && self.state.attempts > 0 {
            Some(StopReason::DeadlineExceeded)
        } else if self.abort_asked() {
            Some(StopReason::Aborted)
        } else if is_late {
            Some(StopReason::DeadlineExceeded)
        } else if self.state.attempts >= self.plan.max_attempts {
            Some(StopReason::MaxAttempts)
        } else {
            None
        }
    }

    /// What a later delivery needs to continue the call, if its retry was deferred.
    pub(crate) fn resume_token(&self, elapsed: Duration) -> Option<ResumeToken> {
        let state = &self.state;
        let make =
            || ResumeToken::new(state.attempts, state.failures, state.prev_delay.get(), elapsed, self.plan.name());
        (state.stop_reason == Some(StopReason::Scheduled)).then(make)
    }

    /// The timeline that the call records into: by the call's setting, or else by the policy's.
    fn timeline_for_call(&self) -> Option<RetryTimeline> {
        self.hook(|hooks| hooks.capture.timeline())
    }

    /// Starts the next attempt, after the wait of the last verdict. Returns `None` if the call
    /// ended instead.
    pub(crate) fn resume(&mut self, now: Instant) -> Option<Attempt> {
        let remaining = self.remaining(now);
        if remaining == Some(Duration::ZERO) {
            self.stop_waiting(StopReason::DeadlineExceeded, EndedBy::Start, now);
            return None;
        }
        if self.abort_asked() {
            self.stop_waiting(StopReason::Aborted, EndedBy::Start, now);
            return None;
        }
        if self.state.flags.has(Flags::JUDGES_ATTEMPTS) && !self.admit_again(now) {
            return None;
        }
        Some(self.next_attempt(remaining, now))
    }

    fn next_attempt(&mut self, remaining: Option<Duration>, now: Instant) -> Attempt {
        self.state.spend_tokens();
        self.state.attempts += 1;
        self.begin_attempt(now);
        if self.is_watched() {
            self.tell_start(self.elapsed(now));
        }
        let attempt = self.attempt(remaining);
        self.in_frame(attempt, now)
    }

    /// Whether [`succeed`](Self::succeed) needs the instant.
    #[inline]
    pub(crate) fn needs_end_time(&self) -> bool {
        self.state.flags.end_is_timed()
    }

    /// Decides whether the call goes on after the failure of the running attempt, and notifies its
    /// observers.
    pub(crate) fn fail(&mut self, failed: &FailureView<'_>, now: Instant) -> Verdict {
        let heard = Heard { hint: failed.classification.retry_after(), took: self.end_attempt(now) };
        if failed.classification.is_abort() {
            self.abort(failed.cause, heard, now);
            return Verdict::Stop;
        }
        if self.state.flags.has(Flags::JUDGES_ATTEMPTS) {
            self.report(heard.seen(failed.classification.class()), now);
        }
        let failures = self.count(failed.classification.class(), failed.cause);
        let gated = self.gates::<false>(failed.classification, failed.cause, failures, now);
        let decided = match gated {
            Ok(granted) => self.confirm(failed, granted, now),
            Err(refused) => Err(refused),
        };
        if self.is_watched() {
            let delay = gated.ok().map(|granted| granted.wait);
            self.tell_decided(failed, decided.err().map(|refused| refused.reason), delay, now);
        }
        match (decided, gated) {
            (Ok(()), Ok(granted)) => {
                let hook = self.tell_before_sleep(failed, granted, now);
                self.grant(granted);
                Verdict::Retry(hook)
            }
            (Err(refused), _) | (_, Err(refused)) => {
                if let Ok(granted) = gated {
                    self.give_back(granted.returns);
                }
                match gated {
                    // The delay that was deferred, and the state from which a later delivery goes
                    // on.
                    Ok(granted) if refused.reason == StopReason::Scheduled => self.grant(granted.unpaid()),
                    _ => {
                        self.state.wait = refused.hint;
                        self.note_end(refused.by, refused.wait);
                    }
                }
                self.stop(refused.reason, Some(failed), heard, now);
                Verdict::Stop
            }
        }
    }

    /// Tells the observers how a failed attempt ended, and the `delay` that follows it.
    fn tell_decided(
        &self,
        failed: &FailureView<'_>,
        refused: Option<StopReason>,
        delay: Option<Duration>,
        now: Instant,
    ) {
        let (decision, wait) = match refused {
            None => (AttemptDecision::Retry, delay),
            Some(StopReason::Scheduled) => (AttemptDecision::Scheduled, delay),
            Some(StopReason::Aborted) => (AttemptDecision::Aborted, None),
            Some(_) => (AttemptDecision::Fail, None),
        };
        self.tell_end(decision, self.elapsed(now), Some(failed), refused, wait);
    }

    /// Ends the call with an attempt that aborted it.
    fn abort(&mut self, cause: Cause, heard: Heard, now: Instant) {
        let aborted = Some(StopReason::Aborted);
        self.tell_end(AttemptDecision::Aborted, self.elapsed(now), None, aborted, None);
        self.state.wait = Wait::NONE;
        let is_cut = cause == Cause::Timeout && self.is_aborted();
        self.note_end(if is_cut { EndedBy::Gate } else { EndedBy::Operation }, Wait::NONE);
        self.stop(StopReason::Aborted, None, heard, now);
        self.release_aborted(heard, now);
    }

    /// Counts a failure; returns how many attempts have failed in its class.
    #[inline]
    pub(super) fn count(&mut self, class: ErrorClass, cause: Cause) -> u16 {
        self.state.last_class = Some(class);
        self.state.cause = Some(cause);
        self.state.failures.count(class)
    }

    #[inline]
    pub(super) fn grant(&mut self, granted: Granted) {
        let wait = Wait::of(granted.wait);
        self.state.wait = wait;
        self.state.prev_delay = granted.prev_delay.unwrap_or(wait);
        if granted.returns {
            self.state.flags = self.state.flags.with(Flags::HOLDS_TOKENS);
        }
    }

    /// Sends the event of a granted retry, then checks what can still end the call: an abort and
    /// the sleep handler.
    fn confirm(&self, failed: &FailureView<'_>, granted: Granted, now: Instant) -> Result<(), Refused> {
        if self.is_observed() {
            self.tell_retry(failed, self.elapsed(now), granted.wait);
        }
        if !self.state.flags.has(Flags::STEERED.with(Flags::ABORTABLE)) {
            return Ok(());
        }
        if self.abort_asked() {
            return Err(StopReason::Aborted.into());
        }
        if granted.deferred {
            return Err(StopReason::Scheduled.into());
        }
        let context = self.heeded_context(failed, granted.remaining, now);
        match self.ask_sleep_handler(&context, granted.wait) {
            Some(SleepDecision::Defer) => Err(StopReason::Scheduled.into()),
            Some(SleepDecision::Abort) => Err(Refused::BY_SLEEP_HANDLER),
            Some(SleepDecision::Sleep) | None => Ok(()),
        }
    }

    /// Runs the hook before the wait, and returns the future of an asynchronous one.
    fn tell_before_sleep(&self, failed: &FailureView<'_>, granted: Granted, now: Instant) -> Option<HookFuture> {
        let hook = self.steering(|hooks| hooks.before_sleep.as_ref())?;
        let context = self.heeded_context(failed, granted.remaining, now);
        let wait = granted.wait;
        match hook {
            BeforeSleep::Blocking(hook) => {
                contained(|| hook(&context, wait));
                None
            }
            BeforeSleep::Async(hook) => contained(|| hook(&context, wait)),
        }
    }

    /// Whether hooks may have taken time since the failure, so that its instant is stale.
    #[inline]
    pub(crate) fn may_have_taken_time(&self) -> bool {
        self.state.flags.has(Flags::TAKES_TIME)
    }

    /// The attempts made so far.
    pub(crate) const fn attempts(&self) -> u32 {
        self.state.attempts
    }

    /// The wait before the next attempt.
    #[inline]
    pub(crate) fn wait(&self) -> Duration {
        self.state.wait.get().unwrap_or_default()
    }

    /// The custom sleeper that replaces the timer, if there is one.
    #[inline]
    pub(crate) fn sleeper(&self) -> Option<&'a Sleeper<'a>> {
        self.steering(|hooks| hooks.sleeper.as_ref())
    }

    /// Ends the call before or after a wait, and clears the wait.
    pub(super) fn stop_waiting(&mut self, reason: StopReason, by: EndedBy, now: Instant) {
        let wait = if by == EndedBy::Hooks { self.state.wait } else { Wait::NONE };
        self.note_end(by, wait);
        self.state.wait = Wait::NONE;
        self.give_back_held();
        self.stop(reason, None, Heard::default(), now);
    }

    /// Ends the call for this reason, and reports it to the breaker.
    pub(super) fn stop(&mut self, reason: StopReason, failed: Option<&FailureView<'_>>, heard: Heard, now: Instant) {
        self.end(reason, failed, now);
        // An aborted call has no result, so the driver releases its permit.
        let reports = reason != StopReason::Aborted && !self.state.flags.has(Flags::JUDGES_ATTEMPTS);
        if let (Some(class), true) = (self.state.last_class, reports) {
            self.report(heard.seen(class), now);
        }
    }

    /// Ends the call: the one place where a call that the breaker did not reject stops without
    /// success.
    pub(super) fn end(&mut self, reason: StopReason, failed: Option<&FailureView<'_>>, now: Instant) {
        self.state.stop_reason = Some(reason);
        if reason == StopReason::CircuitOpen {
            self.state.flags = self.state.flags.with(Flags::SHUT_BETWEEN);
        }
        if self.is_observed() {
            let delay = self.next_delay().unwrap_or(Duration::ZERO);
            self.tell_terminal(Some(reason), failed, now, delay);
        }
    }

    fn next_delay(&self) -> Option<Duration> {
        self.state.wait.get().filter(|_| self.state.stop_reason == Some(StopReason::Scheduled))
    }

    /// A hook: the call's, or else the policy's.
    #[inline]
    pub(super) fn hook<H>(&self, pick: impl Fn(&'a Hooks<'a>) -> Option<H>) -> Option<H> {
        self.call.and_then(|call| pick(&call.hooks)).or_else(|| pick(&self.plan.hooks))
    }

    /// A hook that can change the course of the call; most calls have none.
    #[inline]
    pub(super) fn steering<H>(&self, pick: impl Fn(&'a Hooks<'a>) -> Option<H>) -> Option<H> {
        if self.state.flags.has(Flags::STEERED) { self.hook(pick) } else { None }
    }

    /// Whether the policy has strategies that learn.
    #[inline]
    pub(super) fn learns(&self) -> bool {
        self.state.flags.has(Flags::LEARNING)
    }

    /// Whether there are observers or attempt hooks.
    #[inline]
    fn is_watched(&self) -> bool {
        self.state.flags.has(Flags::WATCHED)
    }

    /// Whether an event reaches an observer or a timeline.
    #[inline]
    pub(super) fn is_observed(&self) -> bool {
        self.state.flags.has(Flags::OBSERVED)
    }

    pub(crate) fn timeline(&self) -> Option<RetryTimeline> {
        self.state.observers.timeline().cloned()
    }

    #[inline]
    pub(crate) fn started(&self) -> Option<Instant> {
        self.state.started
    }
}
