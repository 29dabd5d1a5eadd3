//! Anthropic: which errors of its API are worth another attempt, and when.
//!
//! | response | class | hint |
//! |---|---|---|
//! | `overloaded_error` under any status | `ServerError` | yes |
//! | 429 or another refusal with `billing_error` or a code of a quota below; any other 402 | `Permanent`, with the detail `quota` | none |
//! | 429 otherwise: `rate_limit_error`, `ramp_limit_exceeded` | `RateLimit` | yes |
//! | 529; 500 `api_error`, 503 such as `cmek_key_unreachable`, 504 `timeout_error` and most other 5xx | `ServerError` | yes |
//! | 408, 425, and 400 `request_body_timeout`; 409 `conflict_error` | `Transient`; `Concurrency` | yes |
//! | 401 `authentication_error`; 403 `permission_error` | `Auth`; `Permission` | none |
//! | 400 `invalid_request_error`, spend limits of your own among them; 404; 413 `request_too_large`; 422; any other 4xx | `Permanent`, unless the type says what failed, as in an event | none |
//!
//! Codes of a quota, in `error.details.error_code`: `enforced_spend_limit_reached` and
//! `contract_spend_limit_reached` of a 429, `linked_organization_spend_limit_reached` and
//! `linked_organization_billing_unavailable` of a 402. The detail `quota` holds the code or type. A
//! spend limit that you set yourself is a 400 that only its message tells from others, so it has no
//! detail; that of the workspace of Claude Code may be a 429 with `Retry-After`, which is waited
//! for like any other.
//!
//! - `x-should-retry: false` forbids a retry, and `true` makes a failure that would not be retried
//!   `Transient`, except a quota.
//! - The hint is `retry-after-ms`, else `Retry-After`, else a reset of a rate limit; the detail
//!   `retry_after_source` names the header. Hints are not capped here; use
//!   [`max_retry_after`](redress_core::policy::RetryBuilder::max_retry_after) on the policy's retry
//!   component.
//! - The resets are `anthropic-ratelimit-requests-reset` and those of `tokens`, `input-tokens` and
//!   `output-tokens`, each with its `..-remaining`. Anthropic sends them with every response. A
//!   limit with 0 remaining counts, and of several the longest reset. Without a number of what
//!   remains, the shortest reset counts. A limit with something left counts only for a `RateLimit`
//!   (a large request may need more than is left), and then the shortest.
//! - Details: `status`, and `error` with the known type or code that decided.
//!
//! In a stream that began with 200, [`classify_event`] reads the event `error`:
//!
//! | type or code | class |
//! |---|---|
//! | `overloaded_error`, `api_error`, `timeout_error`, `cmek_key_unreachable`, `cmek_context_unavailable` | `ServerError` |
//! | `request_body_timeout` | `Transient` |
//! | a quota | `Permanent`, with the detail `quota` |
//! | `rate_limit_error`, `ramp_limit_exceeded` | `RateLimit` |
//! | `conflict_error` | `Concurrency` |
//! | `authentication_error`; `permission_error` | `Auth`; `Permission` |
//! | `invalid_request_error`, `not_found_error`, `request_too_large` | `Permanent` |
//! | another | `Unknown` |
//!
//! Sources, all of them Anthropic's:
//!
//! - [Errors](https://platform.claude.com/docs/en/api/errors): the statuses and types, spend limits
//!   that you set, errors after a 200.
//! - [Rate limits](https://platform.claude.com/docs/en/api/rate-limits): the headers, and the spend
//!   limit of a tier, which has no `Retry-After` and that no retry repairs.
//! - [anthropic-sdk-python](https://github.com/anthropics/anthropic-sdk-python) 2.14:
//!   `types/shared` for the codes, each with the status of its exception;
//!   `types/beta_request_body_timeout_error.py`; `_base_client.py` for `x-should-retry`,
//!   `retry-after-ms` and fractions; `_streaming.py` for the event `error`.

use std::error::Error;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, Response, StatusCode};
use redress_core::classify::OrElse;
use redress_core::{Classification, Classifier, ErrorClass};

use crate::hint::{Limit, Limits};
use crate::stream::{Output, StreamError};
use crate::vendor::{Vendor, Word};

mod instant;
use instant::parse_instant;

const WORDS: &[Word] = &[
    Word::heavy("overloaded_error", ErrorClass::ServerError),
    Word::quota("enforced_spend_limit_reached"),
    Word::quota("contract_spend_limit_reached"),
    Word::quota("linked_organization_spend_limit_reached"),
    Word::quota("linked_organization_billing_unavailable"),
    Word::quota("billing_error"),
    Word::plain("ramp_limit_exceeded", ErrorClass::RateLimit),
    Word::plain("rate_limit_error", ErrorClass::RateLimit),
    Word::plain("api_error", ErrorClass::ServerError),
    Word::plain("timeout_error", ErrorClass::ServerError),
    Word::plain("cmek_key_unreachable", ErrorClass::ServerError),
    Word::plain("cmek_context_unavailable", ErrorClass::ServerError),
    // A 400, although nothing is wrong with the request.
    Word::plain("request_body_timeout", ErrorClass::Transient),
    Word::plain("conflict_error", ErrorClass::Concurrency),
    Word::plain("authentication_error", ErrorClass::Auth),
    Word::plain("permission_error", ErrorClass::Permission),
    Word::plain("not_found_error", ErrorClass::Permanent),
    Word::plain("request_too_large", ErrorClass::Permanent),
    Word::plain("invalid_request_error", ErrorClass::Permanent),
];

macro_rules! limit {
    ($name:literal) => {
        Limit {
            remaining: concat!("anthropic-ratelimit-", $name, "-remaining"),
            reset: concat!("anthropic-ratelimit-", $name, "-reset"),
        }
    };
}

pub(crate) const VENDOR: Vendor = Vendor {
    words: WORDS,
    limits: Limits {
        headers: &[limit!("requests"), limit!("tokens"), limit!("input-tokens"), limit!("output-tokens")],
        parse: |value, now| parse_reset(value, now),
    },
};

/// Classifies a response by the tables of the [module](self). `None` means that the status is below
/// 400, so that the response is no error.
///
/// The body is that of the response, up to [`BODY_LIMIT`](crate::BODY_LIMIT); a longer one and one
/// that is not JSON are ignored. Dates in headers are measured against `now`, or the response's
/// `Date`.
///
/// ```
/// use std::time::SystemTime;
/// use http::{HeaderMap, StatusCode};
/// use redress::ErrorClass;
/// use redress::integration::llm::anthropic;
///
/// let classify = |status: u16, body| {
///     let status = StatusCode::from_u16(status).unwrap();
///     anthropic::classify(status, &HeaderMap::new(), body, SystemTime::now()).unwrap()
/// };
/// let overloaded = classify(429, r#"{"type": "error", "error": {"type": "overloaded_error"}}"#);
/// assert_eq!(overloaded.class(), ErrorClass::ServerError);
///
/// let limited = classify(429, r#"{"type": "error", "error": {"type": "rate_limit_error"}}"#);
/// assert_eq!(limited.class(), ErrorClass::RateLimit);
///
/// let spent = r#"{"error": {"type": "rate_limit_error", "details": {"error_code": "enforced_spend_limit_reached"}}}"#;
/// assert_eq!(classify(429, spent).detail("quota"), Some("enforced_spend_limit_reached"));
/// ```
#[must_use]
pub fn classify(
    status: StatusCode,
    headers: &HeaderMap,
    body: impl AsRef<[u8]>,
    now: SystemTime,
) -> Option<Classification> {
    VENDOR.classify(status, headers, body.as_ref(), now)
}

/// Classifies the data of one event of a stream, by the second table of the [module](self). `None`
/// means that the event reports no error.
///
/// After [delivered output](Output::Delivered) a retry is forbidden. Data longer than
/// [`BODY_LIMIT`](crate::BODY_LIMIT) is no error.
///
/// ```
/// use redress::ErrorClass;
/// use redress::integration::llm::{Output, anthropic};
///
/// let data = r#"{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}"#;
/// let failure = anthropic::classify_event(data, Output::Delivered).unwrap();
/// assert_eq!(failure.class(), ErrorClass::ServerError);
/// assert_eq!(failure.retry_forbidden(), Some("output_delivered"));
/// assert!(anthropic::classify_event(r#"{"type": "ping"}"#, Output::Delivered).is_none());
/// ```
#[must_use]
pub fn classify_event(data: impl AsRef<[u8]>, output: Output) -> Option<Classification> {
    VENDOR.classify_event(data.as_ref(), output)
}

/// Fails if the data of an event reports an error. For a loop over the events of a stream.
///
/// ```
/// use redress::integration::llm::{Output, anthropic};
///
/// let data = r#"{"type": "error", "error": {"type": "overloaded_error"}}"#;
/// let error = anthropic::check_event(data, Output::Undelivered).unwrap_err();
/// assert_eq!(error.to_string(), "the stream ended with an error: SERVER_ERROR (overloaded_error)");
/// ```
///
/// # Errors
///
/// If [`classify_event`] finds an error.
pub fn check_event(data: impl AsRef<[u8]>, output: Output) -> Result<(), StreamError> {
    classify_event(data, output).map_or(Ok(()), |failure| Err(StreamError::of_event(failure)))
}

/// Classifies an error as [`anthropic_classifier`] does. For errors that are not
/// `std::error::Error` themselves, such as boxed ones:
///
/// ```
/// use redress::classify::error_classifier;
/// use redress::integration::llm::anthropic;
/// use redress::{Policy, Retry};
///
/// type BoxError = Box<dyn std::error::Error + Send + Sync>;
///
/// let policy = Policy::builder()
///     .classifier(error_classifier(|error: &BoxError| anthropic::classify_error(error.as_ref())))
///     .retry(Retry::default())
///     .build()?;
/// # drop(policy);
/// # Ok::<(), redress::ConfigError>(())
/// ```
pub fn classify_error(error: &(dyn Error + 'static)) -> Classification {
    crate::classifiers::classify_error(&VENDOR, error)
}

/// Parses the reset of a rate limit, a moment as RFC 3339 writes it, and returns how long to wait
/// for it from `now`. A moment that has passed is zero.
///
/// `T` and `Z` may be lower-case, and a space may stand for `T`. Of a fraction nine digits count.
/// Whitespace around the value is ignored. A moment without a zone or without seconds, a leap
/// second and anything else is `None`.
///
/// Sources: [Rate limits](https://platform.claude.com/docs/en/api/rate-limits) of Anthropic, and
/// [RFC 3339, section 5.6](https://www.rfc-editor.org/rfc/rfc3339#section-5.6).
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use redress::integration::llm::anthropic::parse_reset;
///
/// assert_eq!(parse_reset("1970-01-01T01:00:07.5+01:00", UNIX_EPOCH), Some(Duration::from_millis(7_500)));
/// assert_eq!(parse_reset("1970-01-01T00:00:07", UNIX_EPOCH), None);
/// ```
#[must_use]
pub fn parse_reset(value: &str, now: SystemTime) -> Option<Duration> {
    let moment = parse_instant(value.trim())?;
    Some(moment.duration_since(now).unwrap_or(Duration::ZERO))
}

classifiers! {
    /// Classifies errors by the tables of the [module](self), for operations of any value. Made by
    /// [`anthropic_classifier`].
    ///
    /// | the source chain of the error holds | class |
    /// |---|---|
    /// | an [`AbortRetryError`](redress_core::error::AbortRetryError) | the call ends |
    /// | an [`ErrorResponse`](crate::ErrorResponse) | that of [`classify`] |
    /// | a [`StreamError`] | its own |
    /// | anything else | that of [`classify_client`](redress_http::classify_client); with the feature `reqwest`, a body of another shape is `Permanent`, and a timeout of reqwest has the cause [`Timeout`](redress_core::Cause::Timeout) |
    ///
    /// Every `Ok` is a success.
    AnthropicClassifier

    /// Creates a classifier of errors. See [`AnthropicClassifier`].
    ///
    /// ```
    /// use redress::integration::llm::anthropic::anthropic_classifier;
    /// use redress::{Policy, Retry};
    /// use std::time::Duration;
    ///
    /// let policy = Policy::builder()
    ///     .classifier(anthropic_classifier())
    ///     .retry(Retry::builder().max_attempts(4).max_retry_after(Duration::from_secs(30)))
    ///     .deadline(Duration::from_secs(120))
    ///     .build()?;
    /// # drop(policy);
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    anthropic_classifier

    /// Classifies responses whose body was read by the tables of the [module](self), and errors as
    /// [`AnthropicClassifier`] does. Made by [`anthropic_response_classifier`].
    ///
    /// Every response from 400 on is a failure, unlike with
    /// [`http_classifier`](redress_http::http_classifier): 400, 401 and a quota end the call with
    /// their class, and the response is in the outcome.
    AnthropicResponseClassifier

    /// Creates a classifier of responses whose body was read. See [`AnthropicResponseClassifier`].
    ///
    /// ```
    /// use http::Response;
    /// use redress::integration::llm::anthropic::anthropic_response_classifier;
    /// use redress::{Classifier, ErrorClass};
    ///
    /// let overloaded = Response::builder().status(529).header("retry-after", "7").body("").unwrap();
    /// let failure = anthropic_response_classifier().classify(&Ok::<_, std::io::Error>(overloaded)).unwrap();
    /// assert_eq!(failure.class(), ErrorClass::ServerError);
    /// assert_eq!(failure.retry_after().unwrap().as_secs(), 7);
    /// ```
    anthropic_response_classifier
}
