//! [`PushError`], the error of a task that its store did not take.

use apalis_core::error::BoxDynError;
use thiserror::Error;

/// The error of a task whose call was deferred, and whose successor the store did not take.
///
/// A handler that returns it makes apalis run the same task again, with the token that it came
/// with, until the task's `max_attempts`; on Redis 25 times.
#[derive(Debug, Error)]
#[error("the task that continues the call could not be pushed")]
pub struct PushError {
    source: BoxDynError,
}

impl PushError {
    pub(crate) fn new(source: impl Into<BoxDynError>) -> Self {
        Self { source: source.into() }
    }
}
