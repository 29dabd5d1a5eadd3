//! Errors and responses as the classifiers of policies read them.

use std::error::Error;
use std::{fmt, io};

use http::{HeaderMap, Response};
use redress::ErrorClass::{self, Permanent, RateLimit, ServerError, Transient, Unknown};
use redress::error::AbortRetryError;
use redress::integration::llm::anthropic::{anthropic_classifier, anthropic_response_classifier};
use redress::integration::llm::openai::{openai_classifier, openai_response_classifier};
use redress::integration::llm::{BODY_LIMIT, ErrorResponse, Output, anthropic, openai};
use redress::{Classification, Classifier};

use crate::support::{headers, status, typed};

const QUOTA: &str = r#"{"error": {"type": "insufficient_quota"}}"#;

#[derive(Debug)]
struct Failed<E>(E);

impl<E> fmt::Display for Failed<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the completion failed")
    }
}

impl<E: Error + 'static> Error for Failed<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn bad(code: u16, body: &str) -> ErrorResponse {
    ErrorResponse::new(status(code), headers(&[("retry-after", "7")]), body)
}

fn by_openai(error: impl Error + 'static) -> Classification {
    openai_classifier().classify(&Err::<String, _>(error)).expect("a failure")
}

fn by_anthropic(error: impl Error + 'static) -> Classification {
    anthropic_classifier().classify(&Err::<String, _>(error)).expect("a failure")
}

#[test]
fn a_response_is_found_in_any_chain() {
    assert_eq!(by_openai(bad(429, QUOTA)).detail("quota"), Some("insufficient_quota"));
    assert_eq!(by_openai(Failed(Failed(bad(429, QUOTA)))).class(), Permanent);
    let overloaded = by_anthropic(Failed(bad(429, &typed("overloaded_error"))));
    assert_eq!((overloaded.class(), overloaded.retry_after().map(|wait| wait.as_secs())), (ServerError, Some(7)));
    assert_eq!(by_openai(bad(200, QUOTA)).class(), Unknown, "an error with the status of a success");
    assert_eq!(openai::classify_error(&bad(429, QUOTA)).class(), Permanent);
    assert_eq!(anthropic::classify_error(&bad(402, "")).class(), Permanent);
}

#[test]
fn a_stream_is_found_in_any_chain() {
    let failed = || anthropic::check_event(typed("overloaded_error"), Output::Delivered).expect_err("an error");
    for failure in [by_anthropic(failed()), by_anthropic(Failed(failed())), by_openai(Failed(failed()))] {
        assert_eq!((failure.class(), failure.retry_forbidden()), (ServerError, Some("output_delivered")));
    }
}

#[test]
fn other_errors_are_a_clients() {
    let reset = || io::Error::from(io::ErrorKind::ConnectionReset);
    assert_eq!(by_openai(reset()).class(), Transient);
    assert_eq!(by_anthropic(Failed(reset())).detail("io"), Some("ConnectionReset"));
    assert!(by_openai(AbortRetryError::new("stop")).is_abort());
    assert!(by_openai(Failed(AbortRetryError::new("stop"))).is_abort());
    assert_eq!(openai_classifier().classify(&Ok::<_, io::Error>("text")), None);
    assert_eq!(anthropic_classifier().classify(&Ok::<_, io::Error>("text")), None);
}

#[test]
fn a_response_that_was_read_is_classified_whole() {
    let respond = |code: u16, body: &str| {
        let response = Response::builder().status(code).header("retry-after", "7").body(body.to_owned());
        Ok::<_, io::Error>(response.expect("a response"))
    };
    let class = |failure: Option<Classification>| failure.map(|failure| failure.class());
    let rows: [(u16, &str, Option<ErrorClass>); 6] = [
        (200, QUOTA, None),
        (302, "", None),
        (400, "", Some(Permanent)),
        (429, "", Some(RateLimit)),
        (429, QUOTA, Some(Permanent)),
        (503, "", Some(ServerError)),
    ];
    for (code, body, expected) in rows {
        assert_eq!(class(openai_response_classifier().classify(&respond(code, body))), expected, "{code} {body}");
    }
    let overloaded = respond(429, &typed("overloaded_error"));
    assert_eq!(class(anthropic_response_classifier().classify(&overloaded)), Some(ServerError));
    assert_eq!(class(anthropic_response_classifier().classify(&respond(200, ""))), None);

    let bytes: Result<Response<Vec<u8>>, io::Error> = Err(io::ErrorKind::ConnectionReset.into());
    assert_eq!(class(openai_response_classifier().classify(&bytes)), Some(Transient));
    assert_eq!(class(anthropic_response_classifier().classify(&bytes)), Some(Transient));
}

#[test]
fn a_chain_of_classifiers_asks_the_next() {
    let empty = |result: &Result<String, io::Error>| match result {
        Ok(text) if text.is_empty() => Some(Classification::new(Transient)),
        _ => None,
    };
    let both = [
        openai_classifier().or_else(empty).classify(&Ok(String::new())),
        anthropic_classifier().or_else(empty).classify(&Ok(String::new())),
    ];
    assert!(both.iter().flatten().all(|failure| failure.class() == Transient));
    let unread = |result: &Result<Response<String>, io::Error>| result.is_ok().then_some(Transient);
    let response = || Ok(Response::new(String::new()));
    assert!(openai_response_classifier().or_else(unread).classify(&response()).is_some());
    assert!(anthropic_response_classifier().or_else(unread).classify(&response()).is_some());
}

#[test]
fn an_error_keeps_the_beginning_of_a_body_and_shows_none_of_it() {
    let secret = "Incorrect API key provided: sk-123";
    let error = bad(401, secret);
    assert_eq!((error.status().as_u16(), error.body()), (401, secret.as_bytes()));
    assert_eq!(error.headers()["retry-after"], "7");
    for shown in [error.to_string(), format!("{error:?}"), format!("{:?}", error.clone())] {
        assert!(shown.contains("401") && !shown.contains("sk-123"), "{shown}");
    }

    let long = format!("{QUOTA}{}", " ".repeat(BODY_LIMIT));
    for error in [bad(429, &long), ErrorResponse::read(status(429), HeaderMap::new(), long.as_bytes())] {
        assert_eq!(error.body().len(), BODY_LIMIT);
        assert_eq!(by_openai(error).class(), RateLimit, "a body that was cut is not parsed");
    }
    let whole = &long[..BODY_LIMIT];
    for error in [bad(429, whole), ErrorResponse::read(status(429), HeaderMap::new(), whole.as_bytes())] {
        assert_eq!(by_openai(error).class(), Permanent);
    }
}

#[test]
fn a_reader_is_read_up_to_the_limit_and_to_its_error() {
    let endless = ErrorResponse::read(status(503), HeaderMap::new(), io::repeat(b' '));
    assert_eq!((endless.body().len(), by_openai(endless).class()), (BODY_LIMIT, ServerError));

    struct Broken<'b>(&'b [u8]);
    impl io::Read for Broken<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::ErrorKind::ConnectionReset.into()),
                count => Ok(count),
            }
        }
    }
    let broken = ErrorResponse::read(status(429), HeaderMap::new(), Broken(&QUOTA.as_bytes()[..20]));
    assert_eq!(broken.body(), &QUOTA.as_bytes()[..20]);
    assert_eq!(by_openai(broken).class(), RateLimit);
}
