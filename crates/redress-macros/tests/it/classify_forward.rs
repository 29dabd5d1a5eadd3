//! Variants that ask the error inside.

use std::error::Error;
use std::io;
use std::num::ParseIntError;
use std::sync::Arc;
use std::time::Duration;

use redress::error::{RateLimitError, StatusError};
use redress::{Classify, ErrorClass, default_classifier};

type Boxed = Box<dyn Error + Send + Sync>;

#[derive(Debug, thiserror::Error, Classify)]
enum Inner {
    #[error("busy")]
    #[classify(Concurrency)]
    Busy,
}

#[derive(Debug, thiserror::Error, Classify)]
enum Outer {
    #[error(transparent)]
    #[classify(forward)]
    Derived(#[from] Inner),
    #[error(transparent)]
    #[classify(forward)]
    Io(io::Error),
    #[error("shared")]
    #[classify(forward)]
    Shared(Arc<Inner>),
    #[error(transparent)]
    #[classify(forward)]
    Boxed(Boxed),
    #[error("shared")]
    #[classify(forward)]
    SharedBox(Arc<dyn Error + Send + Sync>),
    #[error(transparent)]
    #[classify(forward)]
    Marked(RateLimitError),
    #[error("marked as source")]
    #[classify(forward)]
    Marker(u8, #[source] StatusError),
    #[error("named source")]
    #[classify(forward)]
    Source { at: u8, source: Inner },
    #[error("named in the attribute")]
    #[classify(forward = second)]
    Named { first: io::Error, second: io::Error },
    #[error("numbered in the attribute")]
    #[classify(forward = 1, details(replica = "second"))]
    Numbered(io::Error, io::Error),
}

fn io(kind: io::ErrorKind) -> io::Error {
    kind.into()
}

#[test]
fn the_error_inside_decides() {
    let class = |error: Outer| error.classification().class();
    let reset = || io(io::ErrorKind::ConnectionReset);
    let denied = || io(io::ErrorKind::PermissionDenied);
    assert_eq!(class(Inner::Busy.into()), ErrorClass::Concurrency);
    assert_eq!(class(Outer::Io(denied())), ErrorClass::Permission);
    assert_eq!(class(Outer::Shared(Arc::new(Inner::Busy))), ErrorClass::Concurrency);
    assert_eq!(class(Outer::Boxed(reset().into())), ErrorClass::Transient);
    assert_eq!(class(Outer::SharedBox(Arc::new(denied()))), ErrorClass::Permission);
    assert_eq!(class(Outer::Marker(1, StatusError::new(401))), ErrorClass::Auth);
    assert_eq!(class(Outer::Source { at: 1, source: Inner::Busy }), ErrorClass::Concurrency);
    assert_eq!(class(Outer::Named { first: denied(), second: reset() }), ErrorClass::Transient);
    let numbered = Outer::Numbered(denied(), reset()).classification();
    assert_eq!((numbered.class(), numbered.detail("replica")), (ErrorClass::Transient, Some("second")));
    assert_eq!(numbered.detail("io"), Some("ConnectionReset"), "the details inside stay");
}

#[test]
fn the_hint_inside_stays() {
    let limited = RateLimitError::new("slow down").with_retry_after(Duration::from_secs(7));
    assert_eq!(Outer::Marked(limited).classification().retry_after(), Some(Duration::from_secs(7)));
}

#[derive(Classify)]
#[classify(forward = error, retry_after = wait)]
struct Waiting {
    error: RateLimitError,
    wait: Option<Duration>,
}

#[test]
fn a_hint_outside_replaces_one_inside() {
    let error = || RateLimitError::new("slow down").with_retry_after(Duration::from_secs(7));
    let with = |wait| Waiting { error: error(), wait }.classification().retry_after();
    assert_eq!(with(Some(Duration::from_secs(9))), Some(Duration::from_secs(9)));
    assert_eq!(with(None), Some(Duration::from_secs(7)));
}

#[derive(Debug, thiserror::Error)]
#[error("the upstream is too slow")]
struct UpstreamTimeout;

#[derive(Classify)]
enum Foreign {
    #[classify(default_classifier)]
    Timeout(UpstreamTimeout),
    #[classify(default_classifier = inner)]
    Named { _count: u8, inner: UpstreamTimeout },
    #[classify(with = of_parsing)]
    Parse(ParseIntError),
    #[classify(with = |error| default_classifier().classify_error(error.as_ref()))]
    Any(anyhow::Error),
}

fn of_parsing(_: &ParseIntError) -> ErrorClass {
    ErrorClass::Permanent
}

#[test]
fn an_error_of_another_crate_is_read_by_a_classifier_or_a_function() {
    let class = |error: Foreign| error.classification().class();
    assert_eq!(class(Foreign::Timeout(UpstreamTimeout)), ErrorClass::Transient);
    assert_eq!(class(Foreign::Named { _count: 1, inner: UpstreamTimeout }), ErrorClass::Transient);
    assert_eq!(class(Foreign::Parse("x".parse::<u8>().unwrap_err())), ErrorClass::Permanent);
    assert_eq!(class(Foreign::Any(UpstreamTimeout.into())), ErrorClass::Transient);
}
