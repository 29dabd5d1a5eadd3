//! The asynchronous call as a state machine: every asynchronous call, however it is written, is
//! polled here.
//!
//! It keeps the order of attempt, hooks and wait between polls. What a plain call takes is here,
//! which most calls are: no hook, observer or learning strategy takes part in it. All other steps
//! are `machine_steps.rs`. Whatever has to be pinned, the attempt's future and the timer's, stays
//! with the machine's owner and comes in with each poll.

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
/// pend would hold the runtime's thread: 5,000,000 of them took 30 s under a timeout of 1 ms.
pub(super) const ATTEMPTS_BETWEEN_YIELDS: u32 = 32;

/// One asynchronous call between polls.
///
/// **Invariant L1**: an attempt that is pending at its timeout is cut, so a call with an attempt
/// timeout ends although its operation never does: at its deadline, or when all its attempts and
/// waits have had their time. What hooks take comes on top.
pub(crate) struct Machine<H: Hold<E>, T, E> {
    // ORDER: a hook's future is dropped before the permit is given back.
    pub(super) beside: Beside,
    pub(super) call: Call<H, T, E>,
}

impl<H: Hold<E>, T, E> Machine<H, T, E> {
    /// A call that has not begun.
    #[inline]
    pub(crate) fn new(held: H) -> Self {
        Self { beside: Beside::new(), call: Call::new(held) }
    }

    #[inline]
    pub(crate) const fn held(&self) -> &H {
        self.call.held()
    }

    /// What the call runs by, if it has not begun.
    pub(crate) const fn held_mut(&mut self) -> Option<&mut H> {
        if matches!(self.call.step(), Step::New) { Some(self.call.held_mut()) } else { None }
    }

    /// Whether dropping the call has anything to report or to tell.
    #[inline]
    pub(crate) const fn is_unfinished(&self) -> bool {
        self.call.is_unfinished()
    }

    /// Whether the call has ended, by a panic too.
    #[inline]
    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.call.step(), Step::Ended)
    }

    /// Ends a call that has no result: it is dropped, or a panic goes through it.
    pub(crate) fn abandon(&mut self, timer: &impl Timer) {
        // ORDER: a hook's future is dropped before the permit is given back.
        self.beside.clear();
        self.call.abandon(|_| Some(timer.now()));
        self.call.set_step(Step::Ended);
    }

    /// Drives the call on. If anything panics in here, the call is over and its permit is given
    /// back at once, however long the machine is kept.
    ///
    /// # Panics
    ///
    /// If it is polled after its end.
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

    /// The first attempt in line, since most calls end with it; the rest out of line.
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

    /// Starts an attempt of a plain call: no observer has a scope for it.
    #[inline(always)]
    fn start<C, Tm, O>(&mut self, attempt: Attempt, with: &mut PollContext<'_, C, Tm, O>)
    where
        Tm: Timer,
        O: PollOperation<T, E>,
    {
        with.operation.start(attempt);
        self.call.set_step(Step::Attempting);
    }

    /// A plain attempt has no result yet.
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

    /// From the failure of a plain attempt on, for as long as attempts follow at once.
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
            failed = match with.operation.poll(cx) {
                Poll::Pending => ready!(self.poll_cut(&mut with, cx)),
                Poll::Ready(result) => {
                    with.stop_attempt();
                    match classify(with.classifier, result) {
                        Ok(value) => return self.succeed(value, with.timer, finish),
                        Err(next) => next,
                    }
                }
            };
        }
    }

    /// The failure of a pending attempt that is cut, raced against its timeout and an abort. Its
    /// timer is armed when it pends for the first time: one that is ready at once has none.
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

    /// Whether a handle was aborted; if none was, an abort wakes the task.
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

    // A `Poll`, so that what it returns is written where the caller wants it.
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

/// Ends a call whose poll panics.
struct EndOnPanic<'p, H: Hold<E>, T, E, Tm: Timer>(&'p mut Machine<H, T, E>, &'p Tm);

impl<H: Hold<E>, T, E, Tm: Timer> Drop for EndOnPanic<'_, H, T, E, Tm> {
    fn drop(&mut self) {
        let Self(machine, timer) = self;
        machine.abandon(*timer);
    }
}
