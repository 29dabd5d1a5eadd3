//! [`Ending`]: a call that ended without success, between driver and caller, and its conversion to
//! the error of `call`.

use crate::classify::classification::Classification;
use crate::outcome::call_error::CallError;
use crate::outcome::call_error_kinds::{AbortedError, FailedError, RetryExhaustedError};
use crate::outcome::circuit_open_error::CircuitOpenError;
use crate::outcome::failure::Failure;
use crate::outcome::stop_reason::StopReason;
use crate::outcome::summary::OutcomeSummary;

/// A call that ended without success: the failures, which the driver holds, and the engine's
/// summary.
#[derive(Debug)]
pub(crate) struct Ending<T, E> {
    /// The last failure, if an attempt failed.
    pub(crate) last: Option<Failure<T, E>>,
    /// The operation's error that aborted the call.
    pub(crate) abort: Option<E>,
    /// The classification of the last failure, if that failure ended the call. It is not kept
    /// between attempts, because that would make every call larger.
    pub(crate) classification: Option<Classification>,
    pub(crate) summary: OutcomeSummary,
}

impl<T, E> Ending<T, E> {
    /// Converts the ending into the error of `call`.
    #[cold]
    pub(crate) fn into_error(self) -> CallError<E> {
        let Self { last, abort, summary, .. } = self;
        let OutcomeSummary {
            name,
            stop_reason,
            attempts,
            last_class,
            cause,
            retry_in,
            rejected,
            is_forced,
            retry_forbidden,
            ..
        } = summary;
        if let Some(state) = rejected {
            return CallError::CircuitOpen(CircuitOpenError::by_breaker(state, retry_in, name).forced_if(is_forced));
        }
        let operation = name;
        // A failed call always has a reason: the engine sets it with the verdict.
        let stop_reason = stop_reason.unwrap_or(StopReason::Aborted);
        let last_error = last.and_then(Failure::into_error);
        match (stop_reason, last_error) {
            (StopReason::Aborted, last_error) => CallError::Aborted(AbortedError {
                abort_error: abort,
                last_error,
                operation,
                attempts,
                last_class,
                cause,
            }),
            (_, Some(error)) if stop_reason != StopReason::Scheduled => CallError::Failed(FailedError {
                error,
                operation,
                stop_reason,
                attempts,
                last_class,
                retry_in,
                retry_forbidden,
            }),
            (_, last_error) => CallError::Exhausted(RetryExhaustedError {
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

    /// The value of the last attempt, if it failed with a value.
    pub(crate) fn last_value(&self) -> Option<&T> {
        self.last.as_ref().filter(|_| self.abort.is_none()).and_then(Failure::result)
    }

    /// Returns that value, or else the error of `call`.
    pub(crate) fn into_last_value(mut self) -> Result<T, CallError<E>> {
        match self.last {
            Some(Failure::Result(value)) if self.abort.is_none() => Ok(value),
            last => {
                self.last = last;
                Err(self.into_error())
            }
        }
    }
}
