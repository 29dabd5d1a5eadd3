//! The error types inside the variants of [`CallError`](crate::CallError).
//!
//! `Display` describes the call only. The operation's error is the `source`.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::classify::class::ErrorClass;
use crate::outcome::decision::Decision;
use crate::outcome::error_text::ErrorText;
use crate::outcome::failure::Cause;
use crate::outcome::stop_reason::StopReason;
use crate::outcome::summary::OutcomeSummary;

/// A call that ended with an error of the operation, which is the source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub struct FailedError<E> {
    /// The last attempt's error.
    #[source]
    pub error: E,
    /// The operation's name, if it was set.
    pub operation: Option<Arc<str>>,
    /// Why there was no further attempt.
    pub stop_reason: StopReason,
    /// The number of attempts started.
    pub attempts: u32,
    /// The error's class.
    pub last_class: Option<ErrorClass>,
    /// How long to wait before calling again, if the call ended because a hint did not fit the
    /// deadline.
    pub retry_in: Option<Duration>,
    /// Why a retry was forbidden, if that ended the call; see
    /// [`Classification::forbid_retry`](crate::Classification::forbid_retry).
    pub retry_forbidden: Option<&'static str>,
    /// The gate that ended the call, and what it compared.
    pub decision: Option<Decision>,
}

/// A call that ended without a final error: with a value that the classifier calls a failure, with
/// an attempt that timed out, or by deferring the retry. The error before a deferred retry is the
/// source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub struct RetryExhaustedError<E> {
    /// The last attempt's error, if the retry was deferred after an error.
    #[source]
    pub last_error: Option<E>,
    /// The operation's name, if it was set.
    pub operation: Option<Arc<str>>,
    /// Why there was no further attempt.
    pub stop_reason: StopReason,
    /// The number of attempts started.
    pub attempts: u32,
    /// The class of the last failure.
    pub last_class: Option<ErrorClass>,
    /// The kind of the last failure. A failed value is not kept here; `execute` returns it.
    pub cause: Option<Cause>,
    /// How long to wait before calling again, if the retry was deferred or the call ended because a
    /// hint did not fit the deadline.
    pub retry_in: Option<Duration>,
    /// Why a retry was forbidden, if that ended the call; see
    /// [`Classification::forbid_retry`](crate::Classification::forbid_retry).
    pub retry_forbidden: Option<&'static str>,
    /// The gate that ended the call, and what it compared.
    pub decision: Option<Decision>,
}

/// A call that was aborted. The source is the error that aborted it, or else the last attempt's
/// error.
#[derive(Debug)]
#[non_exhaustive]
pub struct AbortedError<E> {
    /// The operation's error that aborted the call, if one did.
    pub abort_error: Option<E>,
    /// The error of the last failed attempt, if it failed with an error.
    pub last_error: Option<E>,
    /// The operation's name, if it was set.
    pub operation: Option<Arc<str>>,
    /// The number of attempts started.
    pub attempts: u32,
    /// The class of the last failure, if an attempt failed.
    pub last_class: Option<ErrorClass>,
    /// The kind of the last failure, if an attempt failed.
    pub cause: Option<Cause>,
    /// What aborted the call.
    pub decision: Option<Decision>,
}

impl<E> FailedError<E> {
    #[inline]
    pub(crate) fn new(summary: OutcomeSummary, stop_reason: StopReason, error: E) -> Self {
        let OutcomeSummary { name, attempts, last_class, retry_in, retry_forbidden, decision, .. } = summary;
        Self { error, operation: name, stop_reason, attempts, last_class, retry_in, retry_forbidden, decision }
    }

    pub(crate) fn map<F>(self, map: impl FnOnce(E) -> F) -> FailedError<F> {
        let Self { error, operation, stop_reason, attempts, last_class, retry_in, retry_forbidden, decision } = self;
        FailedError {
            error: map(error),
            operation,
            stop_reason,
            attempts,
            last_class,
            retry_in,
            retry_forbidden,
            decision,
        }
    }
}

impl<E> RetryExhaustedError<E> {
    #[inline]
    pub(crate) fn new(summary: OutcomeSummary, stop_reason: StopReason, last_error: Option<E>) -> Self {
        let OutcomeSummary { name: operation, attempts, last_class, cause, .. } = summary;
        let OutcomeSummary { retry_in, retry_forbidden, decision, .. } = summary;
        Self { last_error, operation, stop_reason, attempts, last_class, cause, retry_in, retry_forbidden, decision }
    }

    pub(crate) fn map<F>(self, map: impl FnOnce(E) -> F) -> RetryExhaustedError<F> {
        let Self {
            last_error,
            operation,
            stop_reason,
            attempts,
            last_class,
            cause,
            retry_in,
            retry_forbidden,
            decision,
        } = self;
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
            decision,
        }
    }
}

impl<E> AbortedError<E> {
    #[inline]
    pub(crate) fn new(summary: OutcomeSummary, abort_error: Option<E>, last_error: Option<E>) -> Self {
        let OutcomeSummary { name: operation, attempts, last_class, cause, decision, .. } = summary;
        Self { abort_error, last_error, operation, attempts, last_class, cause, decision }
    }

    /// The error that aborted the call, or else the last attempt's error.
    pub(crate) fn error(&self) -> Option<&E> {
        self.abort_error.as_ref().or(self.last_error.as_ref())
    }

    pub(crate) fn map<F>(self, mut map: impl FnMut(E) -> F) -> AbortedError<F> {
        let Self { abort_error, last_error, operation, attempts, last_class, cause, decision } = self;
        let last_error = last_error.map(&mut map);
        AbortedError { abort_error: abort_error.map(map), last_error, operation, attempts, last_class, cause, decision }
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

// Not derived: the source is one of two fields.
impl<E: Error + 'static> Error for AbortedError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error().map(|error| error as _)
    }
}
