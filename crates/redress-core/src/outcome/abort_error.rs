//! The error by which an operation aborts its call.
//!
//! Owns the marker. That it aborts, the default classifier says.

use std::borrow::Cow;

use thiserror::Error;

/// The error an operation returns to end the whole call at once, as
/// [`Aborted`](crate::StopReason::Aborted).
///
/// The default classifier finds it anywhere in a source chain; a classifier of your own answers
/// [`Classification::abort`](crate::Classification::abort).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct AbortRetryError {
    reason: Cow<'static, str>,
}

impl AbortRetryError {
    /// An abort for this reason.
    #[must_use]
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into() }
    }
}
