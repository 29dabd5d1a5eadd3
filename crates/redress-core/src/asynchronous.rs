//! The asynchronous driver: the blocking loop with awaits, and attempts raced against their timeout.
//!
//! Owns the loop and the one timer slot. Decides nothing, and knows no runtime but through [`Timer`].

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use crate::attempt::Attempt;
use crate::call::{CallContext, CallSettings};
use crate::classifier::Classifier;
use crate::driver::{judge, start, timed_out};
use crate::engine::{Flags, Run, Verdict};
use crate::error::CallError;
use crate::hooks::{Sleeper, contained};
use crate::outcome::{RetryOutcome, Stopped, into_result};
use crate::policy::AsyncPolicy;
use crate::strategy::BackoffContext;
use crate::timer::Timer;

impl<C, Tm: Timer> AsyncPolicy<C, Tm> {
    /// Runs `operation`, again if need be, until it succeeds or the policy says stop.
    ///
    /// # Errors
    ///
    /// The operation's last error and why there was no further attempt; see [`CallError`].
    ///
    /// # Panics
    ///
    /// If the operation or the classifier panics; the breaker's permit is given back.
    ///
    /// # Cancel safety
    ///
    /// See [`AsyncPolicy`].
    #[inline]
    pub fn call<T, E, F, Fut>(&self, mut operation: F) -> impl Future<Output = Result<T, CallError<T, E>>>
    where
        C: Classifier<T, E>,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        drive(self, None, Flags::NONE, move |_| operation(), to_result)
    }

    /// [`call`](Self::call) for an operation that wants to know which attempt it is and how much time it has.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    #[inline]
    pub fn call_with<T, E, F, Fut>(&self, operation: F) -> impl Future<Output = Result<T, CallError<T, E>>>
    where
        C: Classifier<T, E>,
        F: FnMut(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        drive(self, None, Flags::NONE, operation, to_result)
    }

    /// Runs `operation` as [`call`](Self::call) does and tells everything about it.
    ///
    /// # Cancel safety
    ///
    /// See [`AsyncPolicy`].
    #[inline]
    pub fn execute<T, E, F, Fut>(&self, mut operation: F) -> impl Future<Output = RetryOutcome<T, E>>
    where
        C: Classifier<T, E>,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        drive(self, None, Flags::OUTCOME, move |_| operation(), to_outcome)
    }

    /// [`execute`](Self::execute) for an operation that wants to know which attempt it is and how much time it has.
    #[inline]
    pub fn execute_with<T, E, F, Fut>(&self, operation: F) -> impl Future<Output = RetryOutcome<T, E>>
    where
        C: Classifier<T, E>,
        F: FnMut(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        drive(self, None, Flags::OUTCOME, operation, to_outcome)
    }
}

impl<'a, C, Tm: Timer> CallContext<'a, AsyncPolicy<C, Tm>> {
    /// Sets what waits instead of the timer between attempts. It is asked to wait zero, too. One that panics when called is
    /// replaced by the timer. Replaces the policy's.
    pub fn sleeper<Fut>(self, sleeper: impl Fn(Duration) -> Fut + Send + Sync + 'a) -> Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.set_sleeper(Sleeper::Async(Box::new(move |delay| Box::pin(sleeper(delay)))))
    }

    /// Sets a hook before each wait that is awaited. Replaces the policy's.
    pub fn before_sleep_async<Fut>(
        self,
        hook: impl Fn(&BackoffContext<'_>, Duration) -> Fut + Send + Sync + 'a,
    ) -> Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.set_before_sleep_async(move |context, delay| Box::pin(hook(context, delay)))
    }

    /// [`AsyncPolicy::call`] with these settings.
    ///
    /// # Errors
    ///
    /// As [`AsyncPolicy::call`].
    pub fn call<T, E, F, Fut>(&self, mut operation: F) -> impl Future<Output = Result<T, CallError<T, E>>>
    where
        C: Classifier<T, E>,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        drive(self.policy, Some(&self.settings), Flags::NONE, move |_| operation(), to_result)
    }

    /// [`AsyncPolicy::call_with`] with these settings.
    ///
    /// # Errors
    ///
    /// As [`AsyncPolicy::call`].
    pub fn call_with<T, E, F, Fut>(&self, operation: F) -> impl Future<Output = Result<T, CallError<T, E>>>
    where
        C: Classifier<T, E>,
        F: FnMut(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        drive(self.policy, Some(&self.settings), Flags::NONE, operation, to_result)
    }

    /// [`AsyncPolicy::execute`] with these settings.
    pub fn execute<T, E, F, Fut>(&self, mut operation: F) -> impl Future<Output = RetryOutcome<T, E>>
    where
        C: Classifier<T, E>,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        drive(self.policy, Some(&self.settings), Flags::OUTCOME, move |_| operation(), to_outcome)
    }

    /// [`AsyncPolicy::execute_with`] with these settings.
    pub fn execute_with<T, E, F, Fut>(&self, operation: F) -> impl Future<Output = RetryOutcome<T, E>>
    where
        C: Classifier<T, E>,
        F: FnMut(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        drive(self.policy, Some(&self.settings), Flags::OUTCOME, operation, to_outcome)
    }
}

fn to_result<T, E>(result: Result<T, Stopped<T, E>>, run: &mut Run<'_>) -> Result<T, CallError<T, E>> {
    into_result(result, || run.summary())
}

fn to_outcome<T, E>(result: Result<T, Stopped<T, E>>, run: &mut Run<'_>) -> RetryOutcome<T, E> {
    RetryOutcome::new(result, run.summary(), run.take_timeline())
}

/// The loop. One future for everything: nested ones would store what they hand on twice, the operation above all.
#[inline]
fn drive<'a, T, E, C, Tm, F, Fut, R>(
    policy: &'a AsyncPolicy<C, Tm>,
    settings: Option<&'a CallSettings<'a>>,
    wants: Flags,
    mut operation: F,
    finish: impl FnOnce(Result<T, Stopped<T, E>>, &mut Run<'a>) -> R,
) -> impl Future<Output = R>
where
    C: Classifier<T, E>,
    Tm: Timer,
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    async move {
        let mut run = Run::new(&policy.plan, settings, wants);
        let Some(mut attempt) = start(&mut run, || policy.timer.now()) else {
            return finish(Err(Stopped::NOTHING_FAILED), &mut run);
        };
        // Attempt timeout and backoff never overlap, so one slot serves both.
        let mut slot = pin!(None);
        let mut last = None;
        loop {
            let attempted = {
                let mut running = pin!(operation(attempt));
                let limit = policy.plan.attempt_timeout.and(attempt.time_left());
                slot.set(limit.map(|limit| policy.timer.sleep(limit)));
                poll_fn(|cx| match running.as_mut().poll(cx) {
                    Poll::Ready(result) => Poll::Ready(Some(result)),
                    Poll::Pending => poll_slot(slot.as_mut(), cx).map(|()| None),
                })
                .await
            };
            slot.set(None);
            let judged = match attempted {
                Some(result) => match judge(&policy.classifier, result) {
                    Ok(value) => {
                        let now = run.needs_end_time().then(|| policy.timer.now());
                        run.succeed(now);
                        return finish(Ok(value), &mut run);
                    }
                    Err(judged) => judged,
                },
                None => timed_out(&policy.classifier),
            };
            let mut now = policy.timer.now();
            let delay = match run.fail(&judged.failed(), now) {
                Verdict::Stop => return finish(Err(judged.into_stopped(last)), &mut run),
                Verdict::Retry(delay) => delay,
            };
            let hook = run.before_wait(&judged.failed(), delay, now);
            last = Some(judged.failure);
            if let Some(hook) = hook {
                hook.await;
                now = policy.timer.now();
            }
            let custom = match run.sleeper() {
                Some(Sleeper::Async(sleeper)) => contained(|| sleeper(delay)),
                _ => None,
            };
            if let Some(sleep) = custom {
                sleep.await;
                now = policy.timer.now();
            } else if !delay.is_zero() {
                slot.set(Some(policy.timer.sleep(delay)));
                poll_fn(|cx| poll_slot(slot.as_mut(), cx)).await;
                slot.set(None);
                now = policy.timer.now();
            }
            attempt = match run.resume(now) {
                Some(attempt) => attempt,
                None => return finish(Err(Stopped { last, abort: None }), &mut run),
            };
        }
    }
}

/// Polls the timer in the slot; an empty slot never completes.
fn poll_slot<S: Future<Output = ()>>(slot: Pin<&mut Option<S>>, cx: &mut std::task::Context<'_>) -> Poll<()> {
    match slot.as_pin_mut() {
        Some(sleep) => sleep.poll(cx),
        None => Poll::Pending,
    }
}
