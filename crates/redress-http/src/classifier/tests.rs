//! Tests of each classifier's table, row by row.

use std::io;
use std::time::Duration;

use redress_core::ErrorClass;
use redress_core::classify::boxed_classifier;
use redress_core::error::{AbortRetryError, RateLimitError};

use super::*;

const SEVEN: Duration = Duration::from_secs(7);

fn response(status: u16) -> Response<()> {
    Response::builder().status(status).header("Retry-After", "7").body(()).expect("a valid response")
}

fn answered(classifier: &impl Classifier<Response<()>, io::Error>, status: u16) -> Option<Classification> {
    classifier.classify(&Ok(response(status)))
}

fn of_error<E>(classifier: &impl Classifier<Response<()>, E>, error: E) -> Classification {
    classifier.classify(&Err(error)).expect("an error is a failure")
}

#[test]
fn responses_fail_by_status_in_all_of_them() {
    let rows = [
        (200, None),
        (301, None),
        (401, None),
        (404, None),
        (422, None),
        (501, None),
        (505, None),
        (511, None),
        (408, Some(ErrorClass::Transient)),
        (409, Some(ErrorClass::Concurrency)),
        (429, Some(ErrorClass::RateLimit)),
        (500, Some(ErrorClass::ServerError)),
        (503, Some(ErrorClass::ServerError)),
    ];
    for (status, class) in rows {
        let plain = class.map(|class| Classification::new(class).with_detail("status", status.to_string()));
        let hinted = plain.clone().map(|failure| failure.with_retry_after(SEVEN));
        assert_eq!(answered(&http_classifier(), status), plain, "{status}");
        assert_eq!(answered(&http_retry_after_classifier(), status), hinted, "{status}");
        assert_eq!(answered(&default_result_classifier(), status), hinted, "{status}");
        let boxed: Result<_, Box<dyn Error + Send + Sync>> = Ok(response(status));
        assert_eq!(boxed_http_classifier().classify(&boxed), hinted, "{status}");
    }
}

#[test]
fn errors_are_the_default_classifiers() {
    #[derive(Debug)]
    struct Wrapped(StatusError);
    impl std::fmt::Display for Wrapped {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("the request failed")
        }
    }
    impl Error for Wrapped {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    assert_eq!(of_error(&http_classifier(), Wrapped(StatusError::new(401))).class(), ErrorClass::Auth);
    assert_eq!(
        of_error(&http_retry_after_classifier(), Wrapped(StatusError::new(409))).class(),
        ErrorClass::Concurrency
    );
    let reset = || io::Error::from(io::ErrorKind::ConnectionReset);
    assert_eq!(of_error(&http_classifier(), reset()).class(), ErrorClass::Transient);
    assert_eq!(of_error(&http_retry_after_classifier(), reset()).class(), ErrorClass::Transient);
    assert_eq!(of_error(&http_retry_after_classifier(), reset()).detail("io"), Some("ConnectionReset"));
    assert!(of_error(&http_retry_after_classifier(), AbortRetryError::new("stop")).is_abort());
}

#[test]
fn errors_with_a_status_are_read_by_the_table_and_keep_their_hint() {
    let early = || StatusError::new(425).with_retry_after(SEVEN);
    let asked =
        Classification::new(ErrorClass::Transient).with_retry_after(SEVEN).unsent().with_detail("status", "425");
    assert_eq!(of_error(&http_classifier(), early()), asked);
    assert_eq!(of_error(&http_classifier(), io::Error::other(early())), asked);
    assert_eq!(of_error(&http_retry_after_classifier(), early()), asked);
    assert_eq!(of_error(&http_classifier(), StatusError::new(418)).class(), ErrorClass::Permanent);
}

#[test]
fn a_name_is_guessed_from_only_where_there_is_no_status() {
    #[derive(Debug)]
    struct ReadTimeout(Option<StatusError>);
    impl std::fmt::Display for ReadTimeout {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("the request failed")
        }
    }
    impl Error for ReadTimeout {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.0.as_ref().map(|status| status as _)
        }
    }

    let rows = [
        (None, ErrorClass::Transient),
        (Some(0), ErrorClass::Unknown),
        (Some(200), ErrorClass::Unknown),
        (Some(302), ErrorClass::Unknown),
        (Some(600), ErrorClass::Unknown),
        (Some(418), ErrorClass::Permanent),
        (Some(421), ErrorClass::Transient),
        (Some(503), ErrorClass::ServerError),
    ];
    for (status, class) in rows {
        let make = || ReadTimeout(status.map(StatusError::new));
        for answer in [of_error(&http_classifier(), make()), of_error(&http_retry_after_classifier(), make())] {
            assert_eq!(answer.class(), class, "{status:?}");
        }
    }
    let reset = StatusError::new(302).with_source(io::Error::from(io::ErrorKind::ConnectionReset));
    assert_eq!(of_error(&http_classifier(), reset).class(), ErrorClass::Transient);
    let limited = RateLimitError::new("slow down").with_source(StatusError::new(421));
    assert_eq!(of_error(&http_classifier(), limited).class(), ErrorClass::RateLimit);
}

#[test]
fn the_result_classifier_has_no_opinion_about_errors() {
    let failed: Result<Response<()>, StatusError> = Err(StatusError::new(503));
    assert_eq!(default_result_classifier().classify(&failed), None);

    struct NoError;
    assert_eq!(default_result_classifier().classify(&Err::<Response<()>, _>(NoError)), None);
}

#[test]
fn hints_of_markers_are_kept() {
    let limited = || RateLimitError::new("slow down").with_retry_after(SEVEN);
    assert_eq!(of_error(&http_classifier(), limited()).retry_after(), Some(SEVEN));
    assert_eq!(of_error(&http_retry_after_classifier(), limited()).retry_after(), Some(SEVEN));
}

#[test]
fn a_chain_asks_the_next_about_what_is_not_recognised() {
    let by_body = |result: &Result<Response<&str>, io::Error>| match result {
        Ok(response) if response.body().contains("error") => Some(ErrorClass::Transient),
        Ok(_) => None,
        Err(_) => Some(ErrorClass::Permanent),
    };
    let failed_within = Ok(Response::new("error: try again"));
    let class = |classified: Option<Classification>| classified.map(|failure| failure.class());
    assert_eq!(class(http_classifier().or_else(by_body).classify(&failed_within)), Some(ErrorClass::Transient));
    let chain = http_retry_after_classifier().or_else(by_body);
    assert_eq!(class(chain.classify(&failed_within)), Some(ErrorClass::Transient));
    assert_eq!(class(chain.classify(&Err(io::Error::other("?")))), Some(ErrorClass::Permanent));
}

#[test]
fn boxed_errors_join_through_the_result_classifier() {
    let classifier = default_result_classifier().or_else(boxed_classifier());
    let failed: Result<Response<()>, Box<dyn Error + Send + Sync>> = Err(StatusError::new(503).into());
    let expected = Classification::new(ErrorClass::ServerError).with_detail("status", "503");
    assert_eq!(classifier.classify(&failed), Some(expected));
}

#[test]
fn an_attempt_that_timed_out_is_transient() {
    let timeout = Classifier::<Response<()>, io::Error>::classify_timeout(&http_classifier());
    assert_eq!(timeout, None, "no opinion, which is transient");
}
