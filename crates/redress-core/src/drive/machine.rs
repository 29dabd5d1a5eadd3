//! The asynchronous call as a state machine: every asynchronous call, however it is written, is polled here.
//!
//! It keeps the order of attempt, hooks and wait between polls. Whatever has to be pinned, the attempt's future and the
//! timer's, stays with the machine's owner and comes in with each poll.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use super::attempt::Attempt;
use super::call::{Call, Hold, Unstarted};
use super::failed_attempt::{FailedAttempt, classify};
use super::finish::Finish;
use super::guarded::{Beside, custom_wait};
use super::poll_call::PollOperation;
use super::poll_context::PollContext;
use super::timer::Timer;
use crate::classify::classifier::Classifier;
use crate::engine::Step;
use crate::outcome::ending::Ending;

/// How many attempts one poll may start after the first. A loop of attempts that neither wait nor pend would hold the
/// runtime's thread: 5,000,000 of them took 30 s under a timeout of 1 ms.
const ATTEMPTS_BETWEEN_YIELDS: u32 = 32;

/// One asynchronous call between polls.
///
/// **Invariant L1**: an attempt that is pending at its timeout is cut, so a call with an attempt timeout ends although its
/// operation never does: at its deadline, or when all its attempts and waits have had their time. What hooks take comes on
/// top.
pub(crate) struct Machine<H: Hold<E>, T, E> {
    // ORDER: a hook's future is dropped before the permit is given back.
    beside: Beside,
    call: Call<H, T, E>,
}

type Stepped<T, E> = Result<(), Ending<T, E>>;

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

    /// Drives the call on. If anything panics in here, the call is over and its permit is given back at once, however long
    /// the machine is kept.
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
        if let Step::New = self.call.step() {
            match self.call.start(N::WANTS, || with.timer.now()) {
                Ok(attempt) => self.start(attempt, &mut with),
                Err(Unstarted::Rejected(rejection)) => {
                    self.call.set_step(Step::Ended);
                    return Poll::Ready(finish.rejected(rejection));
                }
                Err(Unstarted::Slow) => match self.call.begin(|| with.timer.now()) {
                    Ok(attempt) => self.start(attempt, &mut with),
                    Err(stopped) => return self.end(stopped, finish),
                },
            }
        }
        if let Step::Attempting = self.call.step() {
            let attempted = ready!(self.poll_attempt(&mut with, cx));
            return match self.classify_attempt(with.classifier, attempted) {
                Ok(value) => self.succeed(value, with.timer, finish),
                Err(failed) => self.advance_further(Some(failed), with.moved(), finish, cx),
            };
        }
        self.advance_further(None, with.moved(), finish, cx)
    }

    #[inline(never)]
    fn advance_further<C, Tm, O, N>(
        &mut self,
        mut failed: Option<FailedAttempt<T, E>>,
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
            let stepped = match (failed.take(), self.call.step()) {
                (Some(failed), _) => self.fail(failed, &mut with),
                (None, Step::Attempting) => {
                    let attempted = ready!(self.poll_attempt(&mut with, cx));
                    failed = match self.classify_attempt(with.classifier, attempted) {
                        Ok(value) => return self.succeed(value, with.timer, finish),
                        Err(next) => Some(next),
                    };
                    Ok(())
                }
                (None, step @ (Step::BeforeWait | Step::HookWaits | Step::Waiting)) => {
                    ready!(self.poll_wait(step, &mut with, cx))
                }
                (None, Step::Resuming) if with.resumed == ATTEMPTS_BETWEEN_YIELDS => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                (None, Step::Resuming) => self.resume(with.timer.now(), &mut with),
                (None, Step::New | Step::Ended) => panic!("a call was polled after its end"),
            };
            if let Err(stopped) = stepped {
                return self.end(stopped, finish);
            }
        }
    }

    #[inline(always)]
    fn start<C, Tm, O>(&mut self, attempt: Attempt, with: &mut PollContext<'_, C, Tm, O>)
    where
        Tm: Timer,
        O: PollOperation<T, E>,
    {
        self.call.within(|| with.operation.start(attempt));
        self.call.set_step(Step::Attempting);
    }

    /// The attempt, raced against its timeout and an abort: `None` if it is cut. A result that is there at the same time counts.
    #[inline(always)]
    fn poll_attempt<C, Tm, O>(
        &mut self,
        with: &mut PollContext<'_, C, Tm, O>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<T, E>>>
    where
        Tm: Timer,
        O: PollOperation<T, E>,
    {
        let attempted = match self.call.within(|| with.operation.poll(cx)) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => {
                ready!(self.poll_cut(with.timer, with.sleep.as_mut(), cx));
                None
            }
        };
        with.operation.stop();
        if with.sleep.is_some() {
            with.sleep.set(None);
        }
        Poll::Ready(attempted)
    }

    /// Whether the pending attempt is cut. Its timer is armed when it pends for the first time: one that is ready at once has none.
    #[inline(never)]
    fn poll_cut<Tm: Timer>(
        &mut self,
        timer: &Tm,
        mut sleep: Pin<&mut Option<Tm::Sleep>>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        if self.is_aborted(cx) {
            return Poll::Ready(());
        }
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
    fn is_aborted(&mut self, cx: &Context<'_>) -> bool {
        self.beside.is_aborted(&self.call.run(), cx.waker())
    }

    #[inline(always)]
    fn classify_attempt(
        &mut self,
        classifier: &impl Classifier<T, E>,
        attempted: Option<Result<T, E>>,
    ) -> Result<T, FailedAttempt<T, E>> {
        match attempted {
            Some(result) => classify(classifier, result),
            None => Err(self.call.cut(classifier)),
        }
    }

    /// The wait between two attempts, or a hook that is part of it, and what comes after it. An abort ends it.
    #[inline(never)]
    fn poll_wait<C, Tm, O>(
        &mut self,
        step: Step,
        with: &mut PollContext<'_, C, Tm, O>,
        cx: &mut Context<'_>,
    ) -> Poll<Stepped<T, E>>
    where
        Tm: Timer,
        O: PollOperation<T, E>,
    {
        let waited = if let Step::Waiting = step {
            poll_sleep(with.sleep.as_mut(), cx).map(|()| true)
        } else {
            self.beside.poll_hook(cx)
        };
        match (step, waited) {
            (_, Poll::Pending) if !self.is_aborted(cx) => return Poll::Pending,
            (Step::BeforeWait, Poll::Ready(_)) => return Poll::Ready(self.begin_wait(with)),
            (Step::HookWaits, Poll::Ready(has_waited)) => {
                self.wait_unless(has_waited, with);
                return Poll::Ready(Ok(()));
            }
            _ => {}
        }
        self.beside.set_hook(None);
        with.sleep.set(None);
        Poll::Ready(self.resume(with.timer.now(), with))
    }

    #[inline(always)]
    fn succeed<N: Finish<T, E>>(&mut self, value: T, timer: &impl Timer, finish: N) -> Poll<N::Output> {
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

    /// From a failure to the step that follows.
    #[inline(always)]
    fn fail<C, Tm, O>(&mut self, mut failed: FailedAttempt<T, E>, with: &mut PollContext<'_, C, Tm, O>) -> Stepped<T, E>
    where
        Tm: Timer,
        O: PollOperation<T, E>,
    {
        if let Some(why) = with.operation.retry_forbidden(&failed.failure, &failed.classification) {
            failed.classification = failed.classification.forbid_retry(why);
        }
        let now = with.timer.now();
        if self.call.is_plain() {
            self.call.fail_plainly(failed, now)?;
        } else {
            let hook = self.call.fail(failed, now)?;
            self.beside.set_hook(hook);
        }
        if let Some(failure) = self.call.last_failure_mut() {
            with.operation.before_wait(failure);
        }
        // A hook to be awaited is one of those that take time.
        if self.call.may_have_taken_time() {
            self.call.set_step(Step::BeforeWait);
            return Ok(());
        }
        if !self.call.waits() {
            return self.resume(now, with);
        }
        self.wait_unless(false, with);
        Ok(())
    }

    /// The hook before the wait is done: goes on to the wait, if there is still time for it.
    fn begin_wait<C, Tm: Timer, O>(&mut self, with: &mut PollContext<'_, C, Tm, O>) -> Stepped<T, E> {
        self.call.recheck(|| with.timer.now())?;
        let hook = custom_wait(&self.call.run());
        self.beside.set_hook(hook);
        if self.beside.has_hook() {
            self.call.set_step(Step::HookWaits);
        } else {
            self.wait_unless(false, with);
        }
        Ok(())
    }

    /// The timer's wait, unless a hook has waited instead or there is nothing to wait for.
    #[inline]
    fn wait_unless<C, Tm: Timer, O>(&mut self, has_waited: bool, with: &mut PollContext<'_, C, Tm, O>) {
        if has_waited || !self.call.waits() {
            self.call.set_step(Step::Resuming);
            return;
        }
        with.sleep.set(Some(with.timer.sleep(self.call.wait())));
        self.call.set_step(Step::Waiting);
    }

    /// Starts the next attempt, or leaves it to the next poll where this one has started enough of them.
    #[inline(always)]
    fn resume<C, Tm, O>(&mut self, now: Instant, with: &mut PollContext<'_, C, Tm, O>) -> Stepped<T, E>
    where
        Tm: Timer,
        O: PollOperation<T, E>,
    {
        if with.resumed == ATTEMPTS_BETWEEN_YIELDS {
            self.call.set_step(Step::Resuming);
            return Ok(());
        }
        with.resumed += 1;
        let attempt = self.call.resume(now)?;
        self.start(attempt, with);
        Ok(())
    }

    #[inline(never)]
    fn end<N: Finish<T, E>>(&mut self, stopped: Ending<T, E>, finish: N) -> Poll<N::Output> {
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

fn poll_sleep<S: Future<Output = ()>>(sleep: Pin<&mut Option<S>>, cx: &mut Context<'_>) -> Poll<()> {
    match sleep.as_pin_mut() {
        Some(sleep) => sleep.poll(cx),
        None => Poll::Ready(()),
    }
}
