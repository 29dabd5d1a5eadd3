//! [`FailedAttempt`], a classified failure, and its conversion into the engine's view.

use std::any::type_name;

use super::poll_call::PollOperation;
use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;
use crate::classify::classifier::Classifier;
use crate::engine::FailureView;
use crate::outcome::failure::Cause;
use crate::outcome::failure::Failure;

/// A failed attempt: the failure and its classification.
pub(crate) struct FailedAttempt<T, E> {
    pub(crate) failure: Failure<T, E>,
    pub(crate) classification: Classification,
}

impl<T, E> FailedAttempt<T, E> {
    /// The failure as the engine sees it.
    #[inline]
    pub(crate) fn view(&self) -> FailureView<'_> {
        let error_type = (self.failure.cause() == Cause::Error).then(type_name::<E>);
        FailureView { classification: &self.classification, cause: self.cause(), error_type }
    }

    /// The kind of the failure. The classifier can mark an error or value as a timeout.
    #[inline]
    pub(crate) fn cause(&self) -> Cause {
        if self.classification.is_timeout() { Cause::Timeout } else { self.failure.cause() }
    }

    /// Forbids a further attempt if the operation does.
    #[inline(always)]
    pub(crate) fn forbid_retry(&mut self, operation: &mut impl PollOperation<T, E>) {
        if let Some(why) = operation.retry_forbidden(&self.failure, &self.classification) {
            self.classification.set_retry_forbidden(why);
        }
    }

    /// The failure of an attempt that was cut at its timeout.
    pub(crate) fn timed_out(classifier: &impl Classifier<T, E>) -> Self {
        let classification = classifier.classify_timeout().unwrap_or(Classification::new(ErrorClass::Transient));
        Self { failure: Failure::Timeout, classification }
    }

    /// The failure of an attempt that was stopped by an [`AbortHandle`](crate::AbortHandle), and so
    /// has no result.
    pub(crate) const fn aborted() -> Self {
        Self { failure: Failure::Timeout, classification: Classification::abort() }
    }
}

/// Classifies the result of an attempt. An `Err` for which the classifier returns `None` is
/// `Unknown`.
#[inline]
pub(crate) fn classify<T, E>(
    classifier: &impl Classifier<T, E>,
    result: Result<T, E>,
) -> Result<T, FailedAttempt<T, E>> {
    let classification = classifier.classify(&result);
    match (classification, result) {
        (None, Ok(value)) => Ok(value),
        (Some(classification), Ok(value)) => Err(FailedAttempt { failure: Failure::Result(value), classification }),
        (classification, Err(error)) => Err(FailedAttempt {
            failure: Failure::Error(error),
            classification: classification.unwrap_or(Classification::new(ErrorClass::Unknown)),
        }),
    }
}
