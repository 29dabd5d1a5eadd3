//! Classifications of statuses and their metadata, as errors of a generated client.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use redress_core::error::{AbortRetryError, PermanentError, RateLimitError};
use redress_core::{Classification, Classifier, ErrorClass};
use redress_tonic::{classify_code, classify_status, grpc_classifier};
use tonic::metadata::MetadataValue;
use tonic::{Code, ConnectError, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};

const SEVEN: Duration = Duration::from_secs(7);

fn with_pushback(code: Code, value: &'static str) -> Status {
    let mut status = Status::new(code, "failed");
    status.metadata_mut().insert("grpc-retry-pushback-ms", MetadataValue::from_static(value));
    status
}

fn with_retry_info(code: Code) -> Status {
    Status::with_error_details(code, "failed", ErrorDetails::with_retry_info(Some(SEVEN)))
}

fn with_source(code: Code, source: impl Error + Send + Sync + 'static) -> Status {
    let mut status = Status::new(code, "failed");
    status.set_source(Arc::new(source));
    status
}

fn class(error: impl Error + 'static) -> ErrorClass {
    let failed: Result<Response<()>, _> = Err(error);
    grpc_classifier().classify(&failed).expect("an error is a failure").class()
}

#[test]
fn each_code_has_its_class() {
    let rows = [
        (Code::Ok, ErrorClass::Unknown),
        (Code::Cancelled, ErrorClass::Transient),
        (Code::Unknown, ErrorClass::Transient),
        (Code::InvalidArgument, ErrorClass::Permanent),
        (Code::DeadlineExceeded, ErrorClass::Transient),
        (Code::NotFound, ErrorClass::Permanent),
        (Code::AlreadyExists, ErrorClass::Permanent),
        (Code::PermissionDenied, ErrorClass::Permission),
        (Code::ResourceExhausted, ErrorClass::RateLimit),
        (Code::FailedPrecondition, ErrorClass::Permanent),
        (Code::Aborted, ErrorClass::Concurrency),
        (Code::OutOfRange, ErrorClass::Permanent),
        (Code::Unimplemented, ErrorClass::Permanent),
        (Code::Internal, ErrorClass::ServerError),
        (Code::Unavailable, ErrorClass::Transient),
        (Code::DataLoss, ErrorClass::ServerError),
        (Code::Unauthenticated, ErrorClass::Auth),
    ];
    for (code, expected) in rows {
        assert_eq!(class(Status::new(code, "failed")), expected, "{code:?}");
    }
    let good: Result<Response<()>, Status> = Ok(Response::new(()));
    assert_eq!(grpc_classifier().classify(&good), None);
}

#[test]
fn every_code_but_ok_has_a_class() {
    for number in 0..=16 {
        let code = Code::from_i32(number);
        assert_eq!(classify_code(code).is_none(), code == Code::Ok, "{code:?}");
    }
    assert_eq!(classify_code(Code::from_i32(17)), Some(ErrorClass::Transient));
}

#[test]
fn hints_count_where_a_retry_may_help_and_pushback_comes_first() {
    for number in 1..=16 {
        let code = Code::from_i32(number);
        let retried = classify_status(&Status::new(code, "failed")).class().is_retryable();
        let hint = retried.then_some(SEVEN);
        assert_eq!(classify_status(&with_pushback(code, "7000")).retry_after(), hint, "{code:?}");
        assert_eq!(classify_status(&with_retry_info(code)).retry_after(), hint, "{code:?}");

        let never = classify_status(&with_pushback(code, "-1"));
        assert_eq!(never.retry_forbidden(), retried.then_some("server_pushback"), "{code:?}");
    }
    let mut both = with_retry_info(Code::Unavailable);
    both.metadata_mut().insert("grpc-retry-pushback-ms", MetadataValue::from_static("20"));
    assert_eq!(classify_status(&both).retry_after(), Some(Duration::from_millis(20)));
    both.metadata_mut().insert("grpc-retry-pushback-ms", MetadataValue::from_static("x"));
    let never = classify_status(&both);
    assert_eq!((never.retry_after(), never.retry_forbidden()), (None, Some("server_pushback")));
}

#[test]
fn garbled_details_are_no_hint() {
    let garbled = Status::with_details(Code::Unavailable, "failed", b"\xff\xff\xff".as_slice().into());
    let plain = Classification::new(ErrorClass::Transient).with_detail("grpc", "UNAVAILABLE");
    assert_eq!(classify_status(&garbled), plain);
}

#[test]
fn a_status_made_on_this_side_is_read_by_its_source() {
    let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
    let connect = ConnectError(Box::new(refused()));
    assert_eq!(class(with_source(Code::Cancelled, connect)), ErrorClass::Transient);
    assert_eq!(class(with_source(Code::Cancelled, tonic::TimeoutExpired(()))), ErrorClass::Transient);
    let reset = |reason: h2::Reason| with_source(Code::Internal, h2::Error::from(reason));
    assert_eq!(class(reset(h2::Reason::REFUSED_STREAM)), ErrorClass::Transient);
    assert_eq!(class(reset(h2::Reason::PROTOCOL_ERROR)), ErrorClass::Transient);
    assert_eq!(class(reset(h2::Reason::ENHANCE_YOUR_CALM)), ErrorClass::RateLimit);
    assert_eq!(class(reset(h2::Reason::INADEQUATE_SECURITY)), ErrorClass::Permission);

    let channel = tonic::transport::Endpoint::from_shared("no uri").expect_err("no URI");
    assert_eq!(class(with_source(Code::Unknown, channel)), ErrorClass::Transient);

    // What tonic has no code for.
    assert_eq!(class(Status::from_error(Box::new(refused()))), ErrorClass::Transient);
    assert_eq!(class(Status::from_error(Box::new(PermanentError::new("no")))), ErrorClass::Permanent);
    assert_eq!(class(Status::from_error("who knows".into())), ErrorClass::Unknown);
    // An explicit code is kept.
    assert_eq!(class(with_source(Code::NotFound, RateLimitError::new("x"))), ErrorClass::Permanent);
    assert_eq!(class(with_source(Code::NotFound, Status::unavailable("x"))), ErrorClass::Permanent);
}

#[derive(Debug)]
struct Wrapped<E>(E);

impl<E> std::fmt::Display for Wrapped<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the order could not be read")
    }
}

impl<E: Error + 'static> Error for Wrapped<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn a_status_is_found_behind_an_error_and_an_error_without_one_is_read_anyway() {
    assert_eq!(class(Wrapped(Status::unauthenticated("who"))), ErrorClass::Auth);
    assert_eq!(class(Wrapped(h2::Error::from(h2::Reason::INTERNAL_ERROR))), ErrorClass::Transient);
    assert_eq!(class(Wrapped(RateLimitError::new("slow"))), ErrorClass::RateLimit);
    assert_eq!(class(io::Error::from(io::ErrorKind::TimedOut)), ErrorClass::Transient);
    assert_eq!(class(io::Error::other("what")), ErrorClass::Unknown);

    let failed: Result<(), _> = Err(with_source(Code::Unavailable, AbortRetryError::new("shut down")));
    assert!(grpc_classifier().classify(&failed).is_some_and(|asked| asked.is_abort()));
}

#[test]
fn another_classifier_is_asked_about_what_is_unknown() {
    let classifier = grpc_classifier().or_else(|result: &Result<u8, Status>| match result {
        Ok(0) => Some(ErrorClass::Transient),
        Ok(_) => None,
        Err(_) => Some(ErrorClass::ServerError),
    });
    let class = |result| classifier.classify(&result).map(|failure| failure.class());
    assert_eq!(class(Ok(0)), Some(ErrorClass::Transient));
    assert_eq!(class(Ok(1)), None);
    assert_eq!(class(Err(Status::from_error("?".into()))), Some(ErrorClass::ServerError));
    assert_eq!(class(Err(Status::not_found("?"))), Some(ErrorClass::Permanent));
}
