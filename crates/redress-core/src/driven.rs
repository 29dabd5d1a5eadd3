//! The asynchronous loop for those who cannot write `async`: a call that is polled, and told where to keep what it waits for.
//!
//! Owns the order of attempt, hooks and wait between polls. Decides nothing, and knows no runtime but through [`Timer`]. Whatever
//! has to be pinned stays with whoever polls, so that a future with a name can be made of it without a box.

use std::borrow::Cow;
use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::attempt::Attempt;
use crate::call::{CallContext, CallSettings};
use crate::classifier::Classifier;
use crate::driver::{
    Judged, Pause, after_failure, attempt_limit, first_attempt, judge, recheck, resume_at, timed_out, to_outcome,
};
use crate::engine::{Flags, Run, RunState};
use crate::hooked::{Hooked, custom_wait};
use crate::outcome::{Failure, RetryOutcome, Stopped};
use crate::plan::Plan;
use crate::policy::AsyncPolicy;
use crate::timer::Timer;

/// Something a [`DrivenCall`] runs, once or several times.
///
/// An attempt is started, polled until it is ready or given up, and stopped, in that order and once each; then the next one may be
/// started.
pub trait Operation<T, E> {
    /// Begins an attempt. Polling follows.
    fn start(&mut self, attempt: Attempt);

    /// Drives the attempt that was started.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, E>>;

    /// Ends the attempt, which is ready or was given up at its timeout: what it holds is to be dropped.
    fn stop(&mut self);

    /// Why the operation must not run again, if it must not; asked when an attempt has failed, and handed on as
    /// [`forbid_retry`](crate::Classification::forbid_retry). Default: `None`.
    fn retry_forbidden(&self) -> Option<&'static str> {
        None
    }

    /// The attempt failed and will be tried again: the place to let go of what `failure` holds, such as a connection, before the
    /// wait. What is left of it is the call's last failure. Default: nothing.
    fn before_wait(&mut self, failure: &mut Failure<T, E>) {
        let _ = failure;
    }
}

/// What is to happen when the call is polled next.
enum Step {
    /// Nothing has been asked of anybody yet.
    New,
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
    Start(Attempt),
    Go(Step),
    /// Whatever the step waits for wakes the task.
    Pend(Step),
}

type Stepped<T, E> = Result<Next, Stopped<T, E>>;

/// One call of an [`AsyncPolicy`] that is polled by hand, for integrations whose futures need a name: the same engine and the same
/// decisions as [`AsyncPolicy::execute`]. Made by [`AsyncPolicy::driven`].
///
/// It is given the operation and a place for the timer's future at every poll, so that both can lie in the structure that holds
/// it. Whoever polls it drops the operation first: a breaker's permit is given back when the call is dropped. [`run`](Self::run) does
/// all of that, where an `async` function will do.
///
/// ```
/// use std::future::{Future, Ready, ready};
/// use std::io;
/// use std::pin::{Pin, pin};
/// use std::task::{Context, Poll, Waker};
/// use std::time::Duration;
/// use redress_core::{AsyncPolicy, Attempt, InstantTimer, Operation, Retry, fixed};
///
/// /// Succeeds at the second attempt.
/// #[derive(Default)]
/// struct Second(Option<Ready<io::Result<u32>>>);
///
/// impl Operation<u32, io::Error> for Second {
///     fn start(&mut self, attempt: Attempt) {
///         let reset = io::Error::from(io::ErrorKind::ConnectionReset);
///         self.0 = Some(ready(if attempt.number() == 2 { Ok(7) } else { Err(reset) }));
///     }
///
///     fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<u32>> {
///         self.0.as_mut().map_or(Poll::Pending, |running| Pin::new(running).poll(cx))
///     }
///
///     fn stop(&mut self) {
///         self.0 = None;
///     }
/// }
///
/// let policy = AsyncPolicy::<_, InstantTimer>::builder().retry(Retry::builder().strategy(fixed(Duration::ZERO))).build()?;
/// let (mut call, mut second, mut sleep) = (policy.driven().operation("count"), Second::default(), pin!(None));
/// let Poll::Ready(outcome) = call.poll(&mut second, sleep.as_mut(), &mut Context::from_waker(Waker::noop())) else {
///     panic!("nothing to wait for");
/// };
/// assert_eq!((outcome.attempts(), outcome.value()), (2, Some(&7)));
/// # Ok::<(), redress_core::ConfigError>(())
/// ```
#[must_use = "a call does nothing unless it is polled"]
pub struct DrivenCall<'h, T, E, C, Tm> {
    // ORDER: a hook's future is dropped before the permit is given back.
    step: Step,
    last: Option<Failure<T, E>>,
    run: Parked<'h>,
    classifier: C,
    timer: Tm,
}

/// A run between polls: without the borrows that it has while it is asked something.
struct Parked<'h> {
    plan: Arc<Plan>,
    /// Boxed, since most calls have none.
    settings: Option<Box<CallSettings<'h>>>,
    state: RunState,
}

impl Parked<'_> {
    fn ask<R>(&mut self, question: impl FnOnce(&mut Run<'_>) -> R) -> R {
        let mut run = Run::unpark(&self.plan, self.settings.as_deref(), mem::take(&mut self.state));
        let answer = question(&mut run);
        self.state = run.park();
        answer
    }
}

impl Drop for Parked<'_> {
    fn drop(&mut self) {
        drop(Run::unpark(&self.plan, self.settings.as_deref(), mem::take(&mut self.state)));
    }
}

impl<C: Clone, Tm: Clone> AsyncPolicy<C, Tm> {
    /// A call that is polled by hand. Nothing happens before its first poll.
    pub fn driven<'h, T, E>(&self) -> DrivenCall<'h, T, E, C, Tm> {
        DrivenCall::new(self, None)
    }
}

impl<'h, C: Clone, Tm: Clone> CallContext<'h, AsyncPolicy<C, Tm>> {
    /// One call with these settings that is polled by hand; see [`AsyncPolicy::driven`].
    pub fn driven<T, E>(self) -> DrivenCall<'h, T, E, C, Tm> {
        DrivenCall::new(self.policy, Some(Box::new(self.settings)))
    }
}

impl<'h, T, E, C: Clone, Tm: Clone> DrivenCall<'h, T, E, C, Tm> {
    fn new(policy: &AsyncPolicy<C, Tm>, settings: Option<Box<CallSettings<'h>>>) -> Self {
        let AsyncPolicy { plan, classifier, timer } = policy;
        let run = Parked { plan: Arc::clone(plan), settings, state: RunState::default() };
        Self { step: Step::New, last: None, run, classifier: classifier.clone(), timer: timer.clone() }
    }
}

impl<'h, T, E, C, Tm: Timer> DrivenCall<'h, T, E, C, Tm> {
    /// Names the operation; see [`CallContext::operation`]. Without effect once polled.
    pub fn operation(mut self, name: impl Into<Cow<'h, str>>) -> Self {
        self.run.settings.get_or_insert_default().change(|settings| settings.hooks.operation = Some(name.into()));
        self
    }

    /// Drives the call on. `sleep` keeps an attempt's timeout, or the wait after it: a place that is `None` at first, and that
    /// nobody else touches.
    ///
    /// # Panics
    ///
    /// If it is polled after its end or after a panic, or if the operation, the classifier, a strategy, or a breaker of your own
    /// panics; the breaker's permit is given back.
    ///
    /// # Cancel safety
    ///
    /// As [`AsyncPolicy`]: dropping the call stops it where it is.
    pub fn poll<O>(
        &mut self,
        operation: &mut O,
        mut sleep: Pin<&mut Option<Tm::Sleep>>,
        cx: &mut Context<'_>,
    ) -> Poll<RetryOutcome<T, E>>
    where
        C: Classifier<T, E>,
        O: Operation<T, E>,
    {
        loop {
            let stepped = match mem::replace(&mut self.step, Step::Ended) {
                Step::New => self.begin(),
                Step::Attempting => match self.poll_attempt(operation, sleep.as_mut(), cx) {
                    Poll::Pending => Ok(Next::Pend(Step::Attempting)),
                    Poll::Ready(Ok(value)) => return Poll::Ready(self.succeed(value)),
                    Poll::Ready(Err(judged)) => self.fail(judged, operation),
                },
                Step::BeforeWait(mut hook) => match Pin::new(&mut hook).poll(cx) {
                    Poll::Pending => Ok(Next::Pend(Step::BeforeWait(hook))),
                    Poll::Ready(_) => self.begin_wait(),
                },
                Step::HookWaits(mut hook) => match Pin::new(&mut hook).poll(cx) {
                    Poll::Pending => Ok(Next::Pend(Step::HookWaits(hook))),
                    Poll::Ready(has_waited) => self.wait_unless(has_waited, sleep.as_mut()),
                },
                Step::Waiting => match poll_sleep(sleep.as_mut(), cx) {
                    Poll::Pending => Ok(Next::Pend(Step::Waiting)),
                    Poll::Ready(()) => self.resume(),
                },
                Step::Ended => panic!("a call was polled after its end"),
            };
            match stepped {
                Ok(Next::Start(attempt)) => self.start(attempt, operation, sleep.as_mut()),
                Ok(Next::Go(step)) => self.step = step,
                Ok(Next::Pend(step)) => {
                    self.step = step;
                    return Poll::Pending;
                }
                Err(stopped) => return Poll::Ready(self.run.ask(|run| to_outcome(Err(stopped), run, None))),
            }
        }
    }

    /// Drives the call to its end, from inside an `async` function. The future may be dropped like any call's.
    pub async fn run<O>(self, operation: O) -> RetryOutcome<T, E>
    where
        C: Classifier<T, E>,
        O: Operation<T, E>,
    {
        // ORDER: the operation is dropped before the call, which gives the permit back.
        let mut call = self;
        let mut operation = operation;
        let mut sleep = pin!(None);
        poll_fn(|cx| call.poll(&mut operation, sleep.as_mut(), cx)).await
    }

    fn begin(&mut self) -> Stepped<T, E> {
        let Parked { plan, settings, state } = &mut self.run;
        *state = Run::open(plan, settings.as_deref(), Flags::OUTCOME, || self.timer.now()).park();
        self.run.ask(|run| first_attempt(run, || self.timer.now())).map(Next::Start)
    }

    fn start<O: Operation<T, E>>(
        &mut self,
        attempt: Attempt,
        operation: &mut O,
        mut sleep: Pin<&mut Option<Tm::Sleep>>,
    ) {
        self.run.ask(|run| run.within(|| operation.start(attempt)));
        sleep.set(attempt_limit(&self.run.plan, attempt).map(|limit| self.timer.sleep(limit)));
        self.step = Step::Attempting;
    }

    /// The attempt, raced against its timeout. A result that is there at the same time counts.
    fn poll_attempt<O>(
        &mut self,
        operation: &mut O,
        mut sleep: Pin<&mut Option<Tm::Sleep>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, Judged<T, E>>>
    where
        C: Classifier<T, E>,
        O: Operation<T, E>,
    {
        let attempted = match self.run.ask(|run| run.within(|| operation.poll(cx))) {
            Poll::Ready(result) => Some(result),
            Poll::Pending if sleep.is_none() => return Poll::Pending,
            Poll::Pending => match poll_sleep(sleep.as_mut(), cx) {
                Poll::Ready(()) => None,
                Poll::Pending => return Poll::Pending,
            },
        };
        operation.stop();
        sleep.set(None);
        Poll::Ready(match attempted {
            Some(result) => judge(&self.classifier, result),
            None => Err(timed_out(&self.classifier)),
        })
    }

    fn succeed(&mut self, value: T) -> RetryOutcome<T, E> {
        let now = self.timer.now();
        self.run.ask(|run| {
            run.succeed(Some(now));
            to_outcome(Ok(value), run, Some(now))
        })
    }

    /// From a failure to what comes next: an attempt, something to wait for, or the end.
    fn fail<O: Operation<T, E>>(&mut self, mut judged: Judged<T, E>, operation: &mut O) -> Stepped<T, E> {
        if let Some(why) = operation.retry_forbidden() {
            judged.classification = judged.classification.forbid_retry(why);
        }
        let (now, last) = (self.timer.now(), &mut self.last);
        let (pause, takes_time) = self.run.ask(|run| {
            let pause = after_failure(run, judged, last, now);
            (pause, run.may_have_taken_time())
        });
        let Pause { delay, hook } = pause?;
        if let Some(failure) = last {
            operation.before_wait(failure);
        }
        if delay.is_zero() && hook.is_none() && !takes_time {
            return self.run.ask(|run| resume_at(now, run, last)).map(Next::Start);
        }
        Ok(Next::Go(Step::BeforeWait(Hooked::new(hook))))
    }

    /// The hook before the wait is done: the wait itself, if there is still time for it.
    fn begin_wait(&mut self) -> Stepped<T, E> {
        let (timer, last) = (&self.timer, &mut self.last);
        self.run.ask(|run| {
            if run.needs_recheck() {
                recheck(timer.now(), run, last)?;
            }
            Ok(Next::Go(Step::HookWaits(Hooked::new(custom_wait(run)))))
        })
    }

    /// The timer's wait, unless a hook has waited instead or there is nothing to wait for.
    fn wait_unless(&mut self, has_waited: bool, mut sleep: Pin<&mut Option<Tm::Sleep>>) -> Stepped<T, E> {
        let wait = self.run.ask(|run| run.wait());
        if has_waited || wait.is_zero() {
            return self.resume();
        }
        sleep.set(Some(self.timer.sleep(wait)));
        Ok(Next::Go(Step::Waiting))
    }

    fn resume(&mut self) -> Stepped<T, E> {
        let (now, last) = (self.timer.now(), &mut self.last);
        self.run.ask(|run| resume_at(now, run, last)).map(Next::Start)
    }
}

fn poll_sleep<S: Future<Output = ()>>(sleep: Pin<&mut Option<S>>, cx: &mut Context<'_>) -> Poll<()> {
    match sleep.as_pin_mut() {
        Some(sleep) => sleep.poll(cx),
        None => Poll::Ready(()),
    }
}

impl<T, E, C, Tm> fmt::Debug for DrivenCall<'_, T, E, C, Tm> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DrivenCall").finish_non_exhaustive()
    }
}
