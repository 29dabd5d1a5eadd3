//! The blocking driver: the calls of [`Policy`], and the loop that runs the operation and sleeps.

use std::thread;
use std::time::Instant;

use super::attempt::Attempt;
use super::call::{Call, Hold};
use super::detached::detached;
use super::failed_attempt::{FailedAttempt, classify};
use super::finish::{Finish, ToOutcome, ToResult};
use super::rendezvous::sleep_unless_aborted;
use crate::classify::classifier::Classifier;
use crate::engine::{FastPath, Flags, PlainVerdict};
use crate::outcome::call_error::CallError;
use crate::outcome::ending::Ending;
use crate::outcome::retry_outcome::RetryOutcome;
use crate::policy::compiled::Plan;
use crate::policy::hooks::{Sleeper, contained};
use crate::policy::policies::Policy;
use crate::policy::retry_notice::{NoRetryHook, RetryHook, RetryNotice};
use crate::policy::settings::CallSettings;

impl<C> Policy<C> {
    /// Runs `operation` until it succeeds or the policy stops retrying.
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
    /// A [`CallError`] with the operation's last error and the reason why there was no further
    /// attempt.
    ///
    /// # Panics
    ///
    /// If the operation, the classifier, a strategy, or a custom clock or breaker panics. The
    /// breaker's permit is released. Panics in hooks are caught.
    #[inline(always)]
    pub fn call<T, E, F>(&self, mut operation: F) -> Result<T, CallError<E>>
    where
        C: Classifier<T, E>,
        F: FnMut() -> Result<T, E>,
    {
        run(self, None, NoRetryHook::new(), |_| classify(&self.classifier, operation()), ToResult)
    }

    /// Like [`call`](Self::call), but passes the [`Attempt`], its number and time limit, to the
    /// operation.
    ///
    /// # Errors
    ///
    /// See [`call`](Self::call).
    #[inline(always)]
    pub fn call_with<T, E, F>(&self, mut operation: F) -> Result<T, CallError<E>>
    where
        C: Classifier<T, E>,
        F: FnMut(Attempt) -> Result<T, E>,
    {
        run(self, None, NoRetryHook::new(), |attempt| classify(&self.classifier, operation(attempt)), ToResult)
    }

    /// Like [`call_with`](Self::call_with), but stops waiting for an attempt when its time is up:
    /// at the attempt timeout or the deadline.
    ///
    /// Each attempt runs on a new thread. When its time is up, the call counts a failure of class
    /// [`Transient`](crate::ErrorClass::Transient) with [`Cause::Timeout`](crate::Cause::Timeout)
    /// and may start the next attempt. Timeouts are measured on the system clock, even if the
    /// policy has a custom one.
    ///
    /// **The abandoned attempt keeps running**, because a thread cannot be stopped from outside. It
    /// holds its resources until the operation returns, possibly next to later attempts, and its
    /// result is dropped. Limit the operation with [`Attempt::time_left`], so that it ends soon
    /// after.
    ///
    /// # Errors
    ///
    /// See [`call`](Self::call).
    ///
    /// # Panics
    ///
    /// If the operation panics, with the operation's panic, or if the system cannot start a thread.
    /// Otherwise see [`call`](Self::call).
    pub fn call_detached<T, E, F>(&self, operation: F) -> Result<T, CallError<E>>
    where
        C: Classifier<T, E>,
        F: Fn(Attempt) -> Result<T, E> + Send + Sync + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        run(self, None, NoRetryHook::new(), detached(self, None, operation), ToResult)
    }

    /// Like [`call`](Self::call), but returns the full outcome instead of a `Result`.
    ///
    /// # Panics
    ///
    /// See [`call`](Self::call).
    pub fn execute<T, E, F>(&self, mut operation: F) -> RetryOutcome<T, E>
    where
        C: Classifier<T, E>,
        F: FnMut() -> Result<T, E>,
    {
        run(self, None, NoRetryHook::new(), |_| classify(&self.classifier, operation()), ToOutcome)
    }

    /// Like [`execute`](Self::execute), but passes the [`Attempt`], its number and time limit, to
    /// the operation.
    ///
    /// # Panics
    ///
    /// See [`call`](Self::call).
    pub fn execute_with<T, E, F>(&self, mut operation: F) -> RetryOutcome<T, E>
    where
        C: Classifier<T, E>,
        F: FnMut(Attempt) -> Result<T, E>,
    {
        run(self, None, NoRetryHook::new(), |attempt| classify(&self.classifier, operation(attempt)), ToOutcome)
    }

    /// Like [`execute_with`](Self::execute_with), but stops waiting for an attempt when its time is
    /// up; see [`call_detached`](Self::call_detached), also for what keeps running.
    ///
    /// # Panics
    ///
    /// See [`call_detached`](Self::call_detached).
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

/// Runs one call. The first attempt is inlined, because most calls end with it.
#[inline(always)]
pub(super) fn run<'a, T, E, C, N: Finish<T, E>>(
    policy: &'a Policy<C>,
    settings: Option<&'a CallSettings<'a>>,
    on_retry: impl RetryHook<E>,
    run_attempt: impl FnMut(Attempt) -> Result<T, FailedAttempt<T, E>>,
    finish: N,
) -> N::Output {
    if !Flags::of_call(&policy.plan, settings, N::WANTS).are_fast() {
        return run_rarely(policy, settings, on_retry, run_attempt, finish);
    }
    let mut start = FastPath::new(&policy.plan, settings, N::WANTS, || policy.now());
    if start.is_fast() {
        return run_plainly(policy, &start, false, on_retry, run_attempt, finish);
    }
    reject_or_run_slowly(policy, start, on_retry, run_attempt, finish)
}

/// Runs a call whose first attempt takes the fast path, or differs from such a call only in that
/// its success is counted.
#[inline(always)]
fn run_plainly<'a, T, E, C, N: Finish<T, E>>(
    policy: &'a Policy<C>,
    start: &FastPath<'a>,
    counts: bool,
    on_retry: impl RetryHook<E>,
    mut run_attempt: impl FnMut(Attempt) -> Result<T, FailedAttempt<T, E>>,
    finish: N,
) -> N::Output {
    match run_attempt(start.first_attempt()) {
        Ok(value) => {
            // Before the output is made, because it is large. A call that ends with an outcome
            // counts when it ends.
            if counts && !N::WANTS.end_is_timed() {
                start.count_success();
            }
            finish.value(
                value,
                |output| output,
                |value| {
                    let mut call = Call::from_start(Borrowed::of(policy, start, on_retry), start, 1);
                    call.succeed(value, || policy.now(), finish)
                },
            )
        }
        Err(failed) => retry_plainly(policy, *start, on_retry, failed, run_attempt, finish),
    }
}

/// Runs a call whose flags keep it from the fast path. Not inlined, because it would make the calls
/// that take the path save more registers.
#[inline(never)]
fn run_rarely<'a, T, E, C, N: Finish<T, E>>(
    policy: &'a Policy<C>,
    settings: Option<&'a CallSettings<'a>>,
    on_retry: impl RetryHook<E>,
    run_attempt: impl FnMut(Attempt) -> Result<T, FailedAttempt<T, E>>,
    finish: N,
) -> N::Output {
    let mut start = FastPath::new(&policy.plan, settings, N::WANTS, || policy.now());
    if start.is_counted() {
        return run_plainly(policy, &start, true, on_retry, run_attempt, finish);
    }
    reject_or_run_slowly(policy, start, on_retry, run_attempt, finish)
}

/// Runs a call on the slow path, unless its open breaker alone keeps it from the fast path.
#[inline(always)]
fn reject_or_run_slowly<'a, T, E, C, N: Finish<T, E>>(
    policy: &'a Policy<C>,
    start: FastPath<'a>,
    on_retry: impl RetryHook<E>,
    run_attempt: impl FnMut(Attempt) -> Result<T, FailedAttempt<T, E>>,
    finish: N,
) -> N::Output {
    match start.rejection(|| policy.now()) {
        Some(rejection) => finish.rejected(rejection),
        None => run_slowly(policy, start, on_retry, run_attempt, finish),
    }
}

/// Continues a call whose first attempt failed on the fast path. No hook, observer or learning
/// strategy takes part in it.
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

/// Runs a call on the slow path.
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

/// Goes from a failed attempt to the next attempt or the end of the call.
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

/// The borrowed plan, settings and typed hook of a call.
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

/// Waits, and returns whether time may have passed.
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
