//! Classifies a borrowed status and headers, by [`ErrorClass::from_status`]: once for a response
//! that arrived as an error, and once for a response that arrived as a value.

use std::time::SystemTime;

use http::header::CONNECTION;
use http::{HeaderMap, HeaderValue, StatusCode};
use redress_core::{Classification, ErrorClass};

use crate::evidence::of_status;
use crate::retry_after::retry_after;

/// Returns the class of a status, or `None` if the status says nothing about why it is an error.
///
/// The table is [`ErrorClass::from_status`]'s:
///
/// | status | class |
/// |---|---|
/// | 401, 407, 511 | `Auth` |
/// | 403 | `Permission` |
/// | 408, 421, 425 | `Transient` |
/// | 409, 423 | `Concurrency` |
/// | 429 | `RateLimit` |
/// | 501, 505, 506, 508, 510, and every other 4xx | `Permanent` |
/// | every other 5xx | `ServerError` |
///
/// 421 and 425 allow a retry with any method, and so does a 408 that closes its connection.
///
/// For errors that carry a status. Use [`classify_response`] for a response that arrived as a
/// value.
///
/// ```
/// use http::StatusCode;
/// use redress::ErrorClass;
/// use redress::integration::http::classify_status;
///
/// assert_eq!(classify_status(StatusCode::NOT_FOUND), Some(ErrorClass::Permanent));
/// assert_eq!(classify_status(StatusCode::TOO_EARLY), Some(ErrorClass::Transient));
/// assert_eq!(classify_status(StatusCode::OK), None);
/// ```
#[inline]
#[must_use]
pub const fn classify_status(status: StatusCode) -> Option<ErrorClass> {
    ErrorClass::from_status(status.as_u16())
}

/// Classifies an error made of a response by the full table, with the `Retry-After` header as the
/// hint.
///
/// `None` means that the status says nothing about why this is an error. The hint is only read for
/// classes that are retried (429, 503, 408 ...), because a hint is no reason to retry a 403. A date
/// in the header is measured against `now`, see [`parse_retry_after`](crate::parse_retry_after).
///
/// Sources: [RFC 9110, section 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3),
/// which does not limit `Retry-After` to certain statuses.
///
/// ```
/// use std::time::SystemTime;
/// use http::{HeaderMap, HeaderValue, StatusCode, header::RETRY_AFTER};
/// use redress::ErrorClass;
/// use redress::integration::http::classify;
///
/// let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("7"))]);
/// let now = SystemTime::now();
///
/// let busy = classify(StatusCode::SERVICE_UNAVAILABLE, &headers, now).unwrap();
/// assert_eq!(busy.retry_after().unwrap().as_secs(), 7);
///
/// let denied = classify(StatusCode::FORBIDDEN, &headers, now).unwrap();
/// assert_eq!((denied.class(), denied.retry_after()), (ErrorClass::Permission, None));
/// ```
#[must_use]
pub fn classify(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Option<Classification> {
    let class = classify_status(status)?;
    let hint = if class.is_retryable() { retry_after(headers, now) } else { None };
    let failure = of_status(status.as_u16(), Classification::new(class).with_retry_after(hint));
    Some(if is_half_received(status, headers) { failure.unsent() } else { failure })
}

/// Whether the server says that it received no whole request and closes the connection: a 408 with
/// `Connection: close`, as [RFC 9110, section
/// 15.5.9](https://www.rfc-editor.org/rfc/rfc9110#section-15.5.9) describes it. A 408 that keeps
/// the connection says less: an application may also send it when its own work times out, and that
/// work may be done.
fn is_half_received(status: StatusCode, headers: &HeaderMap) -> bool {
    let says_close = |value: &HeaderValue| {
        let mut options = value.to_str().unwrap_or("").split(',');
        options.any(|option| option.trim().eq_ignore_ascii_case("close"))
    };
    status == StatusCode::REQUEST_TIMEOUT && headers.get_all(CONNECTION).iter().any(says_close)
}

/// Classifies a response that arrived as a value. Like [`classify`], but returns `None`, success,
/// for classes that are never retried.
///
/// So 408, 409, 421, 423, 425, 429, 500 and 503 are failures, and 401, 403, 404 and 501 are
/// successes: the server processed the request and refused it, and the caller reads the status. To
/// apply the full table, turn the response into an error (`error_for_status` and the like).
///
/// ```
/// use std::time::SystemTime;
/// use http::{HeaderMap, StatusCode};
/// use redress::ErrorClass;
/// use redress::integration::http::classify_response;
///
/// let means = |status| classify_response(status, &HeaderMap::new(), SystemTime::now());
/// assert_eq!(means(StatusCode::BAD_GATEWAY).unwrap().class(), ErrorClass::ServerError);
/// assert!(means(StatusCode::NOT_FOUND).is_none());
/// assert!(means(StatusCode::OK).is_none());
/// ```
#[must_use]
pub fn classify_response(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Option<Classification> {
    response_class(status)?;
    classify(status, headers, now)
}

/// The class of a response that arrived as a value, or `None` for success.
#[inline]
pub(crate) fn response_class(status: StatusCode) -> Option<ErrorClass> {
    classify_status(status).filter(|class| class.is_retryable())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use http::header::RETRY_AFTER;

    use super::*;

    fn status(code: u16) -> StatusCode {
        StatusCode::from_u16(code).expect("a code between 100 and 999")
    }

    fn asks_for_seven_seconds() -> HeaderMap {
        HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("7"))])
    }

    #[test]
    fn an_error_is_read_by_the_whole_table() {
        let rows = [
            (200, None),
            (304, None),
            (400, Some(ErrorClass::Permanent)),
            (401, Some(ErrorClass::Auth)),
            (403, Some(ErrorClass::Permission)),
            (404, Some(ErrorClass::Permanent)),
            (408, Some(ErrorClass::Transient)),
            (407, Some(ErrorClass::Auth)),
            (409, Some(ErrorClass::Concurrency)),
            (410, Some(ErrorClass::Permanent)),
            (412, Some(ErrorClass::Permanent)),
            (418, Some(ErrorClass::Permanent)),
            (423, Some(ErrorClass::Concurrency)),
            (424, Some(ErrorClass::Permanent)),
            (499, Some(ErrorClass::Permanent)),
            (421, Some(ErrorClass::Transient)),
            (425, Some(ErrorClass::Transient)),
            (422, Some(ErrorClass::Permanent)),
            (429, Some(ErrorClass::RateLimit)),
            (500, Some(ErrorClass::ServerError)),
            (501, Some(ErrorClass::Permanent)),
            (505, Some(ErrorClass::Permanent)),
            (507, Some(ErrorClass::ServerError)),
            (508, Some(ErrorClass::Permanent)),
            (511, Some(ErrorClass::Auth)),
            (599, Some(ErrorClass::ServerError)),
            (600, None),
            (999, None),
        ];
        for (code, class) in rows {
            assert_eq!(classify_status(status(code)), class, "{code}");
            let parts = classify(status(code), &HeaderMap::new(), UNIX_EPOCH);
            assert_eq!(parts.as_ref().map(Classification::class), class, "{code}");
            assert_eq!(parts.map(|parts| parts.is_unsent()), class.map(|_| [421, 425].contains(&code)), "{code}");
        }
    }

    #[test]
    fn a_408_that_closes_the_connection_got_no_whole_request() {
        let rows = [
            (408, "close", true),
            (408, "foo, Close", true),
            (408, "keep-alive", false),
            (408, "closed", false),
            (503, "close", false),
        ];
        for (code, connection, is_unsent) in rows {
            let headers = HeaderMap::from_iter([(CONNECTION, HeaderValue::from_static(connection))]);
            let failure = classify_response(status(code), &headers, UNIX_EPOCH).expect("a failure");
            assert_eq!(failure.is_unsent(), is_unsent, "{code} {connection}");
        }
    }

    #[test]
    fn a_response_fails_exactly_where_a_retry_may_help() {
        let failing: Vec<u16> = (100..=999)
            .filter(|code| classify_response(status(*code), &HeaderMap::new(), UNIX_EPOCH).is_some())
            .collect();
        let expected: Vec<u16> = [408, 409, 421, 423, 425, 429]
            .into_iter()
            .chain((500..=599).filter(|code| ![501, 505, 506, 508, 510, 511].contains(code)))
            .collect();
        assert_eq!(failing, expected);
    }

    #[test]
    fn the_hint_counts_for_every_class_that_is_retried_and_for_no_other() {
        for code in 100..=999 {
            let Some(failure) = classify(status(code), &asks_for_seven_seconds(), UNIX_EPOCH) else {
                continue;
            };
            let hint = failure.class().is_retryable().then_some(Duration::from_secs(7));
            assert_eq!(failure.retry_after(), hint, "{code}");
        }
    }

    #[test]
    fn a_hint_that_cannot_be_read_leaves_the_class_alone() {
        let garbage = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("soon"))]);
        let failure = classify(StatusCode::TOO_MANY_REQUESTS, &garbage, UNIX_EPOCH);
        assert_eq!(failure, Some(Classification::new(ErrorClass::RateLimit).with_detail("status", "429")));
    }
}
