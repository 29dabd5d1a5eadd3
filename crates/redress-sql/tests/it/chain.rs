//! Where a classifier finds its driver's error, and what it says without one.

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex};

use redress::error::{AbortRetryError, PermanentError};
use redress::integration::sql::sqlstate_classifier;
use redress::{Classifier, ErrorClass, Policy, default_classifier};

use crate::support::{Booking, Transparent};

#[derive(Debug, thiserror::Error)]
#[error("the driver's error")]
struct DriverError {
    state: Option<&'static str>,
    source: Option<io::Error>,
}

impl DriverError {
    const fn with(state: &'static str) -> Self {
        Self { state: Some(state), source: None }
    }
}

fn state_of(error: &DriverError) -> Option<&str> {
    error.state
}

fn class_of<E: Error + 'static>(error: E) -> ErrorClass {
    let result: Result<(), E> = Err(error);
    sqlstate_classifier(state_of).classify(&result).expect("a failure").class()
}

#[test]
fn an_error_is_found_anywhere_in_a_chain() {
    let deadlock = || DriverError::with("40P01");
    assert_eq!(class_of(deadlock()), ErrorClass::Concurrency);
    assert_eq!(class_of(Booking(deadlock())), ErrorClass::Concurrency);
    assert_eq!(class_of(Booking(Arc::new(deadlock()))), ErrorClass::Concurrency);
    assert_eq!(class_of(Booking(Box::new(deadlock()))), ErrorClass::Concurrency);
    assert_eq!(class_of(io::Error::other(deadlock())), ErrorClass::Concurrency);
    let erased: Arc<dyn Error + Send + Sync> = Arc::new(deadlock());
    assert_eq!(class_of(erased), ErrorClass::Concurrency);
    assert_eq!(class_of(Transparent(Booking(deadlock()))), ErrorClass::Concurrency);

    let boxed: Box<dyn Error + Send + Sync> = Box::new(Booking(deadlock()));
    assert_eq!(sqlstate_classifier(state_of).classify_error(&*boxed).class(), ErrorClass::Concurrency);
    let reported = anyhow::Error::new(deadlock()).context("could not book");
    assert_eq!(sqlstate_classifier(state_of).classify_error(reported.as_ref()).class(), ErrorClass::Concurrency);
}

#[test]
fn without_a_state_the_default_classifier_decides() {
    let without = |source| DriverError { state: None, source };
    assert_eq!(class_of(without(None)), ErrorClass::Unknown);
    assert_eq!(class_of(without(Some(io::ErrorKind::ConnectionReset.into()))), ErrorClass::Transient);
    assert_eq!(class_of(PermanentError::new("no")), ErrorClass::Permanent);
    // An error of the type further inside, which has a state.
    assert_eq!(class_of(without(Some(io::Error::other(DriverError::with("28P01"))))), ErrorClass::Auth);
}

#[test]
fn a_strict_classifier_does_not_guess_from_names() {
    #[derive(Debug, thiserror::Error)]
    #[error("no answer")]
    struct LoginTimeout;

    let guessing = sqlstate_classifier(state_of);
    let strict = guessing.strict();
    let failed: Result<(), _> = Err(LoginTimeout);
    assert_eq!(guessing.classify(&failed).expect("a failure").class(), ErrorClass::Transient);
    assert_eq!(strict.classify(&failed).expect("a failure").class(), ErrorClass::Unknown);
    assert!(format!("{strict:?}").starts_with("SqlStateClassifier"));
}

#[test]
fn an_abort_ends_the_call_and_a_success_is_none() {
    let abort: Result<(), _> = Err(Booking(AbortRetryError::new("stop")));
    assert!(sqlstate_classifier(state_of).classify(&abort).expect("a failure").is_abort());
    let success: Result<u32, DriverError> = Ok(7);
    assert!(sqlstate_classifier(state_of).classify(&success).is_none());
}

#[test]
fn a_fallback_is_called_where_the_table_has_no_opinion() {
    let always = |_: &Result<(), DriverError>| Some(ErrorClass::ServerError);
    let classifier = sqlstate_classifier(state_of).or_else(always);
    let of = |state| classifier.classify(&Err(DriverError::with(state))).expect("a failure").class();
    assert_eq!((of("HY000"), of("23505")), (ErrorClass::ServerError, ErrorClass::Permanent));

    let copied = sqlstate_classifier(state_of).or_else(default_classifier());
    assert!(copied.classify(&Err::<(), _>(DriverError::with("HY000"))).is_some());
}

#[test]
fn the_code_is_the_label_of_events() {
    let labels = Mutex::new(Vec::new());
    let policy = Policy::builder().classifier(sqlstate_classifier(state_of)).build().expect("a valid policy");
    let noting = policy
        .context()
        .on_metric(|event| labels.lock().expect("not poisoned").extend(event.detail().map(str::to_owned)));
    let failed = noting.execute(|| Err::<(), _>(DriverError::with("23505")));
    assert_eq!(failed.attempts(), 1);
    drop(noting);
    assert_eq!(labels.into_inner().expect("not poisoned"), ["23505"]);
}
