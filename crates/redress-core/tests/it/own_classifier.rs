//! Errors that know their classification, and the classifier that reads it.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

use std::error::Error;
use std::io;
use std::sync::Arc;

use redress_core::classify::own_classifier;
use redress_core::error::{
    AbortRetryError, ConcurrencyError, PermanentError, RateLimitError, ServerError, StatusError,
};
use redress_core::{
    Classification, Classifier, Classify, ErrorClass, Policy, StopReason, default_classifier, error_classifier,
};

use crate::lab::secs;

enum StoreError {
    Busy,
    Odd,
}

impl Classify for StoreError {
    fn classification(&self) -> Classification {
        match self {
            Self::Busy => Classification::new(ErrorClass::RateLimit).with_retry_after(secs(7)),
            Self::Odd => ErrorClass::Unknown.into(),
        }
    }
}

#[test]
fn the_errors_own_classification_counts() {
    let found = |result: Result<u8, StoreError>| own_classifier().classify(&result);
    assert_eq!(found(Err(StoreError::Busy)), Some(StoreError::Busy.classification()));
    assert_eq!(found(Ok(7)), None);
    let outcome =
        Policy::builder().classifier(own_classifier()).build().unwrap().execute(|| Err::<(), _>(StoreError::Busy));
    assert_eq!((outcome.last_class(), outcome.attempts()), (Some(ErrorClass::RateLimit), 1));
}

#[test]
fn the_next_classifier_is_called_for_unknown_alone() {
    let both = own_classifier().or_else(error_classifier(|_: &StoreError| ErrorClass::Auth));
    let class = |error| both.classify(&Err::<(), _>(error)).map(|found| found.class());
    assert_eq!(class(StoreError::Busy), Some(ErrorClass::RateLimit));
    assert_eq!(class(StoreError::Odd), Some(ErrorClass::Auth));
}

#[test]
fn the_errors_of_redress_know_what_the_default_classifier_says() {
    fn agree<E: Classify + Error + 'static>(error: E, class: ErrorClass) {
        assert_eq!(error.classification().class(), class);
        assert_eq!(Some(error.classification()), default_classifier().classify(&Err::<(), E>(error)));
    }
    agree(PermanentError::new("a"), ErrorClass::Permanent);
    agree(RateLimitError::new("a").with_retry_after(secs(7)), ErrorClass::RateLimit);
    agree(ConcurrencyError::new("a"), ErrorClass::Concurrency);
    agree(ServerError::new("a"), ErrorClass::ServerError);
    agree(StatusError::new(503).with_retry_after(secs(7)), ErrorClass::ServerError);
    agree(StatusError::new(302), ErrorClass::Unknown);
    agree(AbortRetryError::new("a"), Classification::abort().class());
    agree(io::Error::from(io::ErrorKind::PermissionDenied), ErrorClass::Permission);
}

#[test]
fn an_abort_is_an_abort() {
    let policy = Policy::builder().classifier(own_classifier()).build().unwrap();
    let outcome = policy.execute(|| Err::<(), _>(AbortRetryError::new("stop")));
    assert_eq!(outcome.stop_reason(), Some(StopReason::Aborted));
}

#[test]
fn pointers_and_boxed_errors_look_inside() {
    let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
    let class = |error: &dyn Classify| error.classification().class();
    assert_eq!(class(&&StoreError::Busy), ErrorClass::RateLimit);
    assert_eq!(class(&Box::new(StoreError::Busy)), ErrorClass::RateLimit);
    assert_eq!(class(&Arc::new(StoreError::Busy)), ErrorClass::RateLimit);
    assert_eq!(class(&(Box::new(denied()) as Box<dyn Error>)), ErrorClass::Permission);
    assert_eq!(class(&(Box::new(denied()) as Box<dyn Error + Send>)), ErrorClass::Permission);
    assert_eq!(class(&(Arc::new(denied()) as Arc<dyn Error + Send + Sync>)), ErrorClass::Permission);
}
