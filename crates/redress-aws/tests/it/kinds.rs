//! Failures without an answer, each kind of `SdkError`.

use std::time::Duration;
use std::{fmt, io};

use aws_smithy_runtime_api::client::connection::ConnectionMetadata;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::retry::ErrorKind;
use redress::ErrorClass::{Permanent, RateLimit, ServerError, Transient, Unknown};
use redress::error::AbortRetryError;
use redress::integration::aws::aws_classifier;
use redress::{Classifier, ErrorClass, error_classifier};

use crate::made::{Error, answered, classify, dispatch, response};

fn io_error(kind: io::ErrorKind) -> Box<dyn std::error::Error + Send + Sync> {
    Box::new(io::Error::from(kind))
}

#[test]
fn a_request_that_was_not_built_is_not_sent_again() {
    let failure = classify(&SdkError::construction_failure("no queue URL"));
    assert_eq!((failure.class(), failure.is_unsent(), failure.is_timeout()), (Permanent, true, false));
}

#[test]
fn a_timeout_may_have_been_received() {
    let failure = classify(&SdkError::timeout_error("operation attempt timeout"));
    assert_eq!((failure.class(), failure.is_unsent(), failure.is_timeout()), (Transient, false, true));
}

#[test]
fn failures_of_the_connector() {
    let broken = || io_error(io::ErrorKind::ConnectionReset);
    let rows: Vec<(ConnectorError, ErrorClass, bool, bool)> = vec![
        (ConnectorError::timeout("too slow".into()), Transient, false, true),
        (ConnectorError::timeout("too slow".into()).never_connected(), Transient, true, true),
        (ConnectorError::io(broken()), Transient, false, false),
        (ConnectorError::io(io_error(io::ErrorKind::ConnectionRefused)), Transient, true, false),
        (ConnectorError::io(broken()).never_connected(), Transient, true, false),
        (ConnectorError::io("closed".into()), Transient, false, false),
        (ConnectorError::user("a URL that is none".into()), Permanent, true, false),
        (ConnectorError::other(broken(), Some(ErrorKind::TransientError)), Transient, false, false),
        (ConnectorError::other("busy".into(), Some(ErrorKind::ThrottlingError)), RateLimit, false, false),
        (ConnectorError::other("down".into(), Some(ErrorKind::ServerError)), ServerError, false, false),
        (ConnectorError::other("odd".into(), Some(ErrorKind::ClientError)), Transient, false, false),
        (ConnectorError::other("odd".into(), None), Unknown, false, false),
        (ConnectorError::other("odd".into(), None).never_connected(), Unknown, true, false),
        (ConnectorError::other(broken(), None), Transient, false, false),
    ];
    for (error, class, is_unsent, is_timeout) in rows {
        let shown = format!("{error:?}");
        let failure = classify(&dispatch(error));
        assert_eq!(
            (failure.class(), failure.is_unsent(), failure.is_timeout()),
            (class, is_unsent, is_timeout),
            "{shown}"
        );
    }
    let connected = ConnectorError::io(broken())
        .with_connection(ConnectionMetadata::builder().proxied(false).poison_fn(|| ()).build());
    assert!(!classify(&dispatch(connected)).is_unsent());
}

#[test]
fn the_kind_of_an_io_error_is_a_detail() {
    let failure = classify(&dispatch(ConnectorError::io(io_error(io::ErrorKind::ConnectionReset))));
    assert_eq!(failure.detail("io"), Some("ConnectionReset"));
}

#[test]
fn an_answer_that_cannot_be_read_has_a_status_all_the_same() {
    let rows =
        [(200, Transient), (302, Transient), (403, ErrorClass::Permission), (503, ServerError), (429, RateLimit)];
    for (status, class) in rows {
        let answer = response(status, &[("x-amz-retry-after", "70")]);
        let failure = classify(&SdkError::response_error("the body was cut off", answer));
        assert_eq!((failure.class(), failure.is_unsent()), (class, false), "{status}");
        assert_eq!(failure.detail("status"), Some(status.to_string()).as_deref());
        let hint = class.is_retryable().then_some(Duration::from_millis(70));
        assert_eq!(failure.retry_after(), hint, "{status}");
    }
}

#[test]
fn a_marker_ends_the_call_from_anywhere() {
    let stop = || AbortRetryError::new("the operator said so");
    let errors: [Error; 4] = [
        SdkError::construction_failure(stop()),
        SdkError::timeout_error(stop()),
        dispatch(ConnectorError::io(stop().into())),
        SdkError::response_error(stop(), response(200, &[])),
    ];
    for error in errors {
        assert!(classify(&error).is_abort(), "{error:?}");
    }
}

#[test]
fn every_ok_is_a_success() {
    assert!(aws_classifier().classify(&Ok::<_, Error>("anything")).is_none());
    let failed: Result<(), Error> = Err(answered("SlowDown", response(503, &[])));
    assert_eq!(aws_classifier().classify(&failed).map(|failure| failure.class()), Some(RateLimit));
}

#[test]
fn a_fallback_classifies_the_rest() {
    let classifier = aws_classifier().or_else(error_classifier(|_: &Error| Permanent));
    let odd: Result<(), Error> = Err(dispatch(ConnectorError::other("odd".into(), None)));
    assert_eq!(classifier.classify(&odd).map(|failure| failure.class()), Some(Permanent));
    let slow: Result<(), Error> = Err(answered("SlowDown", response(503, &[])));
    assert_eq!(classifier.classify(&slow).map(|failure| failure.class()), Some(RateLimit));
}

/// An error with this `Debug` output.
struct Printed(&'static str);

impl fmt::Debug for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // In pieces, as derived output is written.
        self.0.split_inclusive('(').try_for_each(|piece| f.write_str(piece))
    }
}

impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}

impl std::error::Error for Printed {}

#[test]
fn a_body_that_fails_on_the_way_may_have_been_received_in_part() {
    let rows = [
        ("hyper::Error(User(Body), \"?\")", Unknown, false),
        ("hyper::Error(User(", Unknown, false),
        ("hyper::Error(User", Permanent, true),
        ("a hyper::Error(User(Body))", Permanent, true),
        ("hyper::Error(UserAgent)", Permanent, true),
    ];
    for (printed, class, is_unsent) in rows {
        let failure = classify(&dispatch(ConnectorError::user(Printed(printed).into())));
        assert_eq!((failure.class(), failure.is_unsent()), (class, is_unsent), "{printed}");
    }
}
