//! [`AbortRetryError`], the error with which an operation aborts its call.

use std::borrow::Cow;

use thiserror::Error;

/// The error that an operation returns to end the call without further attempts, as
/// [`Aborted`](crate::StopReason::Aborted).
///
/// The default classifier finds it anywhere in a source chain. A custom classifier returns
/// [`Classification::abort`](crate::Classification::abort) instead.
///
/// ```
/// use redress::{Policy, StopReason};
/// use redress::error::AbortRetryError;
///
/// let outcome = Policy::default().execute(|| Err::<(), _>(AbortRetryError::new("shutting down")));
/// assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::Aborted), 1));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct AbortRetryError {
    reason: Cow<'static, str>,
}

impl AbortRetryError {
    /// Creates an error with this reason.
    #[must_use]
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into() }
    }
}
