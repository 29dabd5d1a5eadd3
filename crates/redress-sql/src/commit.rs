//! The error of a COMMIT, whose outcome may not be known.

use std::error::Error;
use std::fmt;

use redress_core::{Classification, ErrorClass};

/// The reason for which a retry is forbidden when the outcome of a statement is not known.
pub(crate) const COMPLETION_UNKNOWN: &str = "completion_unknown";

/// The error that COMMIT returned. The classifiers of this crate retry it only if the transaction
/// certainly has no effect.
///
/// A connection that breaks during COMMIT leaves open whether the transaction was committed, and a
/// second run may apply it twice. With this error anywhere in the source chain, below an
/// `#[error(transparent)]` of thiserror too:
///
/// - a failure of the class [`Concurrency`](ErrorClass::Concurrency) is retried: the database
///   reported that it rolled the transaction back, as with a serialization failure;
/// - a failure that is [certainly without effect](Classification::is_unsent) is retried;
/// - every other failure that would be retried ends the call as
///   [`RetryForbidden`](redress_core::StopReason::RetryForbidden), with the reason
///   `completion_unknown`.
///
/// ```
/// use redress::{Classifier, ErrorClass, StopReason};
/// use redress::integration::sql::{CommitError, sqlstate_classifier};
///
/// #[derive(Debug, thiserror::Error)]
/// #[error("SQLSTATE {0}")]
/// struct DriverError(&'static str);
///
/// let classifier = sqlstate_classifier(|error: &DriverError| Some(error.0));
/// let conflict: Result<(), _> = Err(CommitError::new(DriverError("40001")));
/// assert_eq!(classifier.classify(&conflict).unwrap().retry_forbidden(), None);
///
/// let lost: Result<(), _> = Err(CommitError::new(DriverError("08006")));
/// assert_eq!(classifier.classify(&lost).unwrap().retry_forbidden(), Some("completion_unknown"));
/// ```
#[derive(Debug)]
pub struct CommitError(Commit);

impl CommitError {
    /// Wraps the error that COMMIT returned.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Commit { error: error.into() })
    }

    /// Returns the error that COMMIT returned.
    #[must_use]
    pub fn into_inner(self) -> Box<dyn Error + Send + Sync> {
        self.0.error
    }
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the transaction could not be committed")
    }
}

impl Error for CommitError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// The mark of a COMMIT in a chain. It is the source of a [`CommitError`], so that a transparent
/// wrapper, which hides the error inside, does not hide the mark.
#[derive(Debug)]
pub(crate) struct Commit {
    error: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("COMMIT failed")
    }
}

impl Error for Commit {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.error)
    }
}

/// Forbids the retry of a failed COMMIT unless it certainly has no effect.
pub(crate) fn of_commit(failure: Classification) -> Classification {
    let is_over = failure.is_abort() || !failure.class().is_retryable();
    let is_without_effect = failure.class() == ErrorClass::Concurrency || failure.is_unsent();
    if is_over || is_without_effect { failure } else { failure.forbid_retry(COMPLETION_UNKNOWN) }
}
