//! The errors of a call, one for each way to end without a value.
//!
//! Owns what each kind keeps. Each prints its own level only; the operation's error is its source.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::classify::class::ErrorClass;
use crate::outcome::error_text::ErrorText;
use crate::outcome::failure::Cause;
use crate::outcome::stop_reason::StopReason;

/// A call that ended with an error of the operation. Its error is the source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub struct FailedError<E> {
    /// The last attempt's error.
    #[source]
    pub error: E,
    /// The operation's name, if the call was named.
    pub operation: Option<Arc<str>>,
    /// Why there was no further attempt.
    pub stop_reason: StopReason,
    /// How many attempts were started.
    pub attempts: u32,
    /// The error's class.
    pub last_class: Option<ErrorClass>,
    /// How long to wait before calling again, if a hint that did not fit the deadline ended the
    /// call.
    pub retry_in: Option<Duration>,
    /// Why it must not be tried again, if that is the reason; see
    /// [`Classification::forbid_retry`](crate::Classification::forbid_retry).
    pub retry_forbidden: Option<&'static str>,
}

/// A call that ended without an error to hand back: with a value that the classifier calls a
/// failure, with an attempt that timed out, or by deferring the retry. The error of a deferred
/// retry is the source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub struct RetryExhaustedError<E> {
    /// The last attempt's error, if the retry after it was deferred.
    #[source]
    pub last_error: Option<E>,
    /// The operation's name, if the call was named.
    pub operation: Option<Arc<str>>,
    /// Why there was no further attempt.
    pub stop_reason: StopReason,
    /// How many attempts were started.
    pub attempts: u32,
    /// The class of the last failure.
    pub last_class: Option<ErrorClass>,
    /// What failed last. A value is not kept here; `execute` hands it out.
    pub cause: Option<Cause>,
    /// How long to wait before calling again, if the retry was deferred or a hint that did not fit
    /// the deadline ended the call.
    pub retry_in: Option<Duration>,
    /// Why it must not be tried again, if that is the reason; see
    /// [`Classification::forbid_retry`](crate::Classification::forbid_retry).
    pub retry_forbidden: Option<&'static str>,
}

/// A call that was aborted. Its source is the error that aborted it, else the last attempt's.
#[derive(Debug)]
#[non_exhaustive]
pub struct AbortedError<E> {
    /// The error by which the operation itself asked to abort, if it did.
    pub abort_error: Option<E>,
    /// The last failure's error, if an attempt failed with one.
    pub last_error: Option<E>,
    /// The operation's name, if the call was named.
    pub operation: Option<Arc<str>>,
    /// How many attempts were started.
    pub attempts: u32,
    /// The class of the last failure, if an attempt failed.
    pub last_class: Option<ErrorClass>,
    /// What failed last, if an attempt failed.
    pub cause: Option<Cause>,
}

impl<E> FailedError<E> {
    pub(crate) fn map<F>(self, map: impl FnOnce(E) -> F) -> FailedError<F> {
        let Self { error, operation, stop_reason, attempts, last_class, retry_in, retry_forbidden } = self;
        FailedError { error: map(error), operation, stop_reason, attempts, last_class, retry_in, retry_forbidden }
    }
}

impl<E> RetryExhaustedError<E> {
    pub(crate) fn map<F>(self, map: impl FnOnce(E) -> F) -> RetryExhaustedError<F> {
        let Self { last_error, operation, stop_reason, attempts, last_class, cause, retry_in, retry_forbidden } = self;
        let last_error = last_error.map(map);
        RetryExhaustedError {
            last_error,
            operation,
            stop_reason,
            attempts,
            last_class,
            cause,
            retry_in,
            retry_forbidden,
        }
    }
}

impl<E> AbortedError<E> {
    /// The error that aborted the call, else the last attempt's.
    pub(crate) fn error(&self) -> Option<&E> {
        self.abort_error.as_ref().or(self.last_error.as_ref())
    }

    pub(crate) fn map<F>(self, mut map: impl FnMut(E) -> F) -> AbortedError<F> {
        let Self { abort_error, last_error, operation, attempts, last_class, cause } = self;
        let last_error = last_error.map(&mut map);
        AbortedError { abort_error: abort_error.map(map), last_error, operation, attempts, last_class, cause }
    }
}

impl<E> fmt::Display for FailedError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = ErrorText {
            operation: self.operation.as_deref(),
            cause: Some(Cause::Error),
            class: self.last_class,
            reason: self.stop_reason,
            retry_forbidden: self.retry_forbidden,
        };
        text.fmt(f)
    }
}

impl<E> fmt::Display for RetryExhaustedError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = ErrorText {
            operation: self.operation.as_deref(),
            cause: self.cause,
            class: self.last_class,
            reason: self.stop_reason,
            retry_forbidden: self.retry_forbidden,
        };
        text.fmt(f)
    }
}

impl<E> fmt::Display for AbortedError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = ErrorText {
            operation: self.operation.as_deref(),
            cause: self.cause,
            class: self.last_class,
            reason: StopReason::Aborted,
            retry_forbidden: None,
        };
        text.fmt(f)
    }
}

// By hand: the source is one of two fields.
impl<E: Error + 'static> Error for AbortedError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error().map(|error| error as _)
    }
}
