//! The transitions of one call: it begins, attempts succeed or fail, and it ends once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::admission::Heard;
use super::flags::Flags;
use super::gates::{Granted, Refused};
use super::state::{RunState, Wait};
use crate::breaker::{BreakerChoice, CircuitState, Seen};
use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;
use crate::drive::attempt::Attempt;
use crate::outcome::failure::Cause;
use crate::outcome::observer::AttemptDecision;
use crate::outcome::stop_reason::StopReason;
use crate::outcome::summary::OutcomeSummary;
use crate::outcome::timeline::RetryTimeline;
use crate::policy::compiled::Plan;
use crate::policy::hooks::{BeforeSleep, Hooks, Sleeper, contained};
use crate::policy::settings::CallSettings;
use crate::policy::sleep_decision::{HookFuture, SleepDecision};
use crate::resume::ResumeToken;
use crate::strategy::Feedback;

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
    /// then the deadline, then the breaker. Returns `None` if the call ended instead.
    pub(crate) fn begin(&mut self, now: Instant) -> Option<Attempt> {
        self.state.observers.set_timeline(self.timeline_for_call());
        if self.is_watched() {
            self.tell_call_start();
        }
        self.go_on();
        let remaining = self.remaining(now);
        if let Some(reason) = self.refusal_to_begin(remaining) {
            self.end(reason, None, self.elapsed(now));
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
            self.stop_waiting(StopReason::DeadlineExceeded, now);
            return None;
        }
        if self.abort_asked() {
            self.stop_waiting(StopReason::Aborted, now);
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
        self.attempt(remaining)
    }

    /// Whether [`succeed`](Self::succeed) needs the instant.
    #[inline]
    pub(crate) fn needs_end_time(&self) -> bool {
        self.state.flags.end_is_timed()
    }

    /// Ends the call with the success of the running attempt. The success is not reported to a
    /// closed breaker, whose state it does not change.
    #[inline]
    pub(crate) fn succeed(&mut self, now: Option<Instant>) {
        if self.state.flags.success_matters() {
            self.succeed_slow(now);
        }
    }

    #[cold]
    fn succeed_slow(&mut self, now: Option<Instant>) {
        self.earn();
        self.count_success();
        if let (true, Some(now)) = (self.state.flags.success_is_reported(), now) {
            self.report_success(now);
        }
    }

    fn report_success(&mut self, now: Instant) {
        self.state.last_class = None;
        self.state.cause = None;
        let took = self.end_attempt(now);
        for learner in &self.plan.learners {
            learner.learn(Feedback::Success, now);
        }
        let elapsed = self.elapsed(now);
        self.tell_end(AttemptDecision::Success, elapsed, None, None, None);
        // ORDER: before the report to the breaker, so that a panic in there does not make the call
        // `Cancelled`.
        self.state.flags = self.state.flags.with(Flags::SUCCEEDED);
        self.tell_terminal(None, None, elapsed, Duration::ZERO);
        if self.state.flags.has(Flags::HOLDS_PERMIT) {
            self.report(Seen { took, ..Seen::success() }, now);
        }
    }

    /// Decides whether the call goes on after the failure of the running attempt, and notifies its
    /// observers.
    pub(crate) fn fail(&mut self, failed: &FailureView<'_>, now: Instant) -> Verdict {
        let heard = Heard { hint: failed.classification.retry_after(), took: self.end_attempt(now) };
        if failed.classification.is_abort() {
            let aborted = Some(StopReason::Aborted);
            self.tell_end(AttemptDecision::Aborted, self.elapsed(now), None, aborted, None);
            self.state.wait = Wait::NONE;
            self.stop(StopReason::Aborted, None, heard, now);
            self.release_aborted(heard, now);
            return Verdict::Stop;
        }
        if self.state.flags.has(Flags::JUDGES_ATTEMPTS) {
            self.report(heard.seen(failed.classification.class()), now);
        }
        let failures = self.count(failed.classification.class(), failed.cause);
        let gated = self.gates::<false>(failed.classification, failed.cause, failures, now);
        let decided = match gated {
            Ok(granted) => self.confirm(failed, granted, now).map_err(Refused::from),
            Err(refused) => Err(refused),
        };
        let delay = gated.ok().map(|granted| granted.wait);
        if self.is_watched() {
            let (decision, reason, wait) = match decided {
                Ok(()) => (AttemptDecision::Retry, None, delay),
                Err(refused) => match refused.reason {
                    StopReason::Scheduled => (AttemptDecision::Scheduled, Some(refused.reason), delay),
                    StopReason::Aborted => (AttemptDecision::Aborted, Some(refused.reason), None),
                    reason => (AttemptDecision::Fail, Some(reason), None),
                },
            };
            self.tell_end(decision, self.elapsed(now), Some(failed), reason, wait);
        }
        match (decided, gated) {
            (Ok(()), Ok(granted)) => {
                let hook = self.tell_before_sleep(failed, granted, now);
                self.grant(granted);
                Verdict::Retry(hook)
            }
            (Err(Refused { reason, hint }), _) | (_, Err(Refused { reason, hint })) => {
                if let Ok(granted) = gated {
                    self.give_back(granted.returns);
                }
                match gated {
                    // The delay that was deferred, and the state from which a later delivery goes
                    // on.
                    Ok(granted) if reason == StopReason::Scheduled => self.grant(granted.unpaid()),
                    _ => self.state.wait = hint,
                }
                self.stop(reason, Some(failed), heard, now);
                Verdict::Stop
            }
        }
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
    fn confirm(&self, failed: &FailureView<'_>, granted: Granted, now: Instant) -> Result<(), StopReason> {
        if self.is_observed() {
            self.tell_retry(failed, self.elapsed(now), granted.wait);
        }
        if !self.state.flags.has(Flags::STEERED.with(Flags::ABORTABLE)) {
            return Ok(());
        }
        if self.abort_asked() {
            return Err(StopReason::Aborted);
        }
        if granted.deferred {
            return Err(StopReason::Scheduled);
        }
        let context = self.heeded_context(failed, granted.remaining, now);
        match self.ask_sleep_handler(&context, granted.wait) {
            Some(SleepDecision::Defer) => Err(StopReason::Scheduled),
            Some(SleepDecision::Abort) => Err(StopReason::Aborted),
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
    pub(super) fn stop_waiting(&mut self, reason: StopReason, now: Instant) {
        self.state.wait = Wait::NONE;
        self.give_back_held();
        self.stop(reason, None, Heard::default(), now);
    }

    /// Ends the call for this reason, and reports it to the breaker.
    pub(super) fn stop(&mut self, reason: StopReason, failed: Option<&FailureView<'_>>, heard: Heard, now: Instant) {
        self.end(reason, failed, self.elapsed(now));
        // An aborted call has no result, so the driver releases its permit.
        let reports = reason != StopReason::Aborted && !self.state.flags.has(Flags::JUDGES_ATTEMPTS);
        if let (Some(class), true) = (self.state.last_class, reports) {
            self.report(heard.seen(class), now);
        }
    }

    /// Ends the call: the one place where a call that the breaker did not reject stops without
    /// success.
    pub(super) fn end(&mut self, reason: StopReason, failed: Option<&FailureView<'_>>, elapsed: Duration) {
        self.state.stop_reason = Some(reason);
        if reason == StopReason::CircuitOpen {
            self.state.flags = self.state.flags.with(Flags::SHUT_BETWEEN);
        }
        let delay = self.next_delay().unwrap_or(Duration::ZERO);
        self.tell_terminal(Some(reason), failed, elapsed, delay);
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

    /// The summary of a call that ended at `ended`, or at its start if that is `None`.
    pub(crate) fn summary(&self, ended: Option<Instant>) -> OutcomeSummary {
        // The summary of a success does not mention the failures before it.
        let has_stopped = self.state.stop_reason.is_some();
        let rejected = self.rejected();
        let name = match rejected {
            Some(_) => self.plan.breaker.as_ref().and_then(BreakerChoice::shared_name),
            None if has_stopped => self.operation_label().map(Arc::from),
            None => None,
        };
        OutcomeSummary {
            name,
            stop_reason: self.state.stop_reason,
            attempts: self.state.attempts,
            last_class: self.state.last_class.filter(|_| has_stopped),
            cause: self.state.cause.filter(|_| has_stopped),
            elapsed: ended.map_or(Duration::ZERO, |ended| self.elapsed(ended)),
            retry_in: self.state.wait.get().filter(|_| has_stopped),
            rejected,
            is_forced: self.state.flags.has(Flags::REJECTED_BY_FORCE),
            retry_forbidden: None,
        }
    }

    /// The state of the breaker that rejected the call before its first attempt.
    fn rejected(&self) -> Option<CircuitState> {
        let half_open = self.state.flags.has(Flags::REJECTED_HALF_OPEN);
        let state = if half_open { CircuitState::HalfOpen } else { CircuitState::Open };
        let is_rejected = self.state.stop_reason == Some(StopReason::CircuitOpen);
        // A call that has made an attempt has the failure of that attempt to show.
        (is_rejected && !self.state.flags.has(Flags::SHUT_BETWEEN)).then_some(state)
    }

    pub(crate) fn timeline(&self) -> Option<RetryTimeline> {
        self.state.observers.timeline().cloned()
    }

    #[inline]
    pub(crate) fn started(&self) -> Option<Instant> {
        self.state.started
    }
}
