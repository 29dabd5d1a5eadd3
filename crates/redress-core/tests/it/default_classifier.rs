//! The default classifier: markers, statuses, kinds and names, anywhere in a source chain.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use redress_core::classify::{source_chain, strict_classifier};
use redress_core::error::{
    AbortRetryError, ConcurrencyError, PermanentError, RateLimitError, ServerError, StatusError,
};
use redress_core::{
    Classification, Classifier, Classify, ErrorClass, Policy, Retry, StopReason, default_classifier, fixed,
};

use crate::lab::secs;

mod inside;
mod io_errors;
mod names;

type Source = Box<dyn Error + Send + Sync>;

/// An error that only has a source.
struct Wrapper(Source);

impl fmt::Debug for Wrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wrapper")
    }
}

impl fmt::Display for Wrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it failed")
    }
}

impl Error for Wrapper {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

/// An error with this name, as far as its `Debug` goes.
struct Named(&'static str);

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The message is never looked at.
        f.write_str("timeout, forbidden, unauthorized")
    }
}

impl Error for Named {}

/// The error as it is, and at each place where the classifier is to find it.
fn everywhere<E: Error + Send + Sync + 'static>(make: impl Fn() -> E) -> [(&'static str, Source); 6] {
    [
        ("itself", make().into()),
        ("behind another", Wrapper(make().into()).into()),
        ("deep down", Wrapper(Wrapper(Wrapper(make().into()).into()).into()).into()),
        ("inside an io::Error", io::Error::other(make()).into()),
        ("behind one inside an io::Error", io::Error::other(Wrapper(make().into())).into()),
        ("inside an io::Error behind another", Wrapper(io::Error::other(make()).into()).into()),
    ]
}

fn of_status(status: u16, class: ErrorClass) -> Classification {
    Classification::new(class).with_detail("status", status.to_string())
}

fn of_kind(kind: &'static str, class: ErrorClass) -> Classification {
    Classification::new(class).with_detail("io", kind)
}

#[track_caller]
fn check(error: &(dyn Error + 'static), what: &str, expected: &Classification) {
    assert_eq!(default_classifier().classify_error(error), *expected, "{what}");
    assert_eq!(strict_classifier().classify_error(error), *expected, "{what}, strictly");
}

#[test]
fn markers_are_found_anywhere() {
    let rows: [(fn() -> Source, ErrorClass); 4] = [
        (|| PermanentError::new("it is gone").with_retry_after(secs(3)).into(), ErrorClass::Permanent),
        (|| RateLimitError::new("slow down").with_retry_after(secs(3)).into(), ErrorClass::RateLimit),
        (|| ConcurrencyError::new("two writers").with_retry_after(secs(3)).into(), ErrorClass::Concurrency),
        (|| ServerError::new("it broke").with_retry_after(secs(3)).into(), ErrorClass::ServerError),
    ];
    for (make, class) in rows {
        let expected = Classification::new(class).with_retry_after(secs(3));
        check(&*make(), "itself", &expected);
        for (place, error) in everywhere(|| Wrapper(make())) {
            check(&*error, place, &expected);
        }
        check(&io::Error::other(make()), "inside an io::Error", &expected);
    }
    for (place, error) in everywhere(|| RateLimitError::new("no hint")) {
        check(&*error, place, &Classification::new(ErrorClass::RateLimit));
    }
}

#[test]
fn an_abort_is_found_anywhere() {
    for (place, error) in everywhere(|| AbortRetryError::new("shutting down")) {
        check(&*error, place, &Classification::abort());
    }
}

#[test]
fn an_abort_wins_over_every_marker_around_it() {
    let abort = || AbortRetryError::new("shutting down");
    let around: [(&str, Source); 6] = [
        ("permanent", PermanentError::new("gone").with_source(abort()).into()),
        ("rate limit", RateLimitError::new("slow down").with_source(abort()).into()),
        ("concurrency", ConcurrencyError::new("two writers").with_source(abort()).into()),
        ("server", ServerError::new("it broke").with_source(abort()).into()),
        ("status", StatusError::new(503).with_source(abort()).into()),
        ("timed out", io::Error::new(io::ErrorKind::TimedOut, abort()).into()),
    ];
    for (name, error) in around {
        check(&*error, name, &Classification::abort());
    }
}

#[test]
fn statuses_are_found_anywhere_and_read_by_one_table() {
    let classes = |status| match status {
        401 | 407 | 511 => Some(ErrorClass::Auth),
        403 => Some(ErrorClass::Permission),
        408 | 421 | 425 => Some(ErrorClass::Transient),
        409 | 423 => Some(ErrorClass::Concurrency),
        429 => Some(ErrorClass::RateLimit),
        400..=499 | 501 | 505 | 506 | 508 | 510 => Some(ErrorClass::Permanent),
        500..=599 => Some(ErrorClass::ServerError),
        _ => None,
    };
    for status in 0..=1000 {
        assert_eq!(ErrorClass::from_status(status), classes(status), "{status}");
        let expected = match classes(status) {
            Some(class) => Classification::new(class).with_detail("status", status.to_string()),
            None => Classification::new(ErrorClass::Unknown),
        };
        check(&StatusError::new(status), &status.to_string(), &expected);
    }
    for (place, error) in everywhere(|| StatusError::new(503).with_retry_after(secs(9))) {
        check(&*error, place, &of_status(503, ErrorClass::ServerError).with_retry_after(secs(9)));
    }
}

#[test]
fn a_status_that_says_nothing_is_passed_over() {
    let behind = StatusError::new(302).with_source(StatusError::new(429));
    check(&behind, "302 over 429", &of_status(429, ErrorClass::RateLimit));
    let behind = StatusError::new(302).with_source(io::Error::from(io::ErrorKind::ConnectionReset));
    check(&behind, "302 over a reset", &of_kind("ConnectionReset", ErrorClass::Transient));
}

#[test]
fn what_is_surer_decides_wherever_it_stands() {
    let rows: [(&str, Source, Classification); 5] = [
        (
            "a marker behind a status",
            StatusError::new(503).with_source(PermanentError::new("gone")).into(),
            ErrorClass::Permanent.into(),
        ),
        (
            "a marker inside a kind",
            io::Error::new(io::ErrorKind::NotFound, RateLimitError::new("slow down")).into(),
            ErrorClass::RateLimit.into(),
        ),
        (
            "a status inside a kind",
            io::Error::new(io::ErrorKind::NotFound, StatusError::new(429)).into(),
            of_status(429, ErrorClass::RateLimit),
        ),
        (
            "the outer of two statuses",
            StatusError::new(503).with_source(StatusError::new(404)).into(),
            of_status(503, ErrorClass::ServerError),
        ),
        (
            "the outer of two markers",
            RateLimitError::new("slow down").with_source(ServerError::new("it broke")).into(),
            ErrorClass::RateLimit.into(),
        ),
    ];
    for (what, error, expected) in rows {
        check(&*error, what, &expected);
    }
    let kind_over_name = Wrapper(io::Error::new(io::ErrorKind::NotFound, Named("ConnectionTimeout")).into());
    check(&kind_over_name, "a kind over a name", &of_kind("NotFound", ErrorClass::Permanent));
}

#[test]
fn every_ok_is_a_success() {
    assert!(default_classifier().classify(&Ok::<_, io::Error>("fine")).is_none());
    assert!(strict_classifier().classify(&Ok::<_, io::Error>("fine")).is_none());
}

#[test]
fn a_policy_uses_it_by_default() {
    let retry = || Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3);
    let policy = Policy::builder().retry(retry()).build().expect("valid");
    let outcome = policy.execute(|| Err::<(), _>(StatusError::new(404)));
    assert_eq!(outcome.stop_reason(), Some(StopReason::NonRetryableClass));
    let outcome = policy.execute(|| Err::<(), _>(io::Error::other(AbortRetryError::new("stop"))));
    assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::Aborted), 1));
    let strict = Policy::builder().retry(retry().max_unknown_retries(0)).classifier(strict_classifier());
    let outcome = strict.build().expect("valid").execute(|| Err::<(), _>(Named("Timeout")));
    assert_eq!(outcome.stop_reason(), Some(StopReason::MaxUnknownAttempts));
}

/// The error of an inner call is classified by what made it fail.
#[test]
fn a_call_error_is_read_through_its_sources() {
    let inner = Policy::builder().build().expect("valid");
    let outer = Policy::builder().build().expect("valid");
    let outcome = outer.execute(|| inner.call(|| Err::<(), _>(StatusError::new(429).with_retry_after(secs(9)))));
    assert_eq!(outcome.last_class(), Some(ErrorClass::RateLimit));
    let outcome = outer.execute(|| inner.call(|| Err::<(), _>(AbortRetryError::new("stop"))));
    assert_eq!(outcome.stop_reason(), Some(StopReason::Aborted));
}

#[test]
fn markers_say_what_they_were_given() {
    let error = RateLimitError::new("slow down").with_source(Named("Inner"));
    assert_eq!(error.to_string(), "slow down");
    assert_eq!(error.source().map(|inner| format!("{inner:?}")).as_deref(), Some("Inner"));
    assert_eq!(error.classification(), Classification::new(ErrorClass::RateLimit));
    let error = StatusError::new(503).with_retry_after(secs(1)).with_source(Named("Inner"));
    assert_eq!((error.status(), error.retry_after()), (503, Some(secs(1))));
    assert_eq!(error.to_string(), "status 503");
    assert!(error.source().is_some_and(<dyn Error>::is::<Named>));
    assert_eq!(AbortRetryError::new("stop").to_string(), "stop");
}

/// An error that says it was caused by itself.
#[derive(Debug)]
struct Ouroboros;

impl fmt::Display for Ouroboros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("caused by itself")
    }
}

impl Error for Ouroboros {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

#[test]
fn an_error_that_is_its_own_source_is_classified_all_the_same() {
    assert_eq!(source_chain(&Ouroboros).count(), 128);
    let result: Result<(), _> = Err(Ouroboros);
    let classification = default_classifier().classify(&result).expect("a failure");
    assert_eq!(classification.class(), ErrorClass::Unknown);
}
