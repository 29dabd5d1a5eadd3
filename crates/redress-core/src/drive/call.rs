//! [`Call`], one call as a driver holds it: its settings, the engine's state, the last failure, and
//! the steps that both drivers share.

use std::time::{Duration, Instant};

use super::attempt::Attempt;
use super::failed_attempt::FailedAttempt;
use super::finish::Finish;
use super::poll_call::PollOperation;
use crate::classify::classifier::Classifier;
use crate::engine::{FastPath, Flags, PlainVerdict, Run, RunState, Step, Verdict};
use crate::outcome::circuit_open_error::CircuitOpenError;
use crate::outcome::ending::Ending;
use crate::outcome::failure::Failure;
use crate::outcome::stop_reason::StopReason;
use crate::policy::compiled::Plan;
use crate::policy::hooks::{Sleeper, contained};
use crate::policy::retry_notice::RetryNotice;
use crate::policy::settings::CallSettings;
use crate::policy::sleep_decision::HookFuture;

/// Access to the policy and settings of a call, which a driver borrows or owns.
pub(crate) trait Hold<E> {
    fn plan(&self) -> &Plan;
    fn settings(&self) -> Option<&CallSettings<'_>>;
    /// The current instant, if the policy's clock is at hand.
    fn now(&self) -> Option<Instant>;
    /// Calls the typed retry hook, if there is one.
    #[inline]
    fn on_retry(&self, notice: &RetryNotice<'_, E>) {
        let _ = notice;
    }
}

/// One call. Dropping it before its end releases its permit and notifies observers of the
/// cancellation.
pub(crate) struct Call<H: Hold<E>, T, E> {
    held: H,
    state: RunState,
    last: Option<Failure<T, E>>,
}

/// Why a call cannot take the fast path to its first attempt.
pub(crate) enum Unstarted {
    /// The breaker rejects it, and there is no observer to notify.
    Rejected(CircuitOpenError),
    /// It must be [started](Call::begin) on the slow path.
    Slow,
}

impl<H: Hold<E>, T, E> Call<H, T, E> {
    /// Creates a call that has not started.
    #[inline]
    pub(crate) fn new(held: H) -> Self {
        Self { held, state: RunState::default(), last: None }
    }

    /// Creates a call from its start; `attempts` is 1 if the first attempt ran on the fast path,
    /// else 0.
    #[inline]
    pub(crate) fn from_start(held: H, start: &FastPath<'_>, attempts: u32) -> Self {
        Self { held, state: RunState::new(start, attempts), last: None }
    }

    #[inline]
    pub(crate) const fn held(&self) -> &H {
        &self.held
    }

    #[inline]
    pub(crate) fn run(&mut self) -> Run<'_> {
        Run::of(self.held.plan(), self.held.settings(), &mut self.state)
    }

    /// Starts the call. Returns the first attempt if the call takes the fast path.
    #[inline(always)]
    pub(crate) fn start(&mut self, wants: Flags, now: impl Fn() -> Instant) -> Result<Attempt, Unstarted> {
        let mut start = FastPath::new(self.held.plan(), self.held.settings(), wants, &now);
        if start.is_fast() {
            self.state.open(&start, 1);
            return Ok(start.first_attempt());
        }
        if start.is_counted() {
            self.state.open(&start, 1);
            return Ok(start.first_attempt());
        }
        if let Some(rejection) = start.rejection(&now) {
            return Err(Unstarted::Rejected(rejection));
        }
        self.state.open(&start, 0);
        Err(Unstarted::Slow)
    }

    /// Starts a call on the slow path. Returns its first attempt.
    #[inline(never)]
    pub(crate) fn begin(&mut self, now: impl Fn() -> Instant) -> Result<Attempt, Ending<T, E>> {
        let mut run = self.run();
        let now = run.started().unwrap_or_else(now);
        let begun = run.begin(now);
        begun.ok_or_else(|| self.stopped(now))
    }

    #[inline]
    pub(crate) const fn step(&self) -> Step {
        self.state.step
    }

    #[inline]
    pub(crate) const fn set_step(&mut self, step: Step) {
        self.state.step = step;
    }

    /// Whether no hook, observer or learning strategy takes part between attempts.
    #[inline]
    pub(crate) const fn is_plain(&self) -> bool {
        self.state.is_plain()
    }

    /// Decides how a plain call continues after a failed attempt. The caller then
    /// [keeps](Self::keep) the failure, or [ends](Self::stopped_by) the call with it.
    #[inline(always)]
    pub(crate) fn fail_plainly(&mut self, failed: &FailedAttempt<T, E>, now: Instant) -> PlainVerdict {
        self.state.fail_plainly(self.held.plan(), &failed.classification, failed.cause(), now)
    }

    /// Stores a failure that will be retried, in place of the previous one.
    #[inline(always)]
    pub(crate) fn keep(&mut self, failed: FailedAttempt<T, E>) {
        self.last = Some(failed.failure);
    }

    /// Returns the next attempt of a plain call after a zero wait.
    #[inline]
    pub(crate) fn resume_at_once(&mut self, remaining: Option<Duration>) -> Attempt {
        self.state.resume_at_once(self.held.plan(), remaining)
    }

    /// Decides how a call continues after a failed attempt. `Ok` means a retry, after the returned
    /// hook and the wait.
    #[inline(never)]
    pub(crate) fn fail(
        &mut self,
        mut failed: FailedAttempt<T, E>,
        now: Instant,
    ) -> Result<Option<HookFuture>, Ending<T, E>> {
        if self.run().yields() && failed.classification.retry_forbidden().is_none() {
            failed.classification.set_retry_forbidden("retried_inside");
        }
        match self.run().fail(&failed.view(), now) {
            Verdict::Stop => Err(self.stopped_by(failed, now)),
            Verdict::Retry(hook) => {
                self.tell_retry(&failed);
                self.keep(failed);
                Ok(hook)
            }
        }
    }

    fn tell_retry(&mut self, failed: &FailedAttempt<T, E>) {
        let run = self.run();
        let notice = RetryNotice {
            error: failed.failure.error(),
            cause: failed.failure.cause(),
            classification: &failed.classification,
            attempt: run.attempts(),
            wait: run.wait(),
        };
        contained(|| self.held.on_retry(&notice));
    }

    /// Checks the deadline again before a wait, if hooks may have taken time since the failure.
    #[inline]
    pub(crate) fn recheck(&mut self, now: impl Fn() -> Instant) -> Result<(), Ending<T, E>> {
        if !self.run().needs_recheck() {
            return Ok(());
        }
        let now = now();
        if self.run().recheck(now) { Ok(()) } else { Err(self.stopped(now)) }
    }

    /// Returns the next attempt after the wait.
    #[inline]
    pub(crate) fn resume(&mut self, now: Instant) -> Result<Attempt, Ending<T, E>> {
        let resumed = self.run().resume(now);
        resumed.ok_or_else(|| self.stopped(now))
    }

    /// Ends the call with a success.
    #[inline]
    pub(crate) fn succeed<N: Finish<T, E>>(&mut self, value: T, now: impl Fn() -> Instant, finish: N) -> N::Output {
        if !self.ends_unobserved() {
            return self.succeed_observed(value, now, finish);
        }
        self.forget_last_failure();
        finish.value(value, |output| output, |value| self.succeed_observed(value, now, finish))
    }

    /// Whether a success is returned only to the caller, and is not timed. Counts it then, if it is
    /// counted.
    #[inline(always)]
    pub(crate) fn ends_unobserved(&mut self) -> bool {
        if self.state.ends_alone() {
            return true;
        }
        if self.state.ends_timed() {
            return false;
        }
        self.state.count_success(self.held.plan());
        true
    }

    #[inline]
    pub(crate) fn forget_last_failure(&mut self) {
        self.last = None;
    }

    #[inline(never)]
    pub(crate) fn succeed_observed<N: Finish<T, E>>(
        &mut self,
        value: T,
        now: impl Fn() -> Instant,
        finish: N,
    ) -> N::Output {
        let mut run = self.run();
        let now = run.needs_end_time().then(now);
        run.succeed(now);
        self.finish(Ok(value), now, finish)
    }

    /// Builds the return value of a call that has ended, and closes the call.
    #[inline]
    pub(crate) fn finish<N: Finish<T, E>>(
        &mut self,
        result: Result<T, Ending<T, E>>,
        ended: Option<Instant>,
        finish: N,
    ) -> N::Output {
        let output = finish.finish(result, &self.run(), ended);
        self.last = None;
        if !self.state.is_spent() {
            self.close();
        }
        output
    }

    /// Whether dropping the call has to notify the breaker or observers.
    #[inline]
    pub(crate) const fn is_unfinished(&self) -> bool {
        !self.state.is_spent()
    }

    /// Ends a call without a result, because it is dropped or a panic unwinds through it.
    #[cold]
    #[inline(never)]
    pub(crate) fn abandon(&mut self, now: impl FnOnce(&H) -> Option<Instant>) {
        if self.state.is_spent() {
            return;
        }
        // The thread may be unwinding, and a second panic that leaves a destructor would abort the
        // process.
        let now = contained(|| now(&self.held)).flatten();
        self.run().tell_cancelled(now);
        self.run().release(now);
        self.close();
    }

    /// Releases the permit and drops the call observers, even if the call value is kept.
    #[cold]
    #[inline(never)]
    pub(crate) fn close(&mut self) {
        self.run().release(None);
        self.state = RunState::ended();
    }

    /// Runs a part of the operation in the scopes of the call's observers and in its frame.
    #[inline(always)]
    pub(crate) fn within<R>(&mut self, step: impl FnOnce() -> R) -> R {
        self.state.within(step)
    }

    /// Whether the wait before the next attempt is longer than zero.
    #[inline]
    pub(crate) const fn waits(&self) -> bool {
        self.state.waits()
    }

    #[inline]
    pub(crate) fn wait(&mut self) -> Duration {
        self.run().wait()
    }

    #[inline]
    pub(crate) fn may_have_taken_time(&mut self) -> bool {
        self.run().may_have_taken_time()
    }

    #[inline]
    pub(crate) fn attempt_limit(&mut self, now: impl FnOnce() -> Instant) -> Option<Duration> {
        self.run().attempt_limit(now)
    }

    /// Returns the failure of an attempt without a result: an abort, or else a timeout.
    #[cold]
    #[inline(never)]
    pub(crate) fn cut(&mut self, classifier: &impl Classifier<T, E>) -> FailedAttempt<T, E> {
        if self.run().is_aborted() { FailedAttempt::aborted() } else { FailedAttempt::timed_out(classifier) }
    }

    pub(crate) fn sleeper(&mut self) -> Option<&Sleeper<'_>> {
        self.run().sleeper()
    }

    /// Passes the last failure to the operation, which will be retried.
    #[inline(always)]
    pub(crate) fn before_wait(&mut self, operation: &mut impl PollOperation<T, E>) {
        if let Some(failure) = &mut self.last {
            operation.before_wait(failure);
        }
    }

    /// The ending of a call that stopped between attempts, with the last failure, if an attempt
    /// failed.
    #[cold]
    fn stopped(&mut self, now: Instant) -> Ending<T, E> {
        let summary = self.run().summary(Some(now));
        Ending { last: self.last.take(), abort: None, classification: None, summary }
    }

    /// The ending of a call that `failed` ended. If the failure is an error that aborts the call,
    /// or an attempt that an abort cut, the previous failure stays the last one. A value that
    /// aborts the call becomes the last failure, because it would otherwise be lost.
    #[cold]
    pub(crate) fn stopped_by(&mut self, failed: FailedAttempt<T, E>, now: Instant) -> Ending<T, E> {
        let mut summary = self.run().summary(Some(now));
        if summary.stop_reason == Some(StopReason::RetryForbidden) {
            summary.retry_forbidden = failed.classification.retry_forbidden();
        }
        match failed.failure {
            Failure::Timeout if failed.classification.is_abort() && self.run().is_aborted() => {
                Ending { last: self.last.take(), abort: None, classification: None, summary }
            }
            Failure::Error(error) if failed.classification.is_abort() => {
                Ending { last: self.last.take(), abort: Some(error), classification: None, summary }
            }
            failure => {
                let classification = Some(failed.classification);
                Ending { last: Some(failure), abort: None, classification, summary }
            }
        }
    }
}

impl<H: Hold<E>, T, E> Drop for Call<H, T, E> {
    #[inline]
    fn drop(&mut self) {
        if self.is_unfinished() {
            self.abandon(H::now);
        }
    }
}
