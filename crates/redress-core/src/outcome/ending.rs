//! How a call ended without success, on its way from the driver to the caller.
//!
//! Owns the turn from an outcome to the error of `call`.

use crate::outcome::call_error::CallError;
use crate::outcome::call_error_kinds::{AbortedError, FailedError, RetryExhaustedError};
use crate::outcome::failure::Failure;
use crate::outcome::stop_reason::StopReason;
use crate::outcome::summary::OutcomeSummary;

/// How a call ended: the failures, which only the driver held, and what the engine recorded.
#[derive(Debug)]
pub(crate) struct Ending<T, E> {
    /// The last failure, unless no attempt failed.
    pub(crate) last: Option<Failure<T, E>>,
    /// The error by which the operation itself asked to abort.
    pub(crate) abort: Option<E>,
    pub(crate) summary: OutcomeSummary,
}

impl<T, E> Ending<T, E> {
    /// The ending of a call of which no failure is kept.
    pub(crate) const fn without_failure(summary: OutcomeSummary) -> Self {
        Self { last: None, abort: None, summary }
    }

    /// `call` is `execute` turned into a `Result`: this is the turn.
    #[cold]
    pub(crate) fn into_error(self) -> CallError<E> {
        let Self { last, abort, summary } = self;
        let retry_in = summary.retry_in();
        let OutcomeSummary { operation, stop_reason, attempts, last_class, cause, rejection, retry_forbidden, .. } =
            summary;
        // A failed call always has a reason; the engine sets it with the verdict.
        let stop_reason = stop_reason.unwrap_or(StopReason::Aborted);
        let last_error = last.and_then(Failure::into_error);
        match (stop_reason, rejection, last_error) {
            (StopReason::CircuitOpen, Some(rejection), _) => CallError::CircuitOpen(rejection),
            (StopReason::Aborted, _, last_error) => CallError::Aborted(AbortedError {
                abort_error: abort,
                last_error,
                operation,
                attempts,
                last_class,
                cause,
            }),
            (_, _, Some(error)) if stop_reason != StopReason::Scheduled => CallError::Failed(FailedError {
                error,
                operation,
                stop_reason,
                attempts,
                last_class,
                retry_in,
                retry_forbidden,
            }),
            (_, _, last_error) => CallError::Exhausted(RetryExhaustedError {
                last_error,
                operation,
                stop_reason,
                attempts,
                last_class,
                cause,
                retry_in,
                retry_forbidden,
            }),
        }
    }
}
