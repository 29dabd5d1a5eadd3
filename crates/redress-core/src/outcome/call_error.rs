//! [`CallError`], the error that `call` returns, and its accessors. The error types inside its
//! variants are in `call_error_kinds.rs`.

use std::error::Error;
use std::time::Duration;

use crate::classify::class::ErrorClass;
use crate::outcome::boxed_error::BoxError;
use crate::outcome::call_error_kinds::{AbortedError, FailedError, RetryExhaustedError};
use crate::outcome::circuit_open_error::CircuitOpenError;
use crate::outcome::decision::Decision;
use crate::outcome::explanation::Explanation;
use crate::outcome::failure::Cause;
use crate::outcome::stop_reason::StopReason;

/// The error of a call.
///
/// The operation's error is available by reference ([`error`](Self::error)), by value
/// ([`into_error`](Self::into_error)) and as the [`source`](Error::source). A value that the
/// classifier calls a failure is dropped, and only its class is kept; `execute` keeps the value in
/// its [`RetryOutcome`](crate::RetryOutcome).
///
/// Implements [`Error`] if `E` does, so `?` converts it into a boxed error, an `anyhow::Error` or a
/// `thiserror` variant, for every type of value. For an `E` that does not implement `Error`, such
/// as `anyhow::Error`, see [`boxed`](Self::boxed).
///
/// `Display` names the operation, the class and the reason, such as
/// `sync_user failed (transient): the attempts allowed were used up`. Two calls that end in the
/// same way have the same text, so errors can be grouped by it.
///
/// ```
/// use std::io;
/// use std::time::Duration;
/// use redress::{CallError, Policy, Retry, fixed};
///
/// let policy = Policy::builder().retry(Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2)).build()?;
/// let failed = policy.call(|| Err::<(), _>(io::Error::from(io::ErrorKind::TimedOut))).unwrap_err();
/// assert_eq!(failed.to_string(), "the call failed (transient): the attempts allowed were used up");
/// match failed {
///     CallError::Failed(failed) => assert_eq!((failed.error.kind(), failed.attempts), (io::ErrorKind::TimedOut, 2)),
///     CallError::CircuitOpen(rejection) => println!("come back in {:?}", rejection.retry_in()),
///     other => println!("{other}"),
/// }
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError<E> {
    /// The call ended with an error of the operation.
    #[error(transparent)]
    Failed(FailedError<E>),
    /// The call ended without a final error: with a value that the classifier calls a failure, with
    /// an attempt that timed out, or by deferring the retry.
    #[error(transparent)]
    Exhausted(RetryExhaustedError<E>),
    /// The call was aborted: by its caller, an abort handle, the operation or the sleep handler.
    #[error(transparent)]
    Aborted(AbortedError<E>),
    /// The circuit breaker rejected the call. The operation did not run.
    #[error(transparent)]
    CircuitOpen(CircuitOpenError),
}

impl<E> CallError<E> {
    /// Why the call ended.
    #[must_use]
    pub const fn stop_reason(&self) -> StopReason {
        match self {
            Self::Failed(failed) => failed.stop_reason,
            Self::Exhausted(exhausted) => exhausted.stop_reason,
            Self::Aborted(_) => StopReason::Aborted,
            Self::CircuitOpen(_) => StopReason::CircuitOpen,
        }
    }

    /// The operation's name, if it was set. A rejection does not have it, because a rejection must
    /// not allocate; it has the name of the [breaker](CircuitOpenError::breaker).
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        match self {
            Self::Failed(failed) => failed.operation.as_deref(),
            Self::Exhausted(exhausted) => exhausted.operation.as_deref(),
            Self::Aborted(aborted) => aborted.operation.as_deref(),
            Self::CircuitOpen(_) => None,
        }
    }

    /// The number of attempts started.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        match self {
            Self::Failed(failed) => failed.attempts,
            Self::Exhausted(exhausted) => exhausted.attempts,
            Self::Aborted(aborted) => aborted.attempts,
            Self::CircuitOpen(_) => 0,
        }
    }

    /// The class of the last failure, if an attempt failed.
    #[must_use]
    pub const fn last_class(&self) -> Option<ErrorClass> {
        match self {
            Self::Failed(failed) => failed.last_class,
            Self::Exhausted(exhausted) => exhausted.last_class,
            Self::Aborted(aborted) => aborted.last_class,
            Self::CircuitOpen(_) => None,
        }
    }

    /// The kind of the last failure, if an attempt failed: an error, a value or a timeout.
    #[must_use]
    pub const fn cause(&self) -> Option<Cause> {
        match self {
            Self::Failed(_) => Some(Cause::Error),
            Self::Exhausted(exhausted) => exhausted.cause,
            Self::Aborted(aborted) => aborted.cause,
            Self::CircuitOpen(_) => None,
        }
    }

    /// How long to wait before calling again: the delay of a deferred retry, the time until an open
    /// breaker's next probe, or the hint that did not fit the call's deadline.
    #[must_use]
    pub fn retry_in(&self) -> Option<Duration> {
        match self {
            Self::Failed(failed) => failed.retry_in,
            Self::Exhausted(exhausted) => exhausted.retry_in,
            Self::Aborted(_) => None,
            Self::CircuitOpen(rejection) => rejection.retry_in(),
        }
    }

    /// Why a retry was forbidden, if the call ended as
    /// [`RetryForbidden`](StopReason::RetryForbidden); for example `streaming_body`.
    #[must_use]
    pub const fn retry_forbidden(&self) -> Option<&'static str> {
        match self {
            Self::Failed(failed) => failed.retry_forbidden,
            Self::Exhausted(exhausted) => exhausted.retry_forbidden,
            Self::Aborted(_) | Self::CircuitOpen(_) => None,
        }
    }

    /// The gate that ended the call, and what it compared. `None` for an error that no policy
    /// made.
    #[must_use]
    pub fn decision(&self) -> Option<Decision> {
        match self {
            Self::Failed(failed) => failed.decision,
            Self::Exhausted(exhausted) => exhausted.decision,
            Self::Aborted(aborted) => aborted.decision,
            Self::CircuitOpen(rejection) => Some(rejection.decision()),
        }
    }

    /// Why the call ended as it did: the gate that ended it, what it compared, and the nearest
    /// setting that would have let that gate pass. An error keeps neither times nor a timeline;
    /// those are in the [outcome's](crate::RetryOutcome::explain) explanation.
    ///
    /// ```
    /// use std::io::{Error, ErrorKind};
    /// use redress::Policy;
    ///
    /// let policy = Policy::default();
    /// let error = policy.call(|| Err::<(), _>(Error::from(ErrorKind::PermissionDenied))).unwrap_err();
    /// assert_eq!(
    ///     error.explain().to_string(),
    ///     "the call failed (not permitted): failures of this class are not retried.\n\
    ///      1 attempt was made.\n\
    ///      What ended the call: failures of this class are never retried.\n\
    ///      No setting changes that: the classifier decides the class."
    /// );
    /// ```
    #[must_use]
    pub fn explain(&self) -> Explanation {
        Explanation::of_error(self)
    }

    /// The text of the error, also of errors of the operation that do not implement [`Error`].
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Failed(failed) => failed.to_string(),
            Self::Exhausted(exhausted) => exhausted.to_string(),
            Self::Aborted(aborted) => aborted.to_string(),
            Self::CircuitOpen(rejection) => rejection.to_string(),
        }
    }

    /// The operation's error: the one that ended the call, or the last one before the call was
    /// aborted or deferred.
    #[must_use]
    pub fn error(&self) -> Option<&E> {
        match self {
            Self::Failed(failed) => Some(&failed.error),
            Self::Exhausted(exhausted) => exhausted.last_error.as_ref(),
            Self::Aborted(aborted) => aborted.error(),
            Self::CircuitOpen(_) => None,
        }
    }

    /// The operation's error by value; see [`error`](Self::error).
    #[must_use]
    pub fn into_error(self) -> Option<E> {
        match self {
            Self::Failed(failed) => Some(failed.error),
            Self::Exhausted(exhausted) => exhausted.last_error,
            Self::Aborted(aborted) => aborted.abort_error.or(aborted.last_error),
            Self::CircuitOpen(_) => None,
        }
    }

    /// Converts the operation's errors with `map`.
    #[must_use]
    pub fn map_error<F>(self, map: impl FnMut(E) -> F) -> CallError<F> {
        match self {
            Self::Failed(failed) => CallError::Failed(failed.map(map)),
            Self::Exhausted(exhausted) => CallError::Exhausted(exhausted.map(map)),
            Self::Aborted(aborted) => CallError::Aborted(aborted.map(map)),
            Self::CircuitOpen(rejection) => CallError::CircuitOpen(rejection),
        }
    }

    /// Boxes the operation's error in a [`BoxError`], which implements [`Error`]. For error types
    /// that do not, such as `anyhow::Error`, `Box<dyn Error + Send + Sync>` and `String`.
    #[must_use]
    pub fn boxed(self) -> CallError<BoxError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.map_error(BoxError::new)
    }
}
