//! The asynchronous loop as a state machine: polled, told at every poll what it runs, waits and judges with.
//!
//! Owns the order of attempt, hooks and wait between polls, and the engine's state while nobody asks it anything. Decides nothing, and
//! knows no runtime but through [`Timer`]. Whatever has to be pinned stays with whoever polls.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use crate::classify::classifier::Classifier;
use crate::drive::attempt::Attempt;
use crate::drive::guarded::{Hooked, custom_wait};
use crate::drive::poll_call::Operation;
use crate::drive::steps::{
    Judged, Pause, after_failure, attempt_limit, first_attempt, judge, recheck, resume_at, timed_out,
};
use crate::drive::timer::Timer;
use crate::engine::{Flags, Run, RunState};
use crate::outcome::ending::Ending;
use crate::outcome::failure::Failure;
use crate::policy::compiled::Plan;
use crate::policy::context::CallSettings;

/// What is to happen when the call is polled next.
enum Step {
    /// Nothing has been asked of anybody yet.
    New(Flags),
    /// This attempt is to be started.
    Start(Attempt),
    /// An attempt is under way, perhaps with its timeout in the place for sleeps.
    Attempting,
    /// A hook before the wait is awaited.
    BeforeWait(Hooked),
    /// A hook waits instead of the timer.
    HookWaits(Hooked),
    /// The timer waits.
    Waiting,
    /// Also while a step is taken, so that one that panics is the last.
    Ended,
}

/// What follows from a step.
enum Next {
    Go(Step),
    /// Whatever the step waits for wakes the task.
    Pend(Step),
}

type Stepped<T, E> = Result<Next, Ending<T, E>>;

/// A call between polls.
pub(crate) struct Course<'h, T, E> {
    // ORDER: a hook's future is dropped before the permit is given back.
    step: Step,
    last: Option<Failure<T, E>>,
    run: Parked<'h>,
}

/// What a call is polled with; the same every time.
pub(crate) struct With<'p, C, Tm: Timer, O> {
    pub(crate) classifier: &'p C,
    pub(crate) timer: &'p Tm,
    pub(crate) operation: &'p mut O,
    /// Where an attempt's timeout or the wait after it is kept, never both.
    pub(crate) sleep: Pin<&'p mut Option<Tm::Sleep>>,
}

/// A call's own settings, in whoever's hands they are.
pub(crate) enum Settings<'h> {
    None,
    Own(Box<CallSettings<'h>>),
    Lent(&'h CallSettings<'h>),
}

impl<'h> Settings<'h> {
    fn get(&self) -> Option<&CallSettings<'h>> {
        match self {
            Self::None => None,
            Self::Own(settings) => Some(settings),
            Self::Lent(settings) => Some(settings),
        }
    }
}

/// A run between polls: without the borrows that it has while it is asked something.
struct Parked<'h> {
    plan: Arc<Plan>,
    settings: Settings<'h>,
    state: RunState,
}

impl Parked<'_> {
    #[inline]
    fn ask<R>(&mut self, question: impl FnOnce(&mut Run<'_>) -> R) -> R {
        let mut run = Run::unpark(&self.plan, self.settings.get(), mem::take(&mut self.state));
        let answer = question(&mut run);
        self.state = run.park();
        answer
    }

    /// Runs a piece of the operation within the scopes of those who observe the call. If it panics, the call is over at once, however
    /// long the future is kept: its permit is given back.
    #[inline]
    fn within<R>(&mut self, step: impl FnOnce() -> R) -> R {
        let over = Over(self);
        let answer = over.0.state.within(step);
        mem::forget(over);
        answer
    }

    /// Ends the call without a result, if it has not ended.
    fn forfeit(&mut self) {
        drop(Run::unpark(&self.plan, self.settings.get(), mem::take(&mut self.state)));
    }
}

/// The end of a call whose operation panics.
struct Over<'p, 'h>(&'p mut Parked<'h>);

impl Drop for Over<'_, '_> {
    fn drop(&mut self) {
        self.0.forfeit();
    }
}

impl Drop for Parked<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.state.holds_permit() {
            self.forfeit();
        }
    }
}

impl<'h, T, E> Course<'h, T, E> {
    /// A call that has not begun.
    pub(crate) fn new(plan: Arc<Plan>, settings: Settings<'h>, wants: Flags) -> Self {
        Self { step: Step::New(wants), last: None, run: Parked { plan, settings, state: RunState::default() } }
    }

    /// The rest of a call whose first attempt has been granted and not started. Its run is left with nothing.
    pub(crate) fn of_run(plan: Arc<Plan>, run: &mut Run<'h>, attempt: Attempt) -> Self {
        let (call, state) = run.hand_over();
        let settings = call.map_or(Settings::None, Settings::Lent);
        Self { step: Step::Start(attempt), last: None, run: Parked { plan, settings, state } }
    }

    /// The settings of a call that has not begun, to be changed.
    pub(crate) fn settings_mut(&mut self) -> Option<&mut CallSettings<'h>> {
        if matches!(self.run.settings, Settings::None) {
            self.run.settings = Settings::Own(Box::default());
        }
        match &mut self.run.settings {
            Settings::Own(settings) => Some(settings),
            Settings::None | Settings::Lent(_) => None,
        }
    }

    /// Drives the call on; at its end `finish` makes of it what the caller is handed.
    ///
    /// # Panics
    ///
    /// If it is polled after its end.
    pub(crate) fn poll<C, Tm, O, R>(
        &mut self,
        mut with: With<'_, C, Tm, O>,
        finish: impl FnOnce(Result<T, Ending<T, E>>, &Run<'_>, Option<Instant>) -> R,
        cx: &mut Context<'_>,
    ) -> Poll<R>
    where
        C: Classifier<T, E>,
        Tm: Timer,
        O: Operation<T, E>,
    {
        loop {
            let stepped = match mem::replace(&mut self.step, Step::Ended) {
                Step::New(wants) => self.begin(wants, with.timer),
                Step::Start(attempt) => Ok(self.start(attempt, &mut with)),
                Step::Attempting => match self.poll_attempt(&mut with, cx) {
                    Poll::Pending => Ok(Next::Pend(Step::Attempting)),
                    Poll::Ready(Ok(value)) => return Poll::Ready(self.succeed(value, with.timer, finish)),
                    Poll::Ready(Err(judged)) => self.fail(judged, &mut with),
                },
                Step::BeforeWait(mut hook) => match Pin::new(&mut hook).poll(cx) {
                    Poll::Pending => Ok(Next::Pend(Step::BeforeWait(hook))),
                    Poll::Ready(_) => self.begin_wait(with.timer),
                },
                Step::HookWaits(mut hook) => match Pin::new(&mut hook).poll(cx) {
                    Poll::Pending => Ok(Next::Pend(Step::HookWaits(hook))),
                    Poll::Ready(has_waited) => self.wait_unless(has_waited, &mut with),
                },
                Step::Waiting => match poll_sleep(with.sleep.as_mut(), cx) {
                    Poll::Pending => Ok(Next::Pend(Step::Waiting)),
                    Poll::Ready(()) => self.resume(with.timer),
                },
                Step::Ended => panic!("a call was polled after its end"),
            };
            match stepped {
                Ok(Next::Go(step)) => self.step = step,
                Ok(Next::Pend(step)) => {
                    self.step = step;
                    return Poll::Pending;
                }
                Err(stopped) => return Poll::Ready(self.run.ask(|run| finish(Err(stopped), run, None))),
            }
        }
    }

    fn begin(&mut self, wants: Flags, timer: &impl Timer) -> Stepped<T, E> {
        let Parked { plan, settings, state } = &mut self.run;
        let mut run = Run::open(plan, settings.get(), wants, || timer.now());
        let first = first_attempt(&mut run, || timer.now());
        *state = run.park();
        first.map(start)
    }

    fn start<C, Tm: Timer, O: Operation<T, E>>(&mut self, attempt: Attempt, with: &mut With<'_, C, Tm, O>) -> Next {
        self.run.within(|| with.operation.start(attempt));
        with.sleep.set(attempt_limit(&self.run.plan, attempt).map(|limit| with.timer.sleep(limit)));
        Next::Go(Step::Attempting)
    }

    /// The attempt, raced against its timeout. A result that is there at the same time counts.
    fn poll_attempt<C, Tm, O>(
        &mut self,
        with: &mut With<'_, C, Tm, O>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, Judged<T, E>>>
    where
        C: Classifier<T, E>,
        Tm: Timer,
        O: Operation<T, E>,
    {
        let attempted = match self.run.within(|| with.operation.poll(cx)) {
            Poll::Ready(result) => Some(result),
            Poll::Pending if with.sleep.is_none() => return Poll::Pending,
            Poll::Pending => match poll_sleep(with.sleep.as_mut(), cx) {
                Poll::Ready(()) => None,
                Poll::Pending => return Poll::Pending,
            },
        };
        with.operation.stop();
        with.sleep.set(None);
        Poll::Ready(match attempted {
            Some(result) => judge(with.classifier, result),
            None => Err(timed_out(with.classifier)),
        })
    }

    fn succeed<R>(
        &mut self,
        value: T,
        timer: &impl Timer,
        finish: impl FnOnce(Result<T, Ending<T, E>>, &Run<'_>, Option<Instant>) -> R,
    ) -> R {
        self.run.ask(|run| {
            let now = run.needs_end_time().then(|| timer.now());
            run.succeed(now);
            finish(Ok(value), run, now)
        })
    }

    /// From a failure to what comes next: an attempt, something to wait for, or the end.
    fn fail<C, Tm: Timer, O: Operation<T, E>>(
        &mut self,
        mut judged: Judged<T, E>,
        with: &mut With<'_, C, Tm, O>,
    ) -> Stepped<T, E> {
        if let Some(why) = with.operation.retry_forbidden() {
            judged.classification = judged.classification.forbid_retry(why);
        }
        let (now, last) = (with.timer.now(), &mut self.last);
        let (pause, takes_time) = self.run.ask(|run| {
            let pause = after_failure(run, judged, last, now);
            (pause, run.may_have_taken_time())
        });
        let Pause { delay, hook } = pause?;
        if let Some(failure) = last {
            with.operation.before_wait(failure);
        }
        if delay.is_zero() && hook.is_none() && !takes_time {
            return self.run.ask(|run| resume_at(now, run, last)).map(start);
        }
        Ok(Next::Go(Step::BeforeWait(Hooked::new(hook))))
    }

    /// The hook before the wait is done: the wait itself, if there is still time for it.
    fn begin_wait(&mut self, timer: &impl Timer) -> Stepped<T, E> {
        let last = &mut self.last;
        self.run.ask(|run| {
            if run.needs_recheck() {
                recheck(timer.now(), run, last)?;
            }
            Ok(Next::Go(Step::HookWaits(Hooked::new(custom_wait(run)))))
        })
    }

    /// The timer's wait, unless a hook has waited instead or there is nothing to wait for.
    fn wait_unless<C, Tm: Timer, O>(&mut self, has_waited: bool, with: &mut With<'_, C, Tm, O>) -> Stepped<T, E> {
        let wait = self.run.ask(|run| run.wait());
        if has_waited || wait.is_zero() {
            return self.resume(with.timer);
        }
        with.sleep.set(Some(with.timer.sleep(wait)));
        Ok(Next::Go(Step::Waiting))
    }

    fn resume(&mut self, timer: &impl Timer) -> Stepped<T, E> {
        let (now, last) = (timer.now(), &mut self.last);
        self.run.ask(|run| resume_at(now, run, last)).map(start)
    }
}

const fn start(attempt: Attempt) -> Next {
    Next::Go(Step::Start(attempt))
}

fn poll_sleep<S: Future<Output = ()>>(sleep: Pin<&mut Option<S>>, cx: &mut Context<'_>) -> Poll<()> {
    match sleep.as_pin_mut() {
        Some(sleep) => sleep.poll(cx),
        None => Poll::Ready(()),
    }
}
