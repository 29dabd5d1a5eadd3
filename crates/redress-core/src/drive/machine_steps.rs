//! The less common steps of the machine: hooks, waits, and attempts in the scopes of observers.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use super::attempt::Attempt;
use super::call::Hold;
use super::failed_attempt::FailedAttempt;
use super::finish::Finish;
use super::guarded::custom_wait;
use super::machine::{ATTEMPTS_BETWEEN_YIELDS, Machine};
use super::poll_call::PollOperation;
use super::poll_context::PollContext;
use super::timer::Timer;
use crate::classify::classifier::Classifier;
use crate::engine::Step;
use crate::outcome::ending::Ending;

type Stepped<T, E> = Result<(), Ending<T, E>>;

impl<H: Hold<E>, T, E> Machine<H, T, E> {
    /// Starts a call on the slow path.
    #[inline(never)]
    pub(super) fn begin<C, Tm, O, N>(
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
        match self.call.begin(|| with.timer.now()) {
            Ok(attempt) => {
                self.start_in_scopes(attempt, &mut with);
                self.advance_slowly(with, finish, cx)
            }
            Err(stopped) => self.end(stopped, finish),
        }
    }

    /// Runs any step of any call.
    #[inline(never)]
    pub(super) fn advance_slowly<C, Tm, O, N>(
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
        loop {
            let stepped = match self.call.step() {
                Step::Attempting => {
                    let polled = self.call.within(|| with.operation.poll(cx));
                    match ready!(self.poll_settled(polled, &mut with, cx)) {
                        Ok(value) => return self.succeed(value, with.timer, finish),
                        Err(failed) => self.fail(failed, &mut with),
                    }
                }
                step @ (Step::BeforeWait | Step::HookWaits | Step::Waiting) => {
                    ready!(self.poll_wait(step, &mut with, cx))
                }
                Step::Resuming if with.resumed == ATTEMPTS_BETWEEN_YIELDS => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Step::Resuming => self.resume(with.timer.now(), &mut with),
                Step::New | Step::Ended => panic!("a call was polled after its end"),
            };
            if let Err(stopped) = stepped {
                return self.end(stopped, finish);
            }
        }
    }

    fn start_in_scopes<C, Tm, O>(&mut self, attempt: Attempt, with: &mut PollContext<'_, C, Tm, O>)
    where
        Tm: Timer,
        O: PollOperation<T, E>,
    {
        self.call.within(|| with.operation.start(attempt));
        self.call.set_step(Step::Attempting);
    }

    /// Polls the wait between two attempts, or a hook that is part of it, and takes the step after
    /// it. An abort ends the wait.
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

    /// Handles a failed attempt: ends the call or moves to the next step.
    fn fail<C, Tm, O>(&mut self, mut failed: FailedAttempt<T, E>, with: &mut PollContext<'_, C, Tm, O>) -> Stepped<T, E>
    where
        Tm: Timer,
        O: PollOperation<T, E>,
    {
        failed.forbid_retry(&mut with.operation);
        let now = with.timer.now();
        let hook = self.call.fail(failed, now)?;
        self.beside.set_hook(hook);
        self.call.before_wait(&mut with.operation);
        // True also if there is a hook to await.
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

    /// Starts the wait after the hook before it, if the deadline still allows it.
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

    /// Starts the timer's wait, unless a hook has waited instead or the delay is zero.
    pub(super) fn wait_unless<C, Tm: Timer, O>(&mut self, has_waited: bool, with: &mut PollContext<'_, C, Tm, O>) {
        if has_waited || !self.call.waits() {
            self.call.set_step(Step::Resuming);
            return;
        }
        with.sleep.set(Some(with.timer.sleep(self.call.wait())));
        self.call.set_step(Step::Waiting);
    }

    /// Starts the next attempt, or leaves it to the next poll if this one has reached
    /// [`ATTEMPTS_BETWEEN_YIELDS`].
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
        self.start_in_scopes(attempt, with);
        Ok(())
    }
}

fn poll_sleep<S: Future<Output = ()>>(sleep: Pin<&mut Option<S>>, cx: &mut Context<'_>) -> Poll<()> {
    match sleep.as_pin_mut() {
        Some(sleep) => sleep.poll(cx),
        None => Poll::Ready(()),
    }
}
