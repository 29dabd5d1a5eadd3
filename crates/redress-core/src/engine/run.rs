//! The life of one call: admitted, attempts made, ended once.
//!
//! Owns the state of a call and its permit. Whether to retry is `gates.rs`; who is told is `events.rs`.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::call_observers::Audience;
use super::fast_path::Opening;
use super::flags::Flags;
use super::gates::fits;
use crate::breaker::{Admission, BreakerChoice, CircuitBreaker, CircuitState, Report};
use crate::classify::class::{ErrorClass, PerClass};
use crate::classify::classification::Classification;
use crate::drive::attempt::Attempt;
use crate::drive::clock::nanos;
use crate::outcome::failure::Cause;
use crate::outcome::observer::AttemptDecision;
use crate::outcome::stop_reason::StopReason;
use crate::outcome::summary::OutcomeSummary;
use crate::outcome::timeline::RetryTimeline;
use crate::policy::compiled::{Plan, shorter};
use crate::policy::context::CallSettings;
use crate::policy::hooks::{BeforeSleep, Hooks, Sleeper, contained};
use crate::policy::sleep_decision::{HookFuture, SleepDecision, SleepFn};
use crate::strategy::Feedback;

/// What the engine is told of a failed attempt.
pub(crate) struct Failed<'f> {
    pub(crate) classification: &'f Classification,
    pub(crate) cause: Cause,
    pub(crate) error_type: Option<&'static str>,
}

/// What the driver is to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a verdict that is not acted on loses the call"]
pub(crate) enum Verdict {
    /// Wait so long, then ask [`Run::resume`] for the next attempt.
    Retry(Duration),
    /// The call is over.
    Stop,
}

/// An optional duration in eight bytes instead of sixteen: nanoseconds, saturating at 584 years.
#[derive(Clone, Copy)]
pub(super) struct Wait(u64);

impl Wait {
    const NONE: Self = Self(u64::MAX);

    #[inline]
    fn of(duration: Duration) -> Self {
        Self(nanos(duration).min(u64::MAX - 1))
    }

    #[inline]
    pub(super) fn get(self) -> Option<Duration> {
        (self.0 != Self::NONE.0).then(|| Duration::from_nanos(self.0))
    }
}

impl Default for Wait {
    #[inline]
    fn default() -> Self {
        Self::NONE
    }
}

impl From<Option<Duration>> for Wait {
    fn from(duration: Option<Duration>) -> Self {
        duration.map_or(Self::NONE, Self::of)
    }
}

/// The state of one call.
///
/// - **Invariant R1**: attempts never exceed the cap.
/// - **Invariant R2**: no wait ends past the deadline, and no attempt starts at or past it.
/// - **Invariant R3**: a run that is started and not dropped midway ends in exactly one terminal event.
/// - **Invariant R4**: its permit is reported once, or released when the run is dropped.
///
/// It is part of every call's future, so its size matters.
pub(crate) struct Run<'a> {
    pub(super) plan: &'a Plan,
    pub(super) call: Option<&'a CallSettings<'a>>,
    pub(super) state: RunState,
}

/// What a call has come to, without the settings it runs by.
#[derive(Default)]
pub(crate) struct RunState {
    pub(super) audience: Audience,
    /// When the call began, if anybody needs to know.
    started: Option<Instant>,
    /// The wait before this attempt; after the end what there is to wait for, a deferred retry or a breaker's probe.
    pub(super) prev_sleep: Wait,
    generation: u64,
    /// Failures of each class, saturating.
    pub(super) failures: PerClass<u16>,
    pub(super) attempts: u32,
    flags: Flags,
    pub(super) last_class: Option<ErrorClass>,
    pub(super) cause: Option<Cause>,
    stop_reason: Option<StopReason>,
}

impl RunState {
    /// Whether there is a permit to give back.
    #[inline]
    pub(crate) const fn holds_permit(&self) -> bool {
        self.flags.has(Flags::HOLDS_PERMIT)
    }

    /// [`Run::within`], for which nothing else of a run is needed.
    #[inline]
    pub(crate) fn within<R>(&self, step: impl FnOnce() -> R) -> R {
        self.audience.within(step)
    }
}

impl<'a> Run<'a> {
    /// The state of a call that began like this. `attempts` is 1 if its first attempt was made quietly.
    #[inline]
    pub(crate) fn new(opening: Opening<'a>, attempts: u32) -> Self {
        let Opening { plan, call, flags, started, generation } = opening;
        let state = RunState {
            audience: Audience::default(),
            started,
            prev_sleep: Wait::NONE,
            generation,
            failures: PerClass::default(),
            attempts,
            flags,
            last_class: None,
            cause: None,
            stop_reason: None,
        };
        Self { plan, call, state }
    }

    /// A call that is driven as a run from the start.
    #[inline]
    pub(crate) fn open(
        plan: &'a Plan,
        call: Option<&'a CallSettings<'a>>,
        wants: Flags,
        now: impl FnOnce() -> Instant,
    ) -> Self {
        Self::new(Opening::new(plan, call, wants, now), 0)
    }

    /// Goes on with a call that was [parked](Self::park).
    #[inline]
    pub(crate) fn unpark(plan: &'a Plan, call: Option<&'a CallSettings<'a>>, state: RunState) -> Self {
        Self { plan, call, state }
    }

    /// What has to be kept to go on later.
    #[inline]
    pub(crate) fn park(mut self) -> RunState {
        mem::take(&mut self.state)
    }

    /// The same for somebody else to go on at once, with the call's settings.
    pub(crate) fn hand_over(&mut self) -> (Option<&'a CallSettings<'a>>, RunState) {
        (self.call, mem::take(&mut self.state))
    }

    /// Runs a piece of the operation within the scopes of those who observe this call.
    #[inline]
    pub(crate) fn within<R>(&self, step: impl FnOnce() -> R) -> R {
        self.state.audience.within(step)
    }

    /// The first attempt of a call that is quiet, see [`Opening::is_quiet`]; else `None`, and [`begin`](Self::begin) has
    /// to be asked.
    #[inline]
    pub(crate) fn begin_quietly(&mut self) -> Option<Attempt> {
        let Self { plan, state, .. } = self;
        let quiet = state.flags.are_quiet() && plan.admits_quietly(&mut state.generation);
        state.attempts = u32::from(quiet);
        quiet.then(|| plan.first_attempt())
    }

    /// When the call began, if anybody needs to know.
    pub(crate) fn started(&self) -> Option<Instant> {
        self.state.started
    }

    /// Starts a call that is not quiet: asks whether to abort, then the breaker, and starts the first attempt. `None` if
    /// the call ended instead.
    pub(crate) fn begin(&mut self, now: Instant) -> Option<Attempt> {
        self.state.audience.set_timeline(self.call.and_then(CallSettings::timeline_for_run));
        if self.state.flags.has(Flags::WATCHED) {
            self.tell_call_start();
        }
        if self.abort_asked() {
            self.end(StopReason::Aborted, None, Duration::ZERO);
            return None;
        }
        if !self.admit(now) {
            return None;
        }
        self.state.attempts = 1;
        if self.state.flags.has(Flags::WATCHED) {
            self.tell_start(Duration::ZERO);
        }
        Some(self.plan.first_attempt())
    }

    /// Asks the breaker whether it admits the call, which ends if not.
    fn admit(&mut self, now: Instant) -> bool {
        let Some(breaker) = &self.plan.breaker else { return true };
        match breaker.as_dyn().admit(now) {
            Ok(admission) => {
                self.state.generation = admission.generation;
                let is_other = matches!(breaker, BreakerChoice::Other(_));
                if is_other || CircuitBreaker::is_probe(admission.generation) {
                    self.state.flags = self.state.flags.with(Flags::HOLDS_PERMIT);
                }
                self.tell_transition(admission.transition, None);
                true
            }
            Err(rejection) => {
                self.state.audience.set_timeline(None);
                self.state.stop_reason = Some(StopReason::CircuitOpen);
                self.state.prev_sleep = Wait::from(rejection.retry_in());
                if rejection.state() == CircuitState::HalfOpen {
                    self.state.flags = self.state.flags.with(Flags::REJECTED_HALF_OPEN);
                }
                self.tell_rejection(rejection.state());
                false
            }
        }
    }

    /// The next attempt, after the wait the last verdict asked for; `None` if the call ended instead.
    #[inline]
    pub(crate) fn resume(&mut self, now: Instant) -> Option<Attempt> {
        if !self.state.flags.are_quiet() || self.state.flags.has(Flags::DEADLINE) {
            return self.resume_slow(now);
        }
        self.state.attempts += 1;
        Some(Attempt::new(self.state.attempts, self.plan.attempt_timeout))
    }

    /// The next attempt, where somebody may object to it or is told.
    fn resume_slow(&mut self, now: Instant) -> Option<Attempt> {
        let remaining = self.remaining(now);
        if self.abort_asked() {
            self.stop(StopReason::Aborted, None, now);
            return None;
        }
        if remaining == Some(Duration::ZERO) {
            self.stop(StopReason::DeadlineExceeded, None, now);
            return None;
        }
        self.state.attempts += 1;
        if self.state.flags.has(Flags::WATCHED) {
            self.tell_start(self.elapsed(now));
        }
        Some(Attempt::new(self.state.attempts, shorter(self.plan.attempt_timeout, remaining)))
    }

    /// Whether those who observe this call may have scopes for the operation to run [within](Self::within).
    #[inline]
    pub(crate) fn has_scopes(&self) -> bool {
        self.state.audience.is_present()
    }

    /// Whether the policy has strategies that learn.
    #[inline]
    pub(super) fn learns(&self) -> bool {
        self.state.flags.has(Flags::LEARNING)
    }

    /// Whether [`succeed`](Self::succeed) needs to know the time.
    #[inline]
    pub(crate) fn needs_end_time(&self) -> bool {
        self.state.flags.end_matters()
    }

    /// The attempt succeeded, and with it the call. A closed breaker does not need to hear of it: it changes nothing.
    #[inline]
    pub(crate) fn succeed(&mut self, now: Option<Instant>) {
        if let (true, Some(now)) = (self.state.flags.success_matters(), now) {
            self.succeed_slow(now);
        }
    }

    #[cold]
    fn succeed_slow(&mut self, now: Instant) {
        self.state.last_class = None;
        self.state.cause = None;
        for learner in &self.plan.learners {
            learner.learn(Feedback::Success, now);
        }
        let elapsed = self.elapsed(now);
        self.tell_end(AttemptDecision::Success, elapsed, None, None, None);
        self.tell_terminal(None, None, elapsed, Duration::ZERO);
        if self.state.flags.has(Flags::HOLDS_PERMIT) {
            self.report(Report::Success, now);
        }
    }

    /// The attempt failed: decides what becomes of the call, and tells whoever listens.
    pub(crate) fn fail(&mut self, failed: &Failed<'_>, now: Instant) -> Verdict {
        if failed.classification.is_abort() {
            let aborted = Some(StopReason::Aborted);
            self.tell_end(AttemptDecision::Aborted, self.elapsed(now), None, aborted, None);
            self.stop(StopReason::Aborted, None, now);
            return Verdict::Stop;
        }
        let class = failed.classification.class();
        self.state.last_class = Some(class);
        self.state.cause = Some(failed.cause);
        self.state.failures[class] = self.state.failures[class].saturating_add(1);
        let mut delay = Duration::ZERO;
        let decided = self.gates(failed, now).and_then(|computed| {
            delay = computed;
            if self.has_audience() {
                self.tell_retry(failed, self.elapsed(now), delay);
            }
            if self.state.flags.has(Flags::STEERED) { self.ask_again(failed, delay, now) } else { Ok(()) }
        });
        if self.state.flags.has(Flags::WATCHED) {
            let (decision, sleep) = match decided {
                Ok(()) => (AttemptDecision::Retry, Some(delay)),
                Err(StopReason::Scheduled) => (AttemptDecision::Scheduled, Some(delay)),
                Err(StopReason::Aborted) => (AttemptDecision::Aborted, None),
                Err(_) => (AttemptDecision::Raise, None),
            };
            self.tell_end(decision, self.elapsed(now), Some(failed), decided.err(), sleep);
        }
        match decided {
            Ok(()) => Verdict::Retry(delay),
            Err(reason) => {
                self.state.prev_sleep = Wait::from((reason == StopReason::Scheduled).then_some(delay));
                self.stop(reason, Some(failed), now);
                Verdict::Stop
            }
        }
    }

    /// What may still end the call once a retry was granted and announced: the abort predicate, then the sleep handler.
    fn ask_again(&self, failed: &Failed<'_>, delay: Duration, now: Instant) -> Result<(), StopReason> {
        if self.abort_asked() {
            return Err(StopReason::Aborted);
        }
        let Some(handler) = self.sleep_handler() else { return Ok(()) };
        let context = self.backoff_context(failed, now);
        // A handler that panics has not answered, and the call goes on as if it had said sleep.
        match contained(|| handler(&context, delay)).unwrap_or(SleepDecision::Sleep) {
            SleepDecision::Defer => Err(StopReason::Scheduled),
            SleepDecision::Abort => Err(StopReason::Aborted),
            SleepDecision::Sleep if fits(delay, context.remaining) => Ok(()),
            SleepDecision::Sleep => Err(StopReason::DeadlineExceeded),
        }
    }

    /// The driver is about to wait as the verdict said: runs the hook before it. What the hook wants awaited is for the
    /// driver.
    #[inline]
    pub(crate) fn before_wait(&mut self, failed: &Failed<'_>, delay: Duration, now: Instant) -> Option<HookFuture> {
        if self.state.flags.has(Flags::STEERED) {
            return self.before_wait_slow(failed, delay, now);
        }
        self.state.prev_sleep = Wait::of(delay);
        None
    }

    #[cold]
    fn before_wait_slow(&mut self, failed: &Failed<'_>, delay: Duration, now: Instant) -> Option<HookFuture> {
        let hook = self.tell_before_sleep(failed, delay, now);
        self.state.prev_sleep = Wait::of(delay);
        hook
    }

    fn tell_before_sleep(&self, failed: &Failed<'_>, delay: Duration, now: Instant) -> Option<HookFuture> {
        let hook = self.steering(|hooks| hooks.before_sleep.as_ref())?;
        let context = self.backoff_context(failed, now);
        match hook {
            BeforeSleep::Blocking(hook) => {
                contained(|| hook(&context, delay));
                None
            }
            BeforeSleep::Async(hook) => contained(|| hook(&context, delay)),
        }
    }

    /// Whether hooks may have taken time since the failure, so that its instant is not the present one.
    #[inline]
    pub(crate) fn may_have_taken_time(&self) -> bool {
        self.state.flags.has(Flags::TAKES_TIME)
    }

    /// Whether hooks may have taken time that the deadline has to know of.
    #[inline]
    pub(crate) fn needs_recheck(&self) -> bool {
        self.state.flags.has(Flags::DEADLINE) && self.may_have_taken_time()
    }

    /// Whether the wait, begun now, still ends before the deadline; the call ends if not.
    pub(crate) fn recheck(&mut self, now: Instant) -> bool {
        let in_time = fits(self.wait(), self.remaining(now));
        if !in_time {
            self.stop(StopReason::DeadlineExceeded, None, now);
        }
        in_time
    }

    /// The wait the driver is in the middle of.
    pub(crate) fn wait(&self) -> Duration {
        self.state.prev_sleep.get().unwrap_or_default()
    }

    /// The replacement for the actual wait, if there is one.
    #[inline]
    pub(crate) fn sleeper(&self) -> Option<&'a Sleeper<'a>> {
        self.steering(|hooks| hooks.sleeper.as_ref())
    }

    pub(super) fn sleep_handler(&self) -> Option<&'a SleepFn<'a>> {
        self.steering(|hooks| hooks.sleep.as_deref())
    }

    /// Ends the call for this reason, and settles with the breaker.
    fn stop(&mut self, reason: StopReason, failed: Option<&Failed<'_>>, now: Instant) {
        self.end(reason, failed, self.elapsed(now));
        // An aborted call has no result; dropping the run gives its permit back.
        if let (Some(class), true) = (self.state.last_class, reason != StopReason::Aborted) {
            self.report(Report::Failure(class), now);
        }
    }

    /// Ends the call: the one place where a call that the breaker did not reject stops without success.
    fn end(&mut self, reason: StopReason, failed: Option<&Failed<'_>>, elapsed: Duration) {
        self.state.stop_reason = Some(reason);
        let sleep = self.next_delay().unwrap_or(Duration::ZERO);
        self.tell_terminal(Some(reason), failed, elapsed, sleep);
    }

    fn report(&mut self, report: Report, now: Instant) {
        let Some(breaker) = &self.plan.breaker else { return };
        let transition = breaker.as_dyn().report(self.admission(), report, now);
        // Not before: the user's clock or breaker may panic in there, and then the permit is still to be given back.
        self.state.flags = self.state.flags.without(Flags::HOLDS_PERMIT);
        let class = match report {
            Report::Success => None,
            Report::Failure(class) => Some(class),
        };
        self.tell_transition(transition, class);
    }

    #[cold]
    fn release(&mut self) {
        if let (true, Some(breaker)) = (self.state.flags.has(Flags::HOLDS_PERMIT), &self.plan.breaker) {
            // The call may be unwinding already, and a second panic that leaves a destructor would end the process.
            contained(|| breaker.as_dyn().release(self.admission()));
        }
        self.state.flags = self.state.flags.without(Flags::HOLDS_PERMIT);
    }

    const fn admission(&self) -> Admission {
        Admission { generation: self.state.generation, transition: None }
    }

    fn next_delay(&self) -> Option<Duration> {
        self.state.prev_sleep.get().filter(|_| self.state.stop_reason == Some(StopReason::Scheduled))
    }

    /// Time since the call began; zero if nobody needed to know when that was.
    pub(super) fn elapsed(&self, now: Instant) -> Duration {
        self.state.started.map_or(Duration::ZERO, |started| now.saturating_duration_since(started))
    }

    /// A hook, the call's before the policy's.
    #[inline]
    pub(super) fn hook<H>(&self, pick: impl Fn(&'a Hooks<'a>) -> Option<H>) -> Option<H> {
        self.call.and_then(|call| pick(&call.hooks)).or_else(|| pick(&self.plan.hooks))
    }

    /// A hook that steers the call; most calls have none.
    #[inline]
    pub(super) fn steering<H>(&self, pick: impl Fn(&'a Hooks<'a>) -> Option<H>) -> Option<H> {
        if self.state.flags.has(Flags::STEERED) { self.hook(pick) } else { None }
    }

    /// Whether an event would reach anybody.
    #[inline]
    pub(super) fn has_audience(&self) -> bool {
        self.state.flags.has(Flags::AUDIENCE)
    }

    /// What there is to say about the call, which ended at `ended`; at its beginning, if there is no such instant.
    pub(crate) fn summary(&self, ended: Option<Instant>) -> OutcomeSummary {
        // Of a success nothing is said about the failures before it.
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
            retry_in: if rejected.is_some() { self.state.prev_sleep.get() } else { self.next_delay() },
            rejected,
            retry_forbidden: None,
        }
    }

    /// The state of the breaker that rejected the call.
    fn rejected(&self) -> Option<CircuitState> {
        let half_open = self.state.flags.has(Flags::REJECTED_HALF_OPEN);
        let state = if half_open { CircuitState::HalfOpen } else { CircuitState::Open };
        (self.state.stop_reason == Some(StopReason::CircuitOpen)).then_some(state)
    }

    pub(crate) fn timeline(&self) -> Option<RetryTimeline> {
        self.state.audience.timeline().cloned()
    }
}

impl Drop for Run<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.state.flags.has(Flags::HOLDS_PERMIT) {
            self.release();
        }
    }
}
