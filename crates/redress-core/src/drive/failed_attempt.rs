//! A failed attempt on its way from the driver's types to the engine's.

use std::any::type_name;

use super::poll_call::PollOperation;
use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;
use crate::classify::classifier::Classifier;
use crate::engine::FailureView;
use crate::outcome::failure::Cause;
use crate::outcome::failure::Failure;

/// A failed attempt: the failure by value, and what the classifier made of it.
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

    /// What failed, as far as the classifier knows.
    #[inline]
    pub(crate) fn cause(&self) -> Cause {
        if self.classification.is_timeout() { Cause::Timeout } else { self.failure.cause() }
    }

    /// Forbids a further attempt, if the operation does.
    #[inline(always)]
    pub(crate) fn forbid_retry(&mut self, operation: &mut impl PollOperation<T, E>) {
        if let Some(why) = operation.retry_forbidden(&self.failure, &self.classification) {
            self.classification.set_retry_forbidden(why);
        }
    }

    /// An attempt that was cut at its timeout.
    pub(crate) fn timed_out(classifier: &impl Classifier<T, E>) -> Self {
        let classification = classifier.classify_timeout().unwrap_or(Classification::new(ErrorClass::Transient));
        Self { failure: Failure::Timeout, classification }
    }

    /// An attempt that was stopped because a handle was aborted, see
    /// [`AbortHandle`](crate::AbortHandle). It has no result.
    pub(crate) const fn aborted() -> Self {
        Self { failure: Failure::Timeout, classification: Classification::abort() }
    }
}

/// Splits a finished attempt into a value or a classified failure. An `Err` without a
/// classification is `Unknown`.
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
