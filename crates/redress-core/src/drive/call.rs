//! One call as a driver holds it: its settings, the engine's state, the last failure, and the steps
//! that every driver takes.

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

/// Who holds what a call runs by: a borrow of the policy, or a handle of its own.
pub(crate) trait Hold<E> {
    fn plan(&self) -> &Plan;
    fn settings(&self) -> Option<&CallSettings<'_>>;
    /// The current instant, if the holder has the policy's clock.
    fn now(&self) -> Option<Instant>;
    /// Tells the hook that sees typed errors, if there is one.
    #[inline]
    fn on_retry(&self, notice: &RetryNotice<'_, E>) {
        let _ = notice;
    }
}

/// One call. Dropping it before its end gives its permit back, and tells its observers that it was
/// cancelled.
pub(crate) struct Call<H: Hold<E>, T, E> {
    held: H,
    state: RunState,
    last: Option<Failure<T, E>>,
}

/// A call that does not take the fast path to its first attempt.
pub(crate) enum Unstarted {
    /// Its breaker rejects it, and no observer hears of it.
    Rejected(CircuitOpenError),
    /// It has yet to [begin](Call::begin).
    Slow,
}

impl<H: Hold<E>, T, E> Call<H, T, E> {
    /// A call that has not begun.
    #[inline]
    pub(crate) fn new(held: H) -> Self {
        Self { held, state: RunState::default(), last: None }
    }

    /// A call that began like this; `attempts` is 1 if its first attempt has been made on the fast
    /// path.
    #[inline]
    pub(crate) fn from_start(held: H, start: &FastPath<'_>, attempts: u32) -> Self {
        Self { held, state: RunState::new(start, attempts), last: None }
    }

    #[inline]
    pub(crate) const fn held(&self) -> &H {
        &self.held
    }

    pub(crate) const fn held_mut(&mut self) -> &mut H {
        &mut self.held
    }

    #[inline]
    pub(crate) fn run(&mut self) -> Run<'_> {
        Run::of(self.held.plan(), self.held.settings(), &mut self.state)
    }

    /// Starts the call: its first attempt, if it takes the fast path.
    #[inline(always)]
    pub(crate) fn start(&mut self, wants: Flags, now: impl Fn() -> Instant) -> Result<Attempt, Unstarted> {
        let mut start = FastPath::new(self.held.plan(), self.held.settings(), wants, &now);
        if start.is_fast() {
            self.state.open(&start, 1);
            return Ok(start.first_attempt());
        }
        if let Some(rejection) = start.rejection(&now) {
            return Err(Unstarted::Rejected(rejection));
        }
        self.state.open(&start, 0);
        Err(Unstarted::Slow)
    }

    /// The first attempt of a call that does not take the fast path.
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

    /// After a failed attempt of a plain call: what becomes of it. The failure is then
    /// [kept](Self::keep), or [ends](Self::stopped_by) the call.
    #[inline(always)]
    pub(crate) fn fail_plainly(&mut self, failed: &FailedAttempt<T, E>, now: Instant) -> PlainVerdict {
        self.state.fail_plainly(self.held.plan(), &failed.classification, failed.cause(), now)
    }

    /// Keeps the failure that is tried again, in place of the one before.
    #[inline(always)]
    pub(crate) fn keep(&mut self, failed: FailedAttempt<T, E>) {
        self.last = Some(failed.failure);
    }

    /// The next attempt of a plain call that has nothing to wait for.
    #[inline]
    pub(crate) fn resume_at_once(&mut self, remaining: Option<Duration>) -> Attempt {
        self.state.resume_at_once(self.held.plan(), remaining)
    }

    /// After a failed attempt: another attempt follows, after the hook that is returned and the
    /// wait.
    #[inline(never)]
    pub(crate) fn fail(
        &mut self,
        failed: FailedAttempt<T, E>,
        now: Instant,
    ) -> Result<Option<HookFuture>, Ending<T, E>> {
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

    /// Checks the deadline once more before a wait, if hooks may have taken time since the failure.
    #[inline]
    pub(crate) fn recheck(&mut self, now: impl Fn() -> Instant) -> Result<(), Ending<T, E>> {
        if !self.run().needs_recheck() {
            return Ok(());
        }
        let now = now();
        if self.run().recheck(now) { Ok(()) } else { Err(self.stopped(now)) }
    }

    /// The next attempt, after the wait.
    #[inline]
    pub(crate) fn resume(&mut self, now: Instant) -> Result<Attempt, Ending<T, E>> {
        let resumed = self.run().resume(now);
        resumed.ok_or_else(|| self.stopped(now))
    }

    /// The attempt succeeded: hands the call back.
    #[inline]
    pub(crate) fn succeed<N: Finish<T, E>>(&mut self, value: T, now: impl Fn() -> Instant, finish: N) -> N::Output {
        if !self.ends_unobserved() {
            return self.succeed_observed(value, now, finish);
        }
        self.forget_last_failure();
        finish.value(value, |output| output, |value| self.succeed_observed(value, now, finish))
    }

    /// Whether a success is told to the caller alone and needs no instant.
    #[inline]
    pub(crate) const fn ends_unobserved(&self) -> bool {
        self.state.ends_unobserved()
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

    /// Hands the call back, which is over.
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

    /// Whether dropping the call has anything to report or to tell.
    #[inline]
    pub(crate) const fn is_unfinished(&self) -> bool {
        !self.state.is_spent()
    }

    /// Ends a call that has no result: it is dropped, or a panic goes through it.
    #[cold]
    #[inline(never)]
    pub(crate) fn abandon(&mut self, now: impl FnOnce(&H) -> Option<Instant>) {
        if self.state.is_spent() {
            return;
        }
        // The call may be unwinding, and a second panic that leaves a destructor would end the
        // process.
        let now = contained(|| now(&self.held)).flatten();
        self.run().tell_cancelled(now);
        self.close();
    }

    /// Gives back the permit and lets go of the observers, however long the call is kept.
    #[cold]
    #[inline(never)]
    pub(crate) fn close(&mut self) {
        self.run().release();
        self.state = RunState::ended();
    }

    /// Runs a piece of the operation within the scopes of the call's observers.
    #[inline(always)]
    pub(crate) fn within<R>(&self, step: impl FnOnce() -> R) -> R {
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

    /// An attempt without a result: it was aborted, or else ran into its timeout.
    #[cold]
    #[inline(never)]
    pub(crate) fn cut(&mut self, classifier: &impl Classifier<T, E>) -> FailedAttempt<T, E> {
        if self.run().is_aborted() { FailedAttempt::aborted() } else { FailedAttempt::timed_out(classifier) }
    }

    pub(crate) fn sleeper(&mut self) -> Option<&Sleeper<'_>> {
        self.run().sleeper()
    }

    /// Shows the last failure to the operation, which is tried again.
    #[inline(always)]
    pub(crate) fn before_wait(&mut self, operation: &mut impl PollOperation<T, E>) {
        if let Some(failure) = &mut self.last {
            operation.before_wait(failure);
        }
    }

    /// What is left of a call that ended between attempts: the last failure, if an attempt failed.
    #[cold]
    fn stopped(&mut self, now: Instant) -> Ending<T, E> {
        let summary = self.run().summary(Some(now));
        Ending { last: self.last.take(), abort: None, classification: None, summary }
    }

    /// What is left of a call that this failure ended. An error that aborts is no failure, so the
    /// earlier one stays the last, and so it does when an attempt was cut by an abort; a value that
    /// aborts has no place but the last failure's, and must not be lost.
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
