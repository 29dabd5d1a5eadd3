//! What the blocking and the asynchronous driver share: from the caller's types to the engine and back.
//!
//! Owns the steps around an attempt that neither wait nor run the operation. Knows no runtime.

use std::any::type_name;
use std::time::{Duration, Instant};

use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;
use crate::classify::classifier::Classifier;
use crate::drive::attempt::Attempt;
use crate::engine::{Failed, Run, Verdict};
use crate::outcome::call_error::CallError;
use crate::outcome::ending::Ending;
use crate::outcome::failure::{Cause, Failure};
use crate::outcome::retry_outcome::RetryOutcome;
use crate::outcome::stop_reason::StopReason;
use crate::policy::compiled::Plan;
use crate::policy::sleep_decision::HookFuture;

/// How a driver hands back a call: the way of `call`.
#[inline]
pub(crate) fn to_result<T, E>(
    result: Result<T, Ending<T, E>>,
    _run: &Run<'_>,
    _ended: Option<Instant>,
) -> Result<T, CallError<E>> {
    result.map_err(Ending::into_error)
}

/// How a driver hands back a call: the way of `execute`.
pub(crate) fn to_outcome<T, E>(
    result: Result<T, Ending<T, E>>,
    run: &Run<'_>,
    ended: Option<Instant>,
) -> RetryOutcome<T, E> {
    match result {
        Ok(value) => RetryOutcome::succeeded(value, run.summary(ended), run.timeline()),
        Err(stopped) => RetryOutcome::stopped(stopped, run.timeline()),
    }
}

/// A failed attempt, on its way from the driver's types to the engine's.
pub(crate) struct Judged<T, E> {
    pub(crate) failure: Failure<T, E>,
    pub(crate) classification: Classification,
}

impl<T, E> Judged<T, E> {
    /// What the engine is told of it.
    pub(crate) fn failed(&self) -> Failed<'_> {
        let cause = self.failure.cause();
        let error_type = (cause == Cause::Error).then(type_name::<E>);
        Failed { classification: &self.classification, cause, error_type }
    }

    /// What is left of the call when the engine stops it here. An error that aborts is no failure, so the earlier one stays
    /// the last; a value that aborts has no place but the last failure's, and must not be lost.
    pub(crate) fn into_stopped(self, earlier: &mut Option<Failure<T, E>>, run: &Run<'_>, now: Instant) -> Ending<T, E> {
        let mut summary = run.summary(Some(now));
        if summary.stop_reason == Some(StopReason::RetryForbidden) {
            summary.retry_forbidden = self.classification.retry_forbidden();
        }
        match self.failure {
            Failure::Error(error) if self.classification.is_abort() => {
                Ending { last: earlier.take(), abort: Some(error), summary }
            }
            failure => Ending { last: Some(failure), abort: None, summary },
        }
    }
}

/// Splits a finished attempt into a value or a classified failure. An `Err` nobody claims is `Unknown`.
#[inline]
pub(crate) fn judge<T, E>(classifier: &impl Classifier<T, E>, result: Result<T, E>) -> Result<T, Judged<T, E>> {
    let classification = classifier.classify(&result);
    match (classification, result) {
        (None, Ok(value)) => Ok(value),
        (Some(classification), Ok(value)) => Err(Judged { failure: Failure::Result(value), classification }),
        (classification, Err(error)) => Err(Judged {
            failure: Failure::Error(error),
            classification: classification.unwrap_or(Classification::new(ErrorClass::Unknown)),
        }),
    }
}

/// The judgement of an attempt that ran into its timeout.
pub(crate) fn timed_out<T, E>(classifier: &impl Classifier<T, E>) -> Judged<T, E> {
    let classification = classifier.classify_timeout().unwrap_or(Classification::new(ErrorClass::Transient));
    Judged { failure: Failure::Timeout, classification }
}

/// How long an attempt may take before it is cut: the deadline alone cuts none.
#[inline]
pub(crate) fn attempt_limit(plan: &Plan, attempt: Attempt) -> Option<Duration> {
    attempt.time_left().filter(|_| plan.attempt_timeout.is_some())
}

/// A wait before the next attempt.
pub(crate) struct Pause {
    pub(crate) delay: Duration,
    /// What a hook wants awaited before the wait.
    pub(crate) hook: Option<HookFuture>,
}

/// From a failure to the wait before the next attempt, or to the end of the call.
///
/// Inlined by force: the result is large, and handing it on through memory is 40 instructions for each retry.
#[inline(always)]
pub(crate) fn after_failure<T, E>(
    run: &mut Run<'_>,
    judged: Judged<T, E>,
    last: &mut Option<Failure<T, E>>,
    now: Instant,
) -> Result<Pause, Ending<T, E>> {
    let delay = match run.fail(&judged.failed(), now) {
        Verdict::Stop => return Err(judged.into_stopped(last, run, now)),
        Verdict::Retry(delay) => delay,
    };
    let hook = run.before_wait(&judged.failed(), delay, now);
    *last = Some(judged.failure);
    Ok(Pause { delay, hook })
}

/// The next attempt after a wait, or what is left of the call.
#[inline]
pub(crate) fn resume_at<T, E>(
    now: Instant,
    run: &mut Run<'_>,
    last: &mut Option<Failure<T, E>>,
) -> Result<Attempt, Ending<T, E>> {
    let resumed = run.resume(now);
    resumed.ok_or_else(|| stopped(run, last.take(), now))
}

/// The first attempt, or what is left of a call that ended before it.
#[inline]
pub(crate) fn first_attempt<T, E>(run: &mut Run<'_>, now: impl FnOnce() -> Instant) -> Result<Attempt, Ending<T, E>> {
    match run.begin_quietly() {
        Some(attempt) => Ok(attempt),
        None => begin(run, now),
    }
}

/// Looks at the deadline once more before a wait, when hooks may have taken time since the failure.
#[cold]
pub(crate) fn recheck<T, E>(
    now: Instant,
    run: &mut Run<'_>,
    last: &mut Option<Failure<T, E>>,
) -> Result<(), Ending<T, E>> {
    if run.recheck(now) {
        return Ok(());
    }
    Err(stopped(run, last.take(), now))
}

/// What is left of a call that ends between attempts: the last failure, if there was one.
fn stopped<T, E>(run: &Run<'_>, last: Option<Failure<T, E>>, now: Instant) -> Ending<T, E> {
    Ending { last, abort: None, summary: run.summary(Some(now)) }
}

/// The first attempt of a call that is not quiet.
pub(crate) fn begin<T, E>(run: &mut Run<'_>, now: impl FnOnce() -> Instant) -> Result<Attempt, Ending<T, E>> {
    let now = run.started().unwrap_or_else(now);
    let begun = run.begin(now);
    begun.ok_or_else(|| stopped(run, None, now))
}
