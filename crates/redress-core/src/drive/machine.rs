//! [`Machine`], the state machine that every asynchronous call runs in.
//!
//! It tracks the current step between polls: attempt, hook or wait. This file handles plain calls,
//! the common case, in which no hook, observer or learning strategy takes part; all other steps are
//! in `machine_steps.rs`. The futures that must be pinned, those of the attempt and the timer, are
//! stored by the machine's owner and passed in with each poll.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::attempt::Attempt;
use super::call::{Call, Hold, Unstarted};
use super::failed_attempt::{FailedAttempt, classify};
use super::finish::Finish;
use super::guarded::Beside;
use super::poll_call::PollOperation;
use super::poll_context::PollContext;
use super::timer::Timer;
use crate::classify::classifier::Classifier;
use crate::engine::{PlainVerdict, Step};
use crate::outcome::ending::Ending;

/// How many attempts one poll may start after the first. A loop of attempts that neither wait nor
/// pend would block the runtime's thread: 5,000,000 of them took 30 s under a timeout of 1 ms.
pub(super) const ATTEMPTS_BETWEEN_YIELDS: u32 = 32;

/// One asynchronous call between polls.
///
/// **Invariant L1**: an attempt that is pending at its timeout is cut, so a call with an attempt
/// timeout ends even if its operation never does: at its deadline, or after all attempts and waits
/// have taken their full time. The time that hooks take is added to this.
pub(crate) struct Machine<H: Hold<E>, T, E> {
    // ORDER: a hook's future is dropped before the permit is released.
    pub(super) beside: Beside,
    pub(super) call: Call<H, T, E>,
}

impl<H: Hold<E>, T, E> Machine<H, T, E> {
    /// Creates a call that has not started.
    #[inline]
    pub(crate) fn new(held: H) -> Self {
        Self { beside: Beside::new(), call: Call::new(held) }
    }

    #[inline]
    pub(crate) const fn held(&self) -> &H {
        self.call.held()
    }

    /// Whether dropping the call has to notify the breaker or observers.
    #[inline]
    pub(crate) const fn is_unfinished(&self) -> bool {
        self.call.is_unfinished()
    }

    /// Whether the call has ended, by a result or a panic.
    #[inline]
    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.call.step(), Step::Ended)
    }

    /// Ends a call without a result, because it is dropped or a panic unwinds through it.
    pub(crate) fn abandon(&mut self, timer: &impl Timer) {
        // ORDER: a hook's future is dropped before the permit is released.
        self.beside.clear();
        self.call.abandon(|_| Some(timer.now()));
        self.call.set_step(Step::Ended);
    }

    /// Advances the call. A panic ends the call and releases its permit at once, even if the
    /// machine is kept.
    ///
    /// # Panics
    ///
    /// If the call is polled after its end.
    #[inline(always)]
    pub(crate) fn poll<C, Tm, O, N>(
        &mut self,
        with: PollContext<'_, C, Tm, O>,
        finish: N,
        cx: &mut Context<'_>,
    ) -> Poll<N::Output>
    where
        C: Classifier<T, E>,
        Tm: Timer,
        O: PollOperation<T, E>,
        N: Finish<T, E>,
    {
        let guard = EndOnPanic(self, with.timer);
        let polled = guard.0.advance(with, finish, cx);
        mem::forget(guard);
        polled
    }

    /// Advances a plain call. The first attempt is inlined, because most calls end with it; the
    /// rest is not.
    #[inline(always)]
    fn advance<C, Tm, O, N>(
        &mut self,
        mut with: PollContext<'_, C, Tm, O>,
        finish: N,
        cx: &mut Context<'_>,
    ) -> Poll<N::Output>
    where
        C: Classifier<T, E>,
        Tm: Timer,
        O: PollOperation<T, E>,
        N: Finish<T, E>,
    {
        match self.call.step() {
            Step::New => match self.call.start(N::WANTS, || with.timer.now()) {
                Ok(attempt) => self.start(attempt, &mut with),
                Err(Unstarted::Rejected(rejection)) => {
                    self.call.set_step(Step::Ended);
                    return Poll::Ready(finish.rejected(rejection));
                }
                Err(Unstarted::Slow) => return self.begin(with.moved(), finish, cx),
            },
            Step::Attempting if self.call.is_plain() => {}
            _ => return self.advance_slowly(with.moved(), finish, cx),
        }
        match with.operation.poll(cx) {
            Poll::Pending => self.pend(with.moved(), finish, cx),
            Poll::Ready(result) => {
                with.stop_attempt();
                match classify(with.classifier, result) {
                    Ok(value) => self.succeed(value, with.timer, finish),
                    Err(failed) => self.retry_plainly(failed, with.moved(), finish, cx),
                }
            }
        }
    }

    /// Starts an attempt of a plain call, which has no observer scopes.
    #[inline(always)]
    fn start<C, Tm, O>(&mut self, attempt: Attempt, with: &mut PollContext<'_, C, Tm, O>)
    where
        Tm: Timer,
        O: PollOperation<T, E>,
    {
        with.operation.start(attempt);
        self.call.set_step(Step::Attempting);
    }

    /// Handles a plain attempt that is pending.
    #[inline(never)]
    fn pend<C, Tm, O, N>(
        &mut self,
        mut with: PollContext<'_, C, Tm, O>,
        finish: N,
        cx: &mut Context<'_>,
    ) -> Poll<N::Output>
    where
        C: Classifier<T, E>,
        Tm: Timer,
        O: PollOperation<T, E>,
        N: Finish<T, E>,
    {
        let failed = ready!(self.poll_cut(&mut with, cx));
        self.retry_plainly(failed, with, finish, cx)
    }

    /// Continues a plain call after a failed attempt, for as long as attempts follow without a
    /// wait.
    #[inline(never)]
    fn retry_plainly<C, Tm, O, N>(
        &mut self,
        mut failed: FailedAttempt<T, E>,
        mut with: PollContext<'_, C, Tm, O>,
        finish: N,
        cx: &mut Context<'_>,
    ) -> Poll<N::Output>
    where
        C: Classifier<T, E>,
        Tm: Timer,
        O: PollOperation<T, E>,
        N: Finish<T, E>,
    {
        loop {
            failed.forbid_retry(&mut with.operation);
            let now = with.timer.now();
            let remaining = match self.call.fail_plainly(&failed, now) {
                PlainVerdict::Retry { remaining } => remaining,
                PlainVerdict::Stop => {
                    let stopped = self.call.stopped_by(failed, now);
                    return self.end(stopped, finish);
                }
            };
            self.call.keep(failed);
            self.call.before_wait(&mut with.operation);
            if self.call.waits() || with.resumed == ATTEMPTS_BETWEEN_YIELDS {
                self.wait_unless(false, &mut with);
                return self.advance_slowly(with, finish, cx);
            }
            with.resumed += 1;
            let attempt = self.call.resume_at_once(remaining);
            self.start(attempt, &mut with);
            let polled = with.operation.poll(cx);
            failed = match ready!(self.poll_settled(polled, &mut with, cx)) {
                Ok(value) => return self.succeed(value, with.timer, finish),
                Err(next) => next,
            };
        }
    }

    /// Classifies the result of an attempt, or polls its timeout and aborts while it is pending. A
    /// result that is ready at the same time wins.
    #[inline(always)]
    pub(super) fn poll_settled<C, Tm, O>(
        &mut self,
        polled: Poll<Result<T, E>>,
        with: &mut PollContext<'_, C, Tm, O>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, FailedAttempt<T, E>>>
    where
        C: Classifier<T, E>,
        Tm: Timer,
        O: PollOperation<T, E>,
    {
        match polled {
            Poll::Pending => self.poll_cut(with, cx).map(Err),
            Poll::Ready(result) => {
                with.stop_attempt();
                Poll::Ready(classify(with.classifier, result))
            }
        }
    }

    /// Resolves when a pending attempt is cut, by its timeout or an abort. The timer starts when
    /// the attempt is pending for the first time, so an attempt that is ready at once does not need
    /// one.
    #[inline(never)]
    pub(super) fn poll_cut<C, Tm, O>(
        &mut self,
        with: &mut PollContext<'_, C, Tm, O>,
        cx: &mut Context<'_>,
    ) -> Poll<FailedAttempt<T, E>>
    where
        C: Classifier<T, E>,
        Tm: Timer,
        O: PollOperation<T, E>,
    {
        if !self.is_aborted(cx) {
            ready!(self.poll_timeout(with.timer, with.sleep.as_mut(), cx));
        }
        with.stop_attempt();
        Poll::Ready(self.call.cut(with.classifier))
    }

    fn poll_timeout<Tm: Timer>(
        &mut self,
        timer: &Tm,
        mut sleep: Pin<&mut Option<Tm::Sleep>>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        if sleep.is_none() {
            match self.call.attempt_limit(|| timer.now()) {
                None => return Poll::Pending,
                Some(limit) if limit.is_zero() => return Poll::Ready(()),
                Some(limit) => sleep.set(timer.timeout(limit)),
            }
        }
        match sleep.as_pin_mut() {
            Some(timeout) => timeout.poll(cx),
            None => Poll::Pending,
        }
    }

    /// Whether a handle was aborted. If not, registers the task to be woken by an abort.
    pub(super) fn is_aborted(&mut self, cx: &Context<'_>) -> bool {
        self.beside.is_aborted(&self.call.run(), cx.waker())
    }

    #[inline(always)]
    pub(super) fn succeed<N: Finish<T, E>>(&mut self, value: T, timer: &impl Timer, finish: N) -> Poll<N::Output> {
        self.call.set_step(Step::Ended);
        if !self.call.ends_unobserved() {
            return self.succeed_observed(value, timer, finish);
        }
        self.call.forget_last_failure();
        finish.value(value, Poll::Ready, |value| self.succeed_observed(value, timer, finish))
    }

    // Returns a `Poll`, so that the result is written directly to the caller's return slot.
    #[inline(never)]
    fn succeed_observed<N: Finish<T, E>>(&mut self, value: T, timer: &impl Timer, finish: N) -> Poll<N::Output> {
        Poll::Ready(self.call.succeed_observed(value, || timer.now(), finish))
    }

    #[inline(never)]
    pub(super) fn end<N: Finish<T, E>>(&mut self, stopped: Ending<T, E>, finish: N) -> Poll<N::Output> {
        self.beside.clear();
        self.call.set_step(Step::Ended);
        Poll::Ready(self.call.finish(Err(stopped), None, finish))
    }
}

/// Ends the call if its poll panics.
struct EndOnPanic<'p, H: Hold<E>, T, E, Tm: Timer>(&'p mut Machine<H, T, E>, &'p Tm);

impl<H: Hold<E>, T, E, Tm: Timer> Drop for EndOnPanic<'_, H, T, E, Tm> {
    fn drop(&mut self) {
        let Self(machine, timer) = self;
        machine.abandon(*timer);
    }
}
