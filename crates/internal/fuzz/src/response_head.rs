//! The target `response_head`: the method and URI of a request, the status and headers of its
//! response.
//!
//! Compares with the core's table of statuses, and with a second implementation of the documented
//! rules. The input resembles HTTP: a first line of method, URI and status, then header lines;
//! anything the types of `http` refuse is left out.

use std::io;
use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri};
use redress_core::error::StatusError;
use redress_core::{Classification, Classifier, ErrorClass};
use redress_http::{
    IdempotencyGuard, RetrySafety, classify, classify_response, classify_status, default_operation,
    default_result_classifier, http_classifier, http_retry_after_classifier, is_idempotent_method, parse_retry_after,
    retry_after,
};

/// The content of an input.
struct Head {
    method: Option<Method>,
    uri: Option<Uri>,
    /// May be a number that `http` refuses as a status.
    status: u16,
    headers: HeaderMap,
}

/// Takes any head of a request and its response. Checks the class by the table, the bounds of the
/// hint, and the rules of repetition.
///
/// # Panics
///
/// If a law is broken.
pub fn response_head(bytes: &[u8]) {
    let head = read(bytes);
    let now = UNIX_EPOCH + Duration::from_secs(784_111_777);
    if let Ok(status) = StatusCode::from_u16(head.status) {
        status_is_read_by_the_table(status, &head.headers, now);
        policies_read_the_same(status, &head.headers);
    }
    errors_are_read_by_the_table(head.status);
    if let Some(method) = &head.method {
        repetition_is_allowed_by_the_rules(method, &head.headers);
        what_was_not_acted_on_may_be_sent_again(method, &head, now);
    }
    if let (Some(method), Some(uri)) = (&head.method, &head.uri) {
        an_operation_is_method_and_path(method, uri);
    }
}

fn read(bytes: &[u8]) -> Head {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut words = lines.next().unwrap_or_default().split(|byte| *byte == b' ');
    let mut word = || words.next().unwrap_or_default();
    let method = Method::from_bytes(word()).ok();
    let uri = Uri::try_from(word()).ok();
    let status = std::str::from_utf8(word()).ok().and_then(|status| status.parse().ok()).unwrap_or_default();
    let mut headers = HeaderMap::new();
    for line in lines {
        let mut halves = line.splitn(2, |byte| *byte == b':');
        let name = HeaderName::from_bytes(halves.next().unwrap_or_default());
        let value = HeaderValue::from_bytes(halves.next().unwrap_or_default());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    Head { method, uri, status, headers }
}

fn is_never_retried(class: ErrorClass) -> bool {
    matches!(class, ErrorClass::Auth | ErrorClass::Permission | ErrorClass::Permanent)
}

/// The expected classification for this status: the status is the detail, and a request answered by
/// 421 or 425 was certainly not acted on.
fn failure(status: u16, class: ErrorClass, hint: Option<Duration>) -> Classification {
    let failure = Classification::new(class).with_retry_after(hint).with_detail("status", status.to_string());
    if is_not_acted_on(status) { failure.unsent() } else { failure }
}

fn is_not_acted_on(status: u16) -> bool {
    [421, 425].contains(&status)
}

fn status_is_read_by_the_table(status: StatusCode, headers: &HeaderMap, now: SystemTime) {
    let class = ErrorClass::from_status(status.as_u16());
    assert_eq!(classify_status(status), class, "{status}");
    let hint = retry_after(headers, now);
    let expected = hints(headers, now);
    assert!(expected.contains(&hint), "{hint:?} is the longest of the values: {expected:?}");

    let of_error = classify(status, headers, now);
    let hint = hint.filter(|_| !class.is_some_and(is_never_retried));
    assert_eq!(of_error, class.map(|class| failure(status.as_u16(), class, hint)), "{status}");
    let of_value = of_error.filter(|failure| !is_never_retried(failure.class()));
    assert_eq!(classify_response(status, headers, now), of_value, "{status} as a value");
}

/// The longest of the values, relative to the response's `Date` plus its `Age`. An `Age` that is
/// not a plain number of a sensible length leaves the time of the response open, though not before
/// its `Date`.
fn hints(headers: &HeaderMap, now: SystemTime) -> RangeInclusive<Option<Duration>> {
    let values = || headers.get_all("retry-after").iter();
    let seen_from = |now| values().filter_map(|value| parse_retry_after(value, now)).max();
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let Some(date) = text("date").and_then(|date| httpdate::parse_http_date(date).ok()) else {
        return seen_from(now)..=seen_from(now);
    };
    let of_date = seen_from(date);
    let age = match headers.get("age") {
        None => Some(0),
        Some(_) => text("age").map(str::trim_ascii).filter(|age| is_sensible(age)).and_then(|age| age.parse().ok()),
    };
    match age {
        Some(age) => {
            let aged = seen_from(date + Duration::from_secs(age));
            aged..=aged
        }
        None => seen_from(date + Duration::from_secs(1 << 40))..=of_date,
    }
}

fn is_sensible(age: &str) -> bool {
    (1..=10).contains(&age.len()) && age.bytes().all(|digit| digit.is_ascii_digit())
}

/// The classifiers for policies read the wall clock, so the hint of a date lies between the answers
/// before and after.
fn policies_read_the_same(status: StatusCode, headers: &HeaderMap) {
    let mut response = Response::new(());
    *response.status_mut() = status;
    *response.headers_mut() = headers.clone();
    let result: Result<_, io::Error> = Ok(response);
    let expected = ErrorClass::from_status(status.as_u16()).filter(|class| !is_never_retried(*class));
    assert_eq!(
        http_classifier().classify(&result),
        expected.map(|class| failure(status.as_u16(), class, None)),
        "{status}"
    );

    let before = retry_after(headers, SystemTime::now());
    let found = [default_result_classifier().classify(&result), http_retry_after_classifier().classify(&result)];
    let after = retry_after(headers, SystemTime::now());
    for failure in &found {
        assert_eq!(failure.as_ref().map(Classification::class), expected, "{status}");
        let hint = failure.as_ref().and_then(Classification::retry_after);
        let between = (after..=before).contains(&hint);
        assert!(between || failure.is_none(), "{hint:?} between {before:?} and {after:?}");
    }
}

/// The whole table applies to an error that carries a status.
fn errors_are_read_by_the_table(status: u16) {
    let hint = Duration::from_secs(status.into());
    let failed = || Err::<Response<()>, _>(StatusError::new(status).with_retry_after(hint));
    let (class, hint) = match ErrorClass::from_status(status) {
        Some(class) => (class, Some(hint)),
        None => (ErrorClass::Unknown, None),
    };
    let expected = failure(status, class, hint);
    assert_eq!(http_classifier().classify(&failed()).as_ref(), Some(&expected), "{status}");
    assert_eq!(http_retry_after_classifier().classify(&failed()).as_ref(), Some(&expected), "{status}");
    assert_eq!(default_result_classifier().classify(&failed()), None, "{status}");
}

fn repetition_is_allowed_by_the_rules(method: &Method, headers: &HeaderMap) {
    let is_idempotent = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"].contains(&method.as_str());
    assert_eq!(is_idempotent_method(method), is_idempotent, "{method}");
    let is_key = |value: &HeaderValue| {
        let letters: Vec<u8> = value.as_bytes().iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        // A key of whitespace in quotes is not empty.
        let is_empty = letters.is_empty() || (letters == b"\"\"" && value.as_bytes().trim_ascii().len() == 2);
        !is_empty
    };
    let has_key = headers.get_all("Idempotency-Key").iter().any(is_key);
    for opted_in in [false, true] {
        let safety = IdempotencyGuard::new().retry_non_idempotent(opted_in).safety(method, headers);
        assert_eq!(safety.may_retry(), is_idempotent || has_key || opted_in, "{method} {headers:?}");
        assert_eq!(safety == RetrySafety::IdempotentMethod, is_idempotent);
        assert_eq!(safety == RetrySafety::IdempotencyKey, has_key && !is_idempotent);
        assert_eq!(safety.to_string(), safety.as_str());
    }
}

fn what_was_not_acted_on_may_be_sent_again(method: &Method, head: &Head, now: SystemTime) {
    let Ok(status) = StatusCode::from_u16(head.status) else { return };
    let Some(failure) = classify(status, &head.headers, now) else { return };
    let guard = IdempotencyGuard::new();
    let before = guard.safety(method, &head.headers);
    let is_proof = is_not_acted_on(head.status) && !before.may_retry();
    let after = if is_proof { RetrySafety::NeverSent } else { before };
    assert_eq!(guard.safety_after(method, &head.headers, Some(status), &failure), after, "{method} {status}");
    assert_eq!(
        guard.safety_after(method, &head.headers, None, &failure),
        after,
        "{method} {status}, by the failure alone"
    );
}

/// The name of an operation holds no host, query, fragment or credentials.
fn an_operation_is_method_and_path(method: &Method, uri: &Uri) {
    let name = default_operation(method, uri);
    let path = name.strip_prefix(method.as_str()).and_then(|rest| rest.strip_prefix(' '));
    let path = path.expect("a name begins with the method");
    let whole = uri.to_string();
    assert!(path == "*" || path.starts_with('/'), "{name:?} of {whole:?}");
    assert!(!path.contains(['?', '#', ' ']), "{name:?} of {whole:?}");
    assert!(path == "/" || whole.contains(path), "{name:?} of {whole:?}");
    assert_eq!(default_operation(method, uri), name);
}
