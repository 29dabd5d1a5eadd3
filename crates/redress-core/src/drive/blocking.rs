//! The blocking driver: a loop that runs closures and sleeps the thread.

use std::thread;
use std::time::Instant;

use super::attempt::Attempt;
use super::call::{Call, Hold};
use super::detached::detached;
use super::failed_attempt::{FailedAttempt, classify};
use super::finish::{Finish, ToOutcome, ToResult};
use super::rendezvous::sleep_unless_aborted;
use crate::classify::classifier::Classifier;
use crate::engine::{FastPath, PlainVerdict};
use crate::outcome::call_error::CallError;
use crate::outcome::ending::Ending;
use crate::outcome::retry_outcome::RetryOutcome;
use crate::policy::compiled::Plan;
use crate::policy::hooks::{Sleeper, contained};
use crate::policy::policies::Policy;
use crate::policy::retry_notice::{NoRetryHook, RetryHook, RetryNotice};
use crate::policy::settings::CallSettings;

impl<C> Policy<C> {
    /// Runs `operation`, again if need be, until it succeeds or the policy says stop.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress::{Policy, Retry, fixed};
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
    /// If the operation, the classifier, a strategy, or a clock or breaker of your own panics; the
    /// breaker's permit is given back. Hooks that panic do not.
    #[inline(always)]
    pub fn call<T, E, F>(&self, mut operation: F) -> Result<T, CallError<E>>
    where
        C: Classifier<T, E>,
        F: FnMut() -> Result<T, E>,
    {
        run(self, None, NoRetryHook::new(), |_| classify(&self.classifier, operation()), ToResult)
    }

    /// [`call`](Self::call) for an operation that wants to know which attempt it is and how much
    /// time it has.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    #[inline(always)]
    pub fn call_with<T, E, F>(&self, mut operation: F) -> Result<T, CallError<E>>
    where
        C: Classifier<T, E>,
        F: FnMut(Attempt) -> Result<T, E>,
    {
        run(self, None, NoRetryHook::new(), |attempt| classify(&self.classifier, operation(attempt)), ToResult)
    }

    /// [`call_with`](Self::call_with) that stops waiting for an attempt when its time is over: the
    /// attempt timeout, or what is left of the deadline.
    ///
    /// Each attempt runs on a thread of its own. **What keeps running**: a thread cannot be stopped
    /// from outside, so an operation that overruns goes on to its end, holding whatever it holds,
    /// while the call counts a failure of class [`Transient`](crate::ErrorClass::Transient) with
    /// [`Cause::Timeout`](crate::Cause::Timeout) and may start the next attempt beside it. Its late
    /// result is dropped. Let the operation bound itself with [`Attempt::time_left`] so that it
    /// ends soon after. On a timeout the real clock is meant, whatever clock the policy has.
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
        run(self, None, NoRetryHook::new(), detached(self, None, operation), ToResult)
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
        run(self, None, NoRetryHook::new(), |_| classify(&self.classifier, operation()), ToOutcome)
    }

    /// [`execute`](Self::execute) for an operation that wants to know which attempt it is and how
    /// much time it has.
    ///
    /// # Panics
    ///
    /// As [`call`](Self::call).
    pub fn execute_with<T, E, F>(&self, mut operation: F) -> RetryOutcome<T, E>
    where
        C: Classifier<T, E>,
        F: FnMut(Attempt) -> Result<T, E>,
    {
        run(self, None, NoRetryHook::new(), |attempt| classify(&self.classifier, operation(attempt)), ToOutcome)
    }

    /// [`execute_with`](Self::execute_with) that stops waiting for an attempt when its time is
    /// over; see [`call_detached`](Self::call_detached) for what keeps running.
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
        run(self, None, NoRetryHook::new(), detached(self, None, operation), ToOutcome)
    }

    #[inline]
    fn now(&self) -> Instant {
        self.plan.clock.now()
    }
}

/// One call. The first attempt is in line, since most calls end with it.
#[inline(always)]
pub(super) fn run<'a, T, E, C, N: Finish<T, E>>(
    policy: &'a Policy<C>,
    settings: Option<&'a CallSettings<'a>>,
    on_retry: impl RetryHook<E>,
    mut run_attempt: impl FnMut(Attempt) -> Result<T, FailedAttempt<T, E>>,
    finish: N,
) -> N::Output {
    let mut start = FastPath::new(&policy.plan, settings, N::WANTS, || policy.now());
    if !start.is_fast() {
        return match start.rejection(|| policy.now()) {
            Some(rejection) => finish.rejected(rejection),
            None => run_slowly(policy, start, on_retry, run_attempt, finish),
        };
    }
    match run_attempt(start.first_attempt()) {
        Ok(value) => finish.value(
            value,
            |output| output,
            |value| {
                let mut call = Call::from_start(Borrowed::of(policy, &start, on_retry), &start, 1);
                call.succeed(value, || policy.now(), finish)
            },
        ),
        Err(failed) => retry_plainly(policy, start, on_retry, failed, run_attempt, finish),
    }
}

/// A call whose first attempt failed on the fast path: no hook, observer or learning strategy takes
/// part in what follows.
#[inline(never)]
fn retry_plainly<'a, T, E, C, N: Finish<T, E>>(
    policy: &'a Policy<C>,
    start: FastPath<'a>,
    on_retry: impl RetryHook<E>,
    mut failed: FailedAttempt<T, E>,
    mut run_attempt: impl FnMut(Attempt) -> Result<T, FailedAttempt<T, E>>,
    finish: N,
) -> N::Output {
    let mut call = Call::from_start(Borrowed::of(policy, &start, on_retry), &start, 1);
    loop {
        let failed_at = policy.now();
        let remaining = match call.fail_plainly(&failed, failed_at) {
            PlainVerdict::Retry { remaining } => remaining,
            PlainVerdict::Stop => {
                let ending = call.stopped_by(failed, failed_at);
                return call.finish(Err(ending), None, finish);
            }
        };
        call.keep(failed);
        let attempt = if call.waits() {
            match sleep_and_resume(policy, &mut call) {
                Ok(attempt) => attempt,
                Err(ending) => return call.finish(Err(ending), None, finish),
            }
        } else {
            call.resume_at_once(remaining)
        };
        failed = match run_attempt(attempt) {
            Ok(value) => return call.succeed(value, || policy.now(), finish),
            Err(failed) => failed,
        };
    }
}

#[inline(never)]
fn sleep_and_resume<T, E, C, R: RetryHook<E>>(
    policy: &Policy<C>,
    call: &mut Call<Borrowed<'_, R>, T, E>,
) -> Result<Attempt, Ending<T, E>> {
    thread::sleep(call.wait());
    call.resume(policy.now())
}

/// A call that does not take the fast path.
#[inline(never)]
fn run_slowly<'a, T, E, C, N: Finish<T, E>>(
    policy: &'a Policy<C>,
    start: FastPath<'a>,
    on_retry: impl RetryHook<E>,
    mut run_attempt: impl FnMut(Attempt) -> Result<T, FailedAttempt<T, E>>,
    finish: N,
) -> N::Output {
    let mut call = Call::from_start(Borrowed::of(policy, &start, on_retry), &start, 0);
    let mut begun = call.begin(|| policy.now());
    loop {
        let attempt = match begun {
            Ok(attempt) => attempt,
            Err(ending) => return call.finish(Err(ending), None, finish),
        };
        begun = match call.within(|| run_attempt(attempt)) {
            Ok(value) => return call.succeed(value, || policy.now(), finish),
            Err(failed) => next_attempt(policy, &mut call, failed),
        };
    }
}

/// From a failure to the next attempt, or to the end of the call.
fn next_attempt<T, E, C, R: RetryHook<E>>(
    policy: &Policy<C>,
    call: &mut Call<Borrowed<'_, R>, T, E>,
    failed: FailedAttempt<T, E>,
) -> Result<Attempt, Ending<T, E>> {
    let failed_at = policy.now();
    call.fail(failed, failed_at)?;
    call.recheck(|| policy.now())?;
    let time_passed = wait(call) || call.may_have_taken_time();
    call.resume(if time_passed { policy.now() } else { failed_at })
}

/// What a blocking call borrows.
struct Borrowed<'a, R> {
    plan: &'a Plan,
    settings: Option<&'a CallSettings<'a>>,
    on_retry: R,
}

impl<'a, R> Borrowed<'a, R> {
    #[inline]
    fn of<C>(policy: &'a Policy<C>, start: &FastPath<'a>, on_retry: R) -> Self {
        Self { plan: &policy.plan, settings: start.settings, on_retry }
    }
}

impl<E, R: RetryHook<E>> Hold<E> for Borrowed<'_, R> {
    #[inline]
    fn plan(&self) -> &Plan {
        self.plan
    }

    #[inline]
    fn settings(&self) -> Option<&CallSettings<'_>> {
        self.settings
    }

    fn now(&self) -> Option<Instant> {
        Some(self.plan.clock.now())
    }

    #[inline]
    fn on_retry(&self, notice: &RetryNotice<'_, E>) {
        self.on_retry.on_retry(notice);
    }
}

/// Waits; returns whether time may have passed.
#[inline]
fn wait<T, E, R: RetryHook<E>>(call: &mut Call<Borrowed<'_, R>, T, E>) -> bool {
    let delay = call.wait();
    if let Some(Sleeper::Blocking(sleeper)) = call.sleeper() {
        if contained(|| sleeper(delay)).is_some() {
            return true;
        }
    }
    if delay.is_zero() {
        return false;
    }
    let run = call.run();
    if run.is_abortable() {
        sleep_unless_aborted(run.abort_handles(), delay);
    } else {
        thread::sleep(delay);
    }
    true
}
