//! The blocking driver: a loop over the engine that runs closures and sleeps the thread.
//!
//! Owns the loop, the thread's sleep and the detached attempt. Decides nothing.

use std::panic;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::classify::classifier::Classifier;
use crate::drive::attempt::Attempt;
use crate::drive::steps::{Judged, after_failure, begin, judge, recheck, resume_at, timed_out, to_outcome, to_result};
use crate::engine::{Flags, Opening, Run};
use crate::outcome::call_error::CallError;
use crate::outcome::ending::Ending;
use crate::outcome::failure::Failure;
use crate::outcome::retry_outcome::RetryOutcome;
use crate::policy::context::{CallContext, CallSettings};
use crate::policy::hooks::{Sleeper, contained};
use crate::policy::policies::Policy;

impl<C> Policy<C> {
    /// Runs `operation`, again if need be, until it succeeds or the policy says stop.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress_core::{Policy, Retry, fixed};
    ///
    /// let policy = Policy::builder().retry(Retry::builder().strategy(fixed(Duration::from_millis(50)))).build()?;
    /// let answer: u32 = policy.call(|| "42".parse())?;
    /// assert_eq!(answer, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The operation's last error and why there was no further attempt; see [`CallError`].
    ///
    /// # Panics
    ///
    /// If the operation, the classifier, a strategy, or a clock or breaker of your own panics; the breaker's permit is given
    /// back. Hooks that panic do not.
    #[inline]
    pub fn call<T, E, F>(&self, mut operation: F) -> Result<T, CallError<E>>
    where
        C: Classifier<T, E>,
        F: FnMut() -> Result<T, E>,
    {
        call(self, None, |_| judge(&self.classifier, operation()))
    }

    /// [`call`](Self::call) for an operation that wants to know which attempt it is and how much time it has.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    #[inline]
    pub fn call_with<T, E, F>(&self, mut operation: F) -> Result<T, CallError<E>>
    where
        C: Classifier<T, E>,
        F: FnMut(Attempt) -> Result<T, E>,
    {
        call(self, None, |attempt| judge(&self.classifier, operation(attempt)))
    }

    /// [`call_with`](Self::call_with) that stops waiting for an attempt when its time is over: the attempt timeout, or what is left
    /// of the deadline.
    ///
    /// Each attempt runs on a thread of its own. **What keeps running**: a thread cannot be stopped from outside, so an operation
    /// that overruns goes on to its end, holding whatever it holds, while the call counts a failure of class
    /// [`Transient`](crate::ErrorClass::Transient) with [`Cause::Timeout`](crate::Cause::Timeout) and may start the next attempt
    /// beside it. Its late result is dropped. Let the operation bound itself with [`Attempt::time_left`] so that it ends soon
    /// after. On a timeout the real clock is meant, whatever clock the policy has.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    ///
    /// # Panics
    ///
    /// If the operation panics, with its panic, or if the system cannot start a thread.
    pub fn call_detached<T, E, F>(&self, operation: F) -> Result<T, CallError<E>>
    where
        C: Classifier<T, E>,
        F: Fn(Attempt) -> Result<T, E> + Send + Sync + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        call(self, None, detached(&self.classifier, operation))
    }

    /// Runs `operation` as [`call`](Self::call) does and tells everything about it.
    ///
    /// # Panics
    ///
    /// As [`call`](Self::call).
    pub fn execute<T, E, F>(&self, mut operation: F) -> RetryOutcome<T, E>
    where
        C: Classifier<T, E>,
        F: FnMut() -> Result<T, E>,
    {
        execute(self, None, |_| judge(&self.classifier, operation()))
    }

    /// [`execute`](Self::execute) for an operation that wants to know which attempt it is and how much time it has.
    ///
    /// # Panics
    ///
    /// As [`call`](Self::call).
    pub fn execute_with<T, E, F>(&self, mut operation: F) -> RetryOutcome<T, E>
    where
        C: Classifier<T, E>,
        F: FnMut(Attempt) -> Result<T, E>,
    {
        execute(self, None, |attempt| judge(&self.classifier, operation(attempt)))
    }

    /// [`execute_with`](Self::execute_with) that stops waiting for an attempt when its time is over; see
    /// [`call_detached`](Self::call_detached) for what keeps running.
    ///
    /// # Panics
    ///
    /// As [`call_detached`](Self::call_detached).
    pub fn execute_detached<T, E, F>(&self, operation: F) -> RetryOutcome<T, E>
    where
        C: Classifier<T, E>,
        F: Fn(Attempt) -> Result<T, E> + Send + Sync + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        execute(self, None, detached(&self.classifier, operation))
    }

    #[inline]
    fn now(&self) -> Instant {
        self.plan.clock.now()
    }
}

impl<'a, C> CallContext<'a, Policy<C>> {
    /// Sets what waits instead of `std::thread::sleep`. It is asked to wait zero, too. One that panics is replaced by the
    /// thread's sleep. Replaces the policy's.
    pub fn sleeper(self, sleeper: impl Fn(Duration) + Send + Sync + 'a) -> Self {
        self.set_sleeper(Sleeper::Blocking(Box::new(sleeper)))
    }

    /// [`Policy::call`] with these settings; it panics like that.
    ///
    /// # Errors
    ///
    /// As [`Policy::call`].
    pub fn call<T, E, F>(&self, mut operation: F) -> Result<T, CallError<E>>
    where
        C: Classifier<T, E>,
        F: FnMut() -> Result<T, E>,
    {
        self.call_with(|_| operation())
    }

    /// [`Policy::call_with`] with these settings; it panics like that.
    ///
    /// # Errors
    ///
    /// As [`Policy::call`].
    pub fn call_with<T, E, F>(&self, mut operation: F) -> Result<T, CallError<E>>
    where
        C: Classifier<T, E>,
        F: FnMut(Attempt) -> Result<T, E>,
    {
        let policy = self.policy;
        call(policy, Some(&self.settings), |attempt| judge(&policy.classifier, operation(attempt)))
    }

    /// [`Policy::call_detached`] with these settings.
    ///
    /// # Errors
    ///
    /// As [`Policy::call`].
    ///
    /// # Panics
    ///
    /// As [`Policy::call_detached`].
    pub fn call_detached<T, E, F>(&self, operation: F) -> Result<T, CallError<E>>
    where
        C: Classifier<T, E>,
        F: Fn(Attempt) -> Result<T, E> + Send + Sync + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        call(self.policy, Some(&self.settings), detached(&self.policy.classifier, operation))
    }

    /// [`Policy::execute`] with these settings; it panics like that.
    pub fn execute<T, E, F>(&self, mut operation: F) -> RetryOutcome<T, E>
    where
        C: Classifier<T, E>,
        F: FnMut() -> Result<T, E>,
    {
        self.execute_with(|_| operation())
    }

    /// [`Policy::execute_with`] with these settings; it panics like that.
    pub fn execute_with<T, E, F>(&self, mut operation: F) -> RetryOutcome<T, E>
    where
        C: Classifier<T, E>,
        F: FnMut(Attempt) -> Result<T, E>,
    {
        let policy = self.policy;
        execute(policy, Some(&self.settings), |attempt| judge(&policy.classifier, operation(attempt)))
    }

    /// [`Policy::execute_detached`] with these settings.
    ///
    /// # Panics
    ///
    /// As [`Policy::call_detached`].
    pub fn execute_detached<T, E, F>(&self, operation: F) -> RetryOutcome<T, E>
    where
        C: Classifier<T, E>,
        F: Fn(Attempt) -> Result<T, E> + Send + Sync + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        execute(self.policy, Some(&self.settings), detached(&self.policy.classifier, operation))
    }
}

#[inline]
fn call<'a, T, E, C>(
    policy: &'a Policy<C>,
    settings: Option<&'a CallSettings<'a>>,
    mut run_attempt: impl FnMut(Attempt) -> Result<T, Judged<T, E>>,
) -> Result<T, CallError<E>> {
    let mut opening = Opening::new(&policy.plan, settings, Flags::NONE, || policy.now());
    if !opening.is_quiet() {
        return match opening.rejects_quietly(|| policy.now()) {
            Some(rejection) => Err(CallError::CircuitOpen(rejection)),
            None => drive(policy, opening, None, run_attempt, to_result),
        };
    }
    match run_attempt(opening.first_attempt()) {
        Ok(value) => Ok(value),
        Err(judged) => drive(policy, opening, Some(judged), run_attempt, to_result),
    }
}

fn execute<'a, T, E, C>(
    policy: &'a Policy<C>,
    settings: Option<&'a CallSettings<'a>>,
    run_attempt: impl FnMut(Attempt) -> Result<T, Judged<T, E>>,
) -> RetryOutcome<T, E> {
    let opening = Opening::new(&policy.plan, settings, Flags::OUTCOME, || policy.now());
    drive(policy, opening, None, run_attempt, to_outcome)
}

/// The loop, from the beginning or from a first attempt that failed quietly.
fn drive<T, E, C, R>(
    policy: &Policy<C>,
    opening: Opening<'_>,
    failed: Option<Judged<T, E>>,
    mut run_attempt: impl FnMut(Attempt) -> Result<T, Judged<T, E>>,
    finish: impl FnOnce(Result<T, Ending<T, E>>, &Run<'_>, Option<Instant>) -> R,
) -> R {
    let mut run = Run::new(opening, u32::from(failed.is_some()));
    let mut last = None;
    let first = match failed {
        Some(judged) => next_attempt(policy, &mut run, judged, &mut last),
        None => begin(&mut run, || policy.now()),
    };
    let mut attempt = match first {
        Ok(attempt) => attempt,
        Err(stopped) => return finish(Err(stopped), &run, None),
    };
    loop {
        let judged = match run.within(|| run_attempt(attempt)) {
            Ok(value) => {
                let now = run.needs_end_time().then(|| policy.now());
                run.succeed(now);
                return finish(Ok(value), &run, now);
            }
            Err(judged) => judged,
        };
        attempt = match next_attempt(policy, &mut run, judged, &mut last) {
            Ok(attempt) => attempt,
            Err(stopped) => return finish(Err(stopped), &run, None),
        };
    }
}

/// From a failure to the next attempt, or to the end of the call.
#[inline]
fn next_attempt<T, E, C>(
    policy: &Policy<C>,
    run: &mut Run<'_>,
    judged: Judged<T, E>,
    last: &mut Option<Failure<T, E>>,
) -> Result<Attempt, Ending<T, E>> {
    let failed_at = policy.now();
    let pause = after_failure(run, judged, last, failed_at)?;
    if run.needs_recheck() {
        recheck(policy.now(), run, last)?;
    }
    let time_passed = wait(run, pause.delay) || run.may_have_taken_time();
    resume_at(if time_passed { policy.now() } else { failed_at }, run, last)
}

/// Waits; says whether time was given a chance to pass.
#[inline]
fn wait(run: &Run<'_>, delay: Duration) -> bool {
    if let Some(Sleeper::Blocking(sleeper)) = run.sleeper() {
        if contained(|| sleeper(delay)).is_some() {
            return true;
        }
    }
    if delay.is_zero() {
        return false;
    }
    thread::sleep(delay);
    true
}

/// Runs each attempt on a thread of its own, for no longer than the attempt has.
fn detached<T, E, F>(classifier: &impl Classifier<T, E>, operation: F) -> impl FnMut(Attempt) -> Result<T, Judged<T, E>>
where
    F: Fn(Attempt) -> Result<T, E> + Send + Sync + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let operation = Arc::new(operation);
    move |attempt| {
        let (sender, receiver) = mpsc::sync_channel(1);
        let operation = Arc::clone(&operation);
        let thread = thread::spawn(move || {
            // Err means that nobody waits any more; the late result is dropped.
            let _ = sender.send(operation(attempt));
        });
        let received = match attempt.time_left() {
            Some(limit) => receiver.recv_timeout(limit),
            None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match received {
            Ok(result) => judge(classifier, result),
            Err(RecvTimeoutError::Timeout) => Err(timed_out(classifier)),
            Err(RecvTimeoutError::Disconnected) => match thread.join() {
                Err(payload) => panic::resume_unwind(payload),
                // The thread sends before it ends, so it cannot hang up without a result or a panic.
                Ok(()) => Err(timed_out(classifier)),
            },
        }
    }
}
