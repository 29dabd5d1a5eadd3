//! The life of one call: admitted, attempts made, ended once.
//!
//! Owns the state of a call and its permit. Whether to retry is `gates.rs`; who is told is `emit.rs`.

use std::time::{Duration, Instant};

use super::flags::Flags;
use super::gates::fits;
use crate::attempt::Attempt;
use crate::breaker::{Admission, BreakerChoice, CircuitBreaker, CircuitState, Report};
use crate::call::CallSettings;
use crate::class::{ErrorClass, PerClass};
use crate::classification::Classification;
use crate::error::CircuitOpenError;
use crate::hooks::{BeforeSleep, Hooks, Sleeper, contained};
use crate::observer::AttemptDecision;
use crate::outcome::{Cause, Summary};
use crate::plan::{Plan, shorter};
use crate::sleep::{HookFuture, SleepDecision, SleepFn};
use crate::stop_reason::StopReason;
use crate::strategy::Feedback;
use crate::timeline::RetryTimeline;

/// What the engine is told of a failed attempt.
pub(crate) struct Failed<'f> {
    pub(crate) classification: &'f Classification,
    pub(crate) cause: Cause,
    pub(crate) error_type: Option<&'static str>,
}

/// What came of starting a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Begin {
    /// Run this attempt.
    Attempt(Attempt),
    /// The breaker is not simply closed: ask it with [`Run::admit`], which needs to know the time.
    AskBreaker,
    /// The call is over.
    Ended,
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

/// The state of one call.
///
/// **Invariant R1**: attempts never exceed the cap. **R2**: no wait ends past the deadline and no attempt starts at or past it.
/// **R3**: a run that is started and not dropped midway ends in exactly one terminal event. **R4**: its permit is reported once, or
/// released when the run is dropped.
pub(crate) struct Run<'a> {
    pub(super) plan: &'a Plan,
    pub(super) call: Option<&'a CallSettings<'a>>,
    pub(super) timeline: Option<RetryTimeline>,
    started: Option<Instant>,
    /// The latest instant the driver said; in the end, when the call ended.
    latest: Option<Instant>,
    pub(super) prev_sleep: Option<Duration>,
    generation: u64,
    pub(super) failures: PerClass<u32>,
    pub(super) attempts: u32,
    flags: Flags,
    /// Whether a permit is out whose release would be missed: a probe's, or one of a breaker that is not ours.
    holds_permit: bool,
    pub(super) last_class: Option<ErrorClass>,
    pub(super) cause: Option<Cause>,
    stop_reason: Option<StopReason>,
    /// The state of the breaker that rejected the call; the time until its next probe is then in `prev_sleep`.
    rejected_in: Option<CircuitState>,
}

impl<'a> Run<'a> {
    #[inline]
    pub(crate) fn new(plan: &'a Plan, call: Option<&'a CallSettings<'a>>, wants: Flags) -> Self {
        let flags = plan.flags | wants | call.map_or(Flags::NONE, |call| call.flags);
        Self {
            plan,
            call,
            timeline: None,
            started: None,
            latest: None,
            prev_sleep: None,
            generation: 0,
            failures: PerClass::default(),
            attempts: 0,
            flags,
            holds_permit: false,
            last_class: None,
            cause: None,
            stop_reason: None,
            rejected_in: None,
        }
    }

    /// Whether [`begin`](Self::begin) needs to know the time.
    #[inline]
    pub(crate) fn needs_start_time(&self) -> bool {
        self.flags.start_matters()
    }

    /// Starts the call: asks whether to abort, and starts the first attempt unless the breaker has to be asked first.
    #[inline]
    pub(crate) fn begin(&mut self, now: Option<Instant>) -> Begin {
        self.started = now;
        if self.flags.has(Flags::TIMELINE | Flags::ABORTABLE) && !self.begin_slow() {
            return Begin::Ended;
        }
        match &self.plan.breaker {
            None => {}
            Some(BreakerChoice::Circuit(breaker)) => match breaker.admit_closed() {
                Some(generation) => self.generation = generation,
                None => return Begin::AskBreaker,
            },
            Some(BreakerChoice::Other(_)) => return Begin::AskBreaker,
        }
        Begin::Attempt(self.first_attempt())
    }

    #[inline]
    fn first_attempt(&mut self) -> Attempt {
        self.attempts = 1;
        if self.flags.has(Flags::WATCHED) {
            self.tell_start(Duration::ZERO);
        }
        Attempt::new(1, self.plan.first_time_left())
    }

    /// What only some calls need before the breaker is touched.
    #[cold]
    fn begin_slow(&mut self) -> bool {
        self.timeline = self.call.and_then(CallSettings::timeline_for_run);
        let aborted = self.abort_asked();
        if aborted {
            self.stop(StopReason::Aborted, None, self.started);
        }
        !aborted
    }

    /// Asks a breaker that is not simply closed; the first attempt, or `None` if it rejected the call.
    #[cold]
    pub(crate) fn admit(&mut self, now: Instant) -> Option<Attempt> {
        let breaker = self.plan.breaker.as_ref()?;
        match breaker.as_dyn().admit(now) {
            Ok(admission) => {
                self.generation = admission.generation;
                let is_other = matches!(breaker, BreakerChoice::Other(_));
                if is_other || CircuitBreaker::is_probe(admission.generation) {
                    self.holds_permit = true;
                    self.flags = self.flags | Flags::REPORTING;
                }
                self.tell_transition(admission.transition, None);
                Some(self.first_attempt())
            }
            Err(rejection) => {
                self.timeline = None;
                self.latest = Some(now);
                self.stop_reason = Some(StopReason::CircuitOpen);
                self.rejected_in = Some(rejection.state());
                self.prev_sleep = rejection.retry_in();
                self.tell_rejection(rejection.state());
                None
            }
        }
    }

    /// The next attempt, after the wait the last verdict asked for; `None` if the call ended instead.
    pub(crate) fn resume(&mut self, now: Instant) -> Option<Attempt> {
        let remaining = self.remaining(now);
        if self.abort_asked() {
            self.stop(StopReason::Aborted, None, Some(now));
            return None;
        }
        if remaining == Some(Duration::ZERO) {
            self.stop(StopReason::DeadlineExceeded, None, Some(now));
            return None;
        }
        self.attempts += 1;
        if self.flags.has(Flags::WATCHED) {
            self.tell_start(self.elapsed(now));
        }
        Some(Attempt::new(self.attempts, shorter(self.plan.attempt_timeout, remaining)))
    }

    /// Whether [`succeed`](Self::succeed) needs to know the time.
    #[inline]
    pub(crate) fn needs_end_time(&self) -> bool {
        self.flags.end_matters()
    }

    /// The attempt succeeded, and with it the call.
    #[inline]
    pub(crate) fn succeed(&mut self, now: Option<Instant>) {
        self.latest = now;
        if self.flags.success_matters() {
            self.succeed_slow();
        }
        // A closed breaker does not need to hear of a success: it changes nothing.
        self.holds_permit = false;
    }

    #[cold]
    fn succeed_slow(&mut self) {
        self.last_class = None;
        self.cause = None;
        if let Some(now) = self.latest {
            for learner in &self.plan.learners {
                learner.learn(Feedback::Success, now);
            }
        }
        self.tell_end(AttemptDecision::Success, self.total(), None, None, None);
        self.tell_terminal(None, None, Duration::ZERO);
        self.report(Report::Success);
    }

    /// The attempt failed: decides what becomes of the call, and tells whoever listens.
    pub(crate) fn fail(&mut self, failed: &Failed<'_>, now: Instant) -> Verdict {
        self.latest = Some(now);
        if failed.classification.is_abort() {
            self.tell_end(AttemptDecision::Aborted, self.elapsed(now), None, Some(StopReason::Aborted), None);
            self.stop(StopReason::Aborted, None, Some(now));
            return Verdict::Stop;
        }
        let class = failed.classification.class();
        self.last_class = Some(class);
        self.cause = Some(failed.cause);
        self.failures[class] = self.failures[class].saturating_add(1);
        let mut delay = Duration::ZERO;
        let decided = self.gates(failed, now).and_then(|computed| {
            delay = computed;
            self.tell_retry(failed, delay);
            self.ask_again(failed, delay, now)
        });
        let (decision, sleep) = match decided {
            Ok(()) => (AttemptDecision::Retry, Some(delay)),
            Err(StopReason::Scheduled) => (AttemptDecision::Scheduled, Some(delay)),
            Err(StopReason::Aborted) => (AttemptDecision::Aborted, None),
            Err(_) => (AttemptDecision::Raise, None),
        };
        self.tell_end(decision, self.elapsed(now), Some(failed), decided.err(), sleep);
        match decided {
            Ok(()) => Verdict::Retry(delay),
            Err(reason) => {
                self.prev_sleep = (reason == StopReason::Scheduled).then_some(delay);
                self.stop(reason, Some(failed), Some(now));
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
        // A handler that panics has not answered, and the call goes on as it would without one.
        match contained(|| handler(&context, delay)).unwrap_or(SleepDecision::Sleep) {
            SleepDecision::Defer => Err(StopReason::Scheduled),
            SleepDecision::Abort => Err(StopReason::Aborted),
            SleepDecision::Sleep if fits(delay, context.remaining) => Ok(()),
            SleepDecision::Sleep => Err(StopReason::DeadlineExceeded),
        }
    }

    /// The driver is about to wait as the verdict said: runs the hook before it. What the hook wants awaited is for the
    /// driver.
    pub(crate) fn before_wait(&mut self, failed: &Failed<'_>, delay: Duration, now: Instant) -> Option<HookFuture> {
        let context = self.backoff_context(failed, now);
        self.prev_sleep = Some(delay);
        match self.hook(|hooks| hooks.before_sleep.as_ref())? {
            BeforeSleep::Blocking(hook) => {
                contained(|| hook(&context, delay));
                None
            }
            BeforeSleep::Async(hook) => contained(|| hook(&context, delay)),
        }
    }

    /// The replacement for the actual wait, if there is one.
    pub(crate) fn sleeper(&self) -> Option<&'a Sleeper<'a>> {
        self.hook(|hooks| hooks.sleeper.as_ref())
    }

    pub(super) fn sleep_handler(&self) -> Option<&'a SleepFn<'a>> {
        self.hook(|hooks| hooks.sleep.as_deref())
    }

    /// Ends the call for this reason: the one place where a started call stops without success.
    fn stop(&mut self, reason: StopReason, failed: Option<&Failed<'_>>, now: Option<Instant>) {
        self.latest = now;
        self.stop_reason = Some(reason);
        let sleep = self.next_sleep().unwrap_or(Duration::ZERO);
        self.tell_terminal(Some(reason), failed, sleep);
        match self.last_class {
            Some(class) if reason != StopReason::Aborted => self.report(Report::Failure(class)),
            _ => self.release(),
        }
    }

    fn report(&mut self, report: Report) {
        self.holds_permit = false;
        let (Some(breaker), Some(now)) = (&self.plan.breaker, self.latest) else { return };
        let admission = Admission { generation: self.generation, transition: None };
        let transition = breaker.as_dyn().report(admission, report, now);
        let class = match report {
            Report::Success => None,
            Report::Failure(class) => Some(class),
        };
        self.tell_transition(transition, class);
    }

    fn release(&mut self) {
        if let (true, Some(breaker)) = (self.holds_permit, &self.plan.breaker) {
            breaker.as_dyn().release(Admission { generation: self.generation, transition: None });
        }
        self.holds_permit = false;
    }

    fn next_sleep(&self) -> Option<Duration> {
        self.prev_sleep.filter(|_| self.stop_reason == Some(StopReason::Scheduled))
    }

    /// Time since the call started; zero if nobody needed to know when that was.
    pub(super) fn elapsed(&self, now: Instant) -> Duration {
        self.started.map_or(Duration::ZERO, |started| now.saturating_duration_since(started))
    }

    /// How long the call has taken so far; once it has ended, how long it took.
    pub(super) fn total(&self) -> Duration {
        self.latest.map_or(Duration::ZERO, |latest| self.elapsed(latest))
    }

    /// A hook, the call's before the policy's.
    pub(super) fn hook<H>(&self, pick: impl Fn(&'a Hooks<'a>) -> Option<H>) -> Option<H> {
        self.call.and_then(|call| pick(&call.hooks)).or_else(|| pick(&self.plan.hooks))
    }

    /// What there is to say about the call, once it has ended.
    pub(crate) fn summary(&self) -> Summary {
        Summary {
            stop_reason: self.stop_reason,
            attempts: self.attempts,
            last_class: self.last_class,
            cause: self.cause,
            elapsed: self.total(),
            next_sleep: self.next_sleep(),
            rejection: self.rejected_in.map(|state| CircuitOpenError::new(state, self.prev_sleep)),
        }
    }

    pub(crate) fn take_timeline(&mut self) -> Option<RetryTimeline> {
        self.timeline.take()
    }
}

impl Drop for Run<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.holds_permit {
            self.release();
        }
    }
}
