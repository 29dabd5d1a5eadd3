//! Errors inside other errors.

use std::error::Error;
use std::io;
use std::sync::Arc;

use redress::classify::boxed_classifier;
use redress::error::{AbortRetryError, PermanentError};
use redress::integration::redis::redis_classifier;
use redress::{Classifier, ErrorClass};

use crate::client::RedisError;
use crate::reply::{classify, reply, server_error};

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("no stock")]
    Stock(#[from] RedisError),
    #[error("no stock, shared")]
    Shared(#[source] Arc<RedisError>),
    #[error("no stock, boxed")]
    Boxed(#[source] Box<RedisError>),
    #[error("no stock, of unknown type")]
    Dynamic(#[source] Box<dyn Error + Send + Sync>),
    #[error("several")]
    Deep(#[source] Box<Self>),
    #[error("nothing about Redis")]
    Elsewhere,
}

fn loading() -> RedisError {
    reply("LOADING Redis is loading the dataset in memory")
}

#[test]
fn it_is_found_anywhere() {
    let errors: [Box<dyn Error>; 9] = [
        Box::new(loading()),
        Box::new(Arc::new(loading())),
        Box::new(Box::new(loading())),
        Box::new(Failed::Stock(loading())),
        Box::new(Failed::Shared(Arc::new(loading()))),
        Box::new(Failed::Boxed(Box::new(loading()))),
        Box::new(Failed::Dynamic(Box::new(loading()))),
        Box::new(Failed::Deep(Box::new(Failed::Deep(Box::new(Failed::Stock(loading())))))),
        Box::new(io::Error::other(Arc::new(loading()))),
    ];
    for error in &errors {
        let failure = classify(&**error);
        assert_eq!(failure.class(), ErrorClass::Transient, "{error:?}");
        assert_eq!(failure.detail("redis"), Some("LOADING"), "{error:?}");
        assert!(failure.is_unsent(), "{error:?}");
    }
}

#[test]
fn a_reply_alone_is_read_too() {
    let errors: [Box<dyn Error>; 3] = [
        Box::new(server_error("OOM too much")),
        Box::new(Arc::new(server_error("OOM too much"))),
        Box::new(io::Error::other(server_error("OOM too much"))),
    ];
    for error in &errors {
        let failure = classify(&**error);
        assert_eq!((failure.class(), failure.is_unsent()), (ErrorClass::ServerError, true), "{error:?}");
    }
}

#[test]
fn the_outermost_of_two_decides() {
    let inner = loading();
    let outer = RedisError::from(io::Error::other(inner));
    assert_eq!(classify(&outer).detail("redis"), None, "{:?}", classify(&outer));
    assert_eq!(classify(&outer).class(), ErrorClass::Transient);
}

#[test]
fn an_abort_ends_the_call() {
    let aborted = Failed::Dynamic(Box::new(AbortRetryError::new("enough")));
    assert!(classify(&aborted).is_abort());
    assert!(classify(&RedisError::from(io::Error::other(AbortRetryError::new("enough")))).is_abort());
}

#[test]
fn another_error_has_its_usual_class() {
    assert_eq!(classify(&Failed::Elsewhere).class(), ErrorClass::Unknown);
    let marked = Failed::Dynamic(Box::new(PermanentError::new("no")));
    assert_eq!(classify(&marked).class(), ErrorClass::Permanent);
    assert_eq!(classify(&io::Error::from(io::ErrorKind::TimedOut)).class(), ErrorClass::Transient);
}

#[test]
fn a_success_is_no_failure_and_a_fallback_is_asked() {
    let fine: Result<i64, RedisError> = Ok(7);
    assert!(redis_classifier().classify(&fine).is_none());
    let strict = |result: &Result<i64, RedisError>| result.is_ok().then_some(ErrorClass::Permanent);
    assert_eq!(redis_classifier().or_else(strict).classify(&fine).map(|it| it.class()), Some(ErrorClass::Permanent));
    let boxed: Result<(), Box<dyn Error + Send + Sync>> = Err(loading().into());
    let fallback = boxed_classifier().or_else(|result: &Result<(), Box<dyn Error + Send + Sync>>| {
        result.as_ref().err().map(|error| redis_classifier().classify_error(&**error))
    });
    assert_eq!(fallback.classify(&boxed).map(|it| it.class()), Some(ErrorClass::Transient));
}
