//! Errors that hold another error and return that error's source: `Arc`, `Box`, and contexts.

use std::error::Error;
use std::io;
use std::sync::Arc;

use redress_core::classify::{boxed_classifier, source_chain};
use redress_core::error::{
    AbortRetryError, ConcurrencyError, PermanentError, RateLimitError, ServerError, StatusError,
};
use redress_core::{Classification, Classifier, ErrorClass, Policy};

use super::{Named, Source, Wrapper, check, everywhere, of_kind, of_status};

type Make = fn() -> Source;

fn reset() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

/// An error, alone, shared and boxed, in every way in which it may be held.
macro_rules! held {
    ($make:expr) => {
        [
            (|| $make.into()) as Make,
            || Arc::new($make).into(),
            || Box::new($make).into(),
            || (Arc::new($make) as Arc<dyn Error + Send + Sync>).into(),
            || (Arc::new(Arc::new($make)) as Arc<dyn Error + Send + Sync>).into(),
        ]
    };
}

#[test]
fn known_errors_are_found_behind_an_arc_and_a_box() {
    let rows: [([Make; 5], Classification); 7] = [
        (held!(reset()), of_kind("ConnectionReset", ErrorClass::Transient)),
        (held!(StatusError::new(503)), of_status(503, ErrorClass::ServerError)),
        (held!(AbortRetryError::new("stop")), Classification::abort()),
        (held!(PermanentError::new("no")), ErrorClass::Permanent.into()),
        (held!(RateLimitError::new("no")), ErrorClass::RateLimit.into()),
        (held!(ConcurrencyError::new("no")), ErrorClass::Concurrency.into()),
        (held!(ServerError::new("no")), ErrorClass::ServerError.into()),
    ];
    for (makes, expected) in rows {
        for (way, make) in makes.into_iter().enumerate() {
            check(&*make(), &format!("way {way}"), &expected);
            check(&io::Error::other(make()), &format!("way {way} inside an io::Error"), &expected);
            for (place, error) in everywhere(|| Wrapper(make())) {
                check(&*error, &format!("way {way}, {place}"), &expected);
            }
        }
    }
}

#[test]
fn what_a_shared_error_of_any_type_has_behind_it_is_found() {
    let shared: Arc<dyn Error + Send + Sync> = Arc::new(Wrapper(Arc::new(reset()).into()));
    check(&shared, "behind a shared one", &of_kind("ConnectionReset", ErrorClass::Transient));
    let alone: Arc<dyn Error> = Arc::new(reset());
    check(&alone, "shared on one thread", &of_kind("ConnectionReset", ErrorClass::Transient));
    let sent: Arc<dyn Error + Send> = Arc::new(reset());
    check(&sent, "shared and sent", &of_kind("ConnectionReset", ErrorClass::Transient));
    // The source of an unknown type is still found.
    let other = Arc::new(Wrapper(StatusError::new(404).into()));
    check(&other, "behind an Arc of another type", &of_status(404, ErrorClass::Permanent));
}

#[test]
fn every_error_is_passed_once() {
    let count = |error: &(dyn Error + 'static)| source_chain(error).count();
    assert_eq!(count(&Arc::new(reset())), 2);
    assert_eq!(count(&Arc::new(io::Error::other(Wrapper(Named("Inner").into())))), 4);
    assert_eq!(count(&Box::new(StatusError::new(503).with_source(Named("Inner")))), 3);
    let shared: Arc<dyn Error + Send + Sync> = Arc::new(Wrapper(Named("Inner").into()));
    assert_eq!(count(&shared), 3);
}

#[test]
fn a_chain_of_shared_errors_is_walked_no_further_than_any_other() {
    let mut error: Arc<dyn Error + Send + Sync> = Arc::new(reset());
    for _ in 0..200 {
        error = Arc::new(error);
    }
    assert_eq!(source_chain(&error).count(), 128);
}

#[test]
fn a_policy_reads_shared_and_boxed_errors() {
    let policy = Policy::builder().build().expect("valid");
    let outcome = policy.execute(|| Err::<(), _>(Arc::new(StatusError::new(404))));
    assert_eq!(outcome.last_class(), Some(ErrorClass::Permanent));
    let outcome = policy.execute(|| Err::<(), _>(Box::new(StatusError::new(404))));
    assert_eq!(outcome.last_class(), Some(ErrorClass::Permanent));
}

#[test]
fn the_boxed_classifier_reads_shared_errors_and_contexts() {
    let class = |classified: Option<Classification>| classified.map(|failure| failure.class());
    let shared: Result<(), Arc<dyn Error + Send + Sync>> = Err(Arc::new(reset()));
    assert_eq!(class(boxed_classifier().classify(&shared)), Some(ErrorClass::Transient));

    let contexts: [fn() -> anyhow::Error; 5] = [
        || reset().into(),
        || anyhow::Error::from(reset()).context("reading the page"),
        || anyhow::Error::from(reset()).context("reading the page").context(PermanentContext),
        || anyhow::Error::from(Arc::new(reset())).context("reading the page"),
        || anyhow::Context::context(Err::<(), _>(reset()), "reading the page").expect_err("an error"),
    ];
    for (row, make) in contexts.into_iter().enumerate() {
        let failed: Result<(), _> = Err(make());
        assert_eq!(class(boxed_classifier().classify(&failed)), Some(ErrorClass::Transient), "{row}");
    }
}

/// A context's text is not an error, so its name says nothing.
struct PermanentContext;

impl std::fmt::Display for PermanentContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("forbidden")
    }
}

/// Why the documentation warns of it.
#[test]
fn a_transparent_error_hides_the_one_inside() {
    #[derive(Debug, thiserror::Error)]
    enum Hiding {
        #[error(transparent)]
        Io(#[from] io::Error),
    }
    check(&Hiding::from(reset()), "hidden", &ErrorClass::Unknown.into());
    let behind = Hiding::from(io::Error::other(Wrapper(StatusError::new(404).into())));
    check(&behind, "what stands behind the hidden one", &of_status(404, ErrorClass::Permanent));
}
