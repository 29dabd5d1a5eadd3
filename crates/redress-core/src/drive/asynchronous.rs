//! The asynchronous driver: the blocking loop with awaits, and attempts raced against their timeout.
//!
//! Owns the loop and the one timer slot. Decides nothing, and knows no runtime but through [`Timer`].

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::classify::classifier::Classifier;
use crate::drive::attempt::Attempt;
use crate::drive::guarded::{Hooked, custom_wait};
use crate::drive::machine::{Course, With};
use crate::drive::poll_call::Operation;
use crate::drive::steps::{
    Judged, Pause, after_failure, attempt_limit, first_attempt, judge, recheck, resume_at, timed_out, to_outcome,
    to_result,
};
use crate::drive::timer::Timer;
use crate::engine::{Flags, Run};
use crate::outcome::call_error::CallError;
use crate::outcome::ending::Ending;
use crate::outcome::failure::Failure;
use crate::outcome::retry_outcome::RetryOutcome;
use crate::policy::context::{CallContext, CallSettings};
use crate::policy::hooks::Sleeper;
use crate::policy::policies::AsyncPolicy;
use crate::policy::sleep_decision::HookFuture;
use crate::strategy::BackoffContext;

impl<C, Tm> AsyncPolicy<C, Tm> {
    /// Runs `operation`, again if need be, until it succeeds or the policy says stop.
    ///
    /// Nothing happens before the returned future is polled. Each attempt is a future of its own, made by calling `operation`; it
    /// may borrow what the closure borrows, but not the closure's own state mutably (an `async || ..` that changes what it captured):
    /// such a future could not be told to be `Send`. Put the state behind a `Cell`, a lock, or in what the attempt returns.
    ///
    /// # Errors
    ///
    /// The operation's last error and why there was no further attempt; see [`CallError`].
    ///
    /// # Panics
    ///
    /// If the operation, the classifier, a strategy, or a clock or breaker of your own panics; the breaker's permit is given
    /// back. Hooks that panic do not.
    ///
    /// # Cancel safety
    ///
    /// See [`AsyncPolicy`].
    #[inline]
    pub fn call<T, E, F, Fut>(&self, mut operation: F) -> impl Future<Output = Result<T, CallError<E>>>
    where
        C: Classifier<T, E>,
        Tm: Timer,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        drive(self, NoSettings, Flags::NONE, move |_| operation(), to_result)
    }

    /// [`call`](Self::call) for an operation that wants to know which attempt it is and how much time it has.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    ///
    /// # Panics
    ///
    /// As [`call`](Self::call).
    ///
    /// # Cancel safety
    ///
    /// See [`AsyncPolicy`].
    #[inline]
    pub fn call_with<T, E, F, Fut>(&self, operation: F) -> impl Future<Output = Result<T, CallError<E>>>
    where
        C: Classifier<T, E>,
        Tm: Timer,
        F: FnMut(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        drive(self, NoSettings, Flags::NONE, operation, to_result)
    }

    /// Runs `operation` as [`call`](Self::call) does and tells everything about it.
    ///
    /// # Panics
    ///
    /// As [`call`](Self::call).
    ///
    /// # Cancel safety
    ///
    /// See [`AsyncPolicy`].
    #[inline]
    pub fn execute<T, E, F, Fut>(&self, mut operation: F) -> impl Future<Output = RetryOutcome<T, E>>
    where
        C: Classifier<T, E>,
        Tm: Timer,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        drive(self, NoSettings, Flags::OUTCOME, move |_| operation(), to_outcome)
    }

    /// [`execute`](Self::execute) for an operation that wants to know which attempt it is and how much time it has.
    ///
    /// # Panics
    ///
    /// As [`call`](Self::call).
    ///
    /// # Cancel safety
    ///
    /// See [`AsyncPolicy`].
    #[inline]
    pub fn execute_with<T, E, F, Fut>(&self, operation: F) -> impl Future<Output = RetryOutcome<T, E>>
    where
        C: Classifier<T, E>,
        Tm: Timer,
        F: FnMut(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        drive(self, NoSettings, Flags::OUTCOME, operation, to_outcome)
    }
}

impl<'a, C, Tm> CallContext<'a, AsyncPolicy<C, Tm>> {
    /// Sets what waits instead of the timer between attempts. It is asked to wait zero, too. One that panics, called or
    /// awaited, is replaced by the timer. Replaces the policy's.
    pub fn sleeper<Fut>(self, sleeper: impl Fn(Duration) -> Fut + Send + Sync + 'a) -> Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.set_sleeper(Sleeper::Async(Box::new(move |delay| Box::pin(sleeper(delay)))))
    }

    /// Sets a hook before each wait that is awaited. Replaces the policy's.
    pub fn before_sleep_async<Fut>(self, hook: impl Fn(&BackoffContext<'_>, Duration) -> Fut + Send + Sync + 'a) -> Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.set_before_sleep_async(move |context, delay| Box::pin(hook(context, delay)))
    }

    /// [`AsyncPolicy::call`] with these settings; it panics, and may be dropped, like that.
    ///
    /// # Errors
    ///
    /// As [`AsyncPolicy::call`].
    pub fn call<T, E, F, Fut>(&self, mut operation: F) -> impl Future<Output = Result<T, CallError<E>>>
    where
        C: Classifier<T, E>,
        Tm: Timer,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        drive(self.policy, &self.settings, Flags::NONE, move |_| operation(), to_result)
    }

    /// [`AsyncPolicy::call_with`] with these settings; it panics, and may be dropped, like that.
    ///
    /// # Errors
    ///
    /// As [`AsyncPolicy::call`].
    pub fn call_with<T, E, F, Fut>(&self, operation: F) -> impl Future<Output = Result<T, CallError<E>>>
    where
        C: Classifier<T, E>,
        Tm: Timer,
        F: FnMut(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        drive(self.policy, &self.settings, Flags::NONE, operation, to_result)
    }

    /// [`AsyncPolicy::execute`] with these settings; it panics, and may be dropped, like that.
    pub fn execute<T, E, F, Fut>(&self, mut operation: F) -> impl Future<Output = RetryOutcome<T, E>>
    where
        C: Classifier<T, E>,
        Tm: Timer,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        drive(self.policy, &self.settings, Flags::OUTCOME, move |_| operation(), to_outcome)
    }

    /// [`AsyncPolicy::execute_with`] with these settings; it panics, and may be dropped, like that.
    pub fn execute_with<T, E, F, Fut>(&self, operation: F) -> impl Future<Output = RetryOutcome<T, E>>
    where
        C: Classifier<T, E>,
        Tm: Timer,
        F: FnMut(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        drive(self.policy, &self.settings, Flags::OUTCOME, operation, to_outcome)
    }
}

/// The loop. One future for everything: nested ones would store what they hand on twice, the operation above all. What
/// is alive across an await makes every call's future larger, so everything else stays in synchronous steps, and what
/// has a destructor is moved away before the next await.
#[inline]
#[expect(clippy::manual_async_fn, reason = "an `async fn` would store its arguments twice, the operation among them")]
fn drive<'a, T, E, C, Tm, F, Fut, R>(
    policy: &'a AsyncPolicy<C, Tm>,
    settings: impl Settings<'a>,
    wants: Flags,
    mut operation: F,
    finish: impl FnOnce(Result<T, Ending<T, E>>, &Run<'_>, Option<Instant>) -> R + Copy,
) -> impl Future<Output = R>
where
    C: Classifier<T, E>,
    Tm: Timer,
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    async move {
        let mut run = Run::open(&policy.plan, settings.get(), wants, || policy.timer.now());
        let mut attempt = match first_attempt(&mut run, || policy.timer.now()) {
            Ok(attempt) => attempt,
            Err(stopped) => return finish(Err(stopped), &run, None),
        };
        // Boxed, so that calls that nobody has a scope for keep no room for it.
        if run.has_scopes() {
            let course = Course::of_run(Arc::clone(&policy.plan), &mut run, attempt);
            return Box::pin(within_scopes(policy, course, &mut operation, finish)).await;
        }
        let mut last = None;
        loop {
            let attempted = {
                let running = pin!(operation(attempt));
                let timeout = pin!(attempt_timeout(policy, attempt));
                race(running, timeout).await
            };
            let judged = match judge_attempt(&policy.classifier, attempted) {
                Ok(value) => {
                    let now = run.needs_end_time().then(|| policy.timer.now());
                    run.succeed(now);
                    return finish(Ok(value), &run, now);
                }
                Err(judged) => judged,
            };
            let Step { next, hook } = match step(&policy.timer, &mut run, judged, &mut last) {
                Ok(step) => step,
                Err(stopped) => return finish(Err(stopped), &run, None),
            };
            if let Some(next) = next {
                attempt = next;
                continue;
            }
            Hooked::new(hook).await;
            if run.needs_recheck() {
                if let Err(stopped) = recheck(policy.timer.now(), &mut run, &mut last) {
                    return finish(Err(stopped), &run, None);
                }
            }
            let has_waited = Hooked::new(custom_wait(&run)).await;
            if !has_waited && !run.wait().is_zero() {
                policy.timer.sleep(run.wait()).await;
            }
            attempt = match resume_at(policy.timer.now(), &mut run, &mut last) {
                Ok(next) => next,
                Err(stopped) => return finish(Err(stopped), &run, None),
            };
        }
    }
}

/// The loop for calls whose observers have scopes for the operation to run within.
async fn within_scopes<T, E, C, Tm, F, Fut, R>(
    policy: &AsyncPolicy<C, Tm>,
    course: Course<'_, T, E>,
    operation: &mut F,
    finish: impl FnOnce(Result<T, Ending<T, E>>, &Run<'_>, Option<Instant>) -> R + Copy,
) -> R
where
    C: Classifier<T, E>,
    Tm: Timer,
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    // ORDER: the attempt is dropped before the course, which gives the permit back.
    let mut course = course;
    let mut sleep = pin!(None);
    let mut running = pin!(None);
    poll_fn(|cx| {
        let operation = &mut Made { make: operation, running: running.as_mut() };
        let AsyncPolicy { classifier, timer, .. } = policy;
        course.poll(With { classifier, timer, operation, sleep: sleep.as_mut() }, finish, cx)
    })
    .await
}

/// An operation that makes a future for each attempt.
struct Made<'p, F, Fut> {
    make: &'p mut F,
    running: Pin<&'p mut Option<Fut>>,
}

impl<T, E, F, Fut> Operation<T, E> for Made<'_, F, Fut>
where
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    fn start(&mut self, attempt: Attempt) {
        self.running.set(Some((self.make)(attempt)));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        self.running.as_mut().as_pin_mut().map_or(Poll::Pending, |running| running.poll(cx))
    }

    fn stop(&mut self) {
        self.running.set(None);
    }
}

/// A call's settings, if it has any. Two types, so that calls without settings do not store a pointer to none.
trait Settings<'a> {
    fn get(self) -> Option<&'a CallSettings<'a>>;
}

struct NoSettings;

impl<'a> Settings<'a> for NoSettings {
    fn get(self) -> Option<&'a CallSettings<'a>> {
        None
    }
}

impl<'a> Settings<'a> for &'a CallSettings<'a> {
    fn get(self) -> Option<&'a CallSettings<'a>> {
        Some(self)
    }
}

/// What comes after a failed attempt that is to be tried again.
struct Step {
    /// The next attempt, if there is nothing to wait for.
    next: Option<Attempt>,
    /// What a hook wants awaited before the wait.
    hook: Option<HookFuture>,
}

fn step<T, E>(
    timer: &impl Timer,
    run: &mut Run<'_>,
    judged: Judged<T, E>,
    last: &mut Option<Failure<T, E>>,
) -> Result<Step, Ending<T, E>> {
    let now = timer.now();
    let Pause { delay, hook } = after_failure(run, judged, last, now)?;
    let waits = !delay.is_zero() || hook.is_some() || run.may_have_taken_time();
    let next = if waits { None } else { Some(resume_at(now, run, last)?) };
    Ok(Step { next, hook })
}

/// The attempt's own timer, if attempts are cut at all.
fn attempt_timeout<C, Tm: Timer>(policy: &AsyncPolicy<C, Tm>, attempt: Attempt) -> Option<Tm::Sleep> {
    Some(policy.timer.sleep(attempt_limit(&policy.plan, attempt)?))
}

/// The attempt's result, or `None` if its timer was first. A result that is there at the same time counts.
fn race<F: Future, S: Future<Output = ()>>(
    mut running: Pin<&mut F>,
    mut timeout: Pin<&mut Option<S>>,
) -> impl Future<Output = Option<F::Output>> {
    poll_fn(move |cx| match (running.as_mut().poll(cx), timeout.as_mut().as_pin_mut()) {
        (Poll::Ready(result), _) => Poll::Ready(Some(result)),
        (Poll::Pending, Some(timeout)) => timeout.poll(cx).map(|()| None),
        (Poll::Pending, None) => Poll::Pending,
    })
}

fn judge_attempt<T, E>(classifier: &impl Classifier<T, E>, attempted: Option<Result<T, E>>) -> Result<T, Judged<T, E>> {
    match attempted {
        Some(result) => judge(classifier, result),
        None => Err(timed_out(classifier)),
    }
}
