//! OpenAI: which errors of its API are worth another attempt, and when.
//!
//! | response | class | hint |
//! |---|---|---|
//! | 429 or another refusal with the type or code `insufficient_quota`, or one of the codes of a quota below | `Permanent`, with the detail `quota` | none |
//! | 429 otherwise: `rate_limit_exceeded`, `rate_limit_error`, `slow_down` | `RateLimit` | yes |
//! | 503 `service_unavailable_error`: `server_is_overloaded`, `slow_down`; 500 and most other 5xx | `ServerError` | yes |
//! | 408, 425; 409 | `Transient`; `Concurrency` | yes |
//! | 401; 403 | `Auth`; `Permission` | none |
//! | 400, 404, 422 and any other 4xx | `Permanent`, unless the type or code says what failed, as in an event | none |
//!
//! Codes of a quota: `insufficient_quota`, `credit_balance_exhausted`,
//! `organization_spend_limit_exceeded`, `project_spend_limit_exceeded`,
//! `organization_usage_limit_exceeded`, `usage_limit_exceeded`, `billing_not_active`,
//! `billing_hard_limit_reached`. More may come, and the type stays `insufficient_quota`. A 402 is a
//! quota too. The detail `quota` holds the code.
//!
//! - `x-should-retry: false` forbids a retry, and `true` makes a failure that would not be retried
//!   `Transient`, except a quota.
//! - The hint is `retry-after-ms`, else `Retry-After`, else a reset of a rate limit; the detail
//!   `retry_after_source` names the header. Hints are not capped here; use
//!   [`max_retry_after`](redress_core::policy::RetryBuilder::max_retry_after) on the policy's retry
//!   component.
//! - The resets are `x-ratelimit-reset-requests` and those of `tokens` and `project-tokens`, each
//!   with its `x-ratelimit-remaining-..`. OpenAI sends them with successful responses too. A limit
//!   with 0 remaining counts, and of several the longest reset. Without a number of what remains,
//!   the shortest reset counts. A limit with something left counts only for a `RateLimit` (a large
//!   request may need more than is left), and then the shortest.
//! - Details: `status`, and `error` with the known type or code that decided.
//!
//! In a stream that began with 200, [`classify_event`] reads `{"error": {..}}` of chat completions,
//! and `error` and `response.failed` of responses:
//!
//! | type or code | class |
//! |---|---|
//! | a quota | `Permanent`, with the detail `quota` |
//! | `rate_limit_exceeded`, `rate_limit_error`, `slow_down` | `RateLimit` |
//! | `server_error`, `service_unavailable_error`, `server_is_overloaded`, `vector_store_timeout` | `ServerError` |
//! | `authentication_error`, `invalid_api_key` | `Auth` |
//! | `invalid_request_error`, `context_length_exceeded`, and the other codes of a `ResponseError`: of the prompt, of policies, of images | `Permanent` |
//! | another, and `failed_to_download_image` | `Unknown` |
//!
//! Sources, all of them OpenAI's:
//!
//! - [Error codes](https://developers.openai.com/api/docs/guides/error-codes): the statuses, and
//!   the types and codes of rate limits and overloads. [Usage and spend
//!   limits](https://help.openai.com/en/articles/6614457-troubleshooting-api-usage-and-spend-limits):
//!   the codes of quotas, that the type stays, and that retries do not help.
//! - [Rate limits](https://developers.openai.com/api/docs/guides/rate-limits): the headers.
//! - [openai-python](https://github.com/openai/openai-python) 3.57: `_base_client.py` for
//!   `x-should-retry`, `retry-after-ms`, fractions and 409, which it calls a lock timeout;
//!   `_streaming.py`, `types/responses/response_error_event.py` and `response_error.py` for events;
//!   `types/beta/session_turn_error.py` for `usage_limit_exceeded`, `billing_not_active`,
//!   `context_length_exceeded` and `authentication_error`.
//!
//! On none of these: `invalid_api_key` and `billing_hard_limit_reached`, which responses have; 402;
//! and the headers of `project-tokens`, read in programs that use them.

use std::error::Error;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, Response, StatusCode};
use redress_core::classify::OrElse;
use redress_core::{Classification, Classifier, ErrorClass};

use crate::decimal;
use crate::hint::{Limit, Limits};
use crate::stream::{Output, StreamError};
use crate::vendor::{Vendor, Word};

const WORDS: &[Word] = &[
    Word::quota("credit_balance_exhausted"),
    Word::quota("organization_spend_limit_exceeded"),
    Word::quota("project_spend_limit_exceeded"),
    Word::quota("organization_usage_limit_exceeded"),
    Word::quota("usage_limit_exceeded"),
    Word::quota("billing_hard_limit_reached"),
    Word::quota("billing_not_active"),
    Word::quota("insufficient_quota"),
    Word::plain("rate_limit_exceeded", ErrorClass::RateLimit),
    Word::plain("rate_limit_error", ErrorClass::RateLimit),
    Word::plain("slow_down", ErrorClass::RateLimit),
    Word::plain("server_is_overloaded", ErrorClass::ServerError),
    Word::plain("service_unavailable_error", ErrorClass::ServerError),
    Word::plain("server_error", ErrorClass::ServerError),
    Word::plain("vector_store_timeout", ErrorClass::ServerError),
    Word::plain("authentication_error", ErrorClass::Auth),
    Word::plain("invalid_api_key", ErrorClass::Auth),
    Word::plain("invalid_prompt", ErrorClass::Permanent),
    Word::plain("context_length_exceeded", ErrorClass::Permanent),
    Word::plain("data_residency_mismatch", ErrorClass::Permanent),
    Word::plain("bio_policy", ErrorClass::Permanent),
    Word::plain("cyber_policy", ErrorClass::Permanent),
    Word::plain("misalignment_policy_violation", ErrorClass::Permanent),
    Word::plain("image_content_policy_violation", ErrorClass::Permanent),
    Word::plain("invalid_image", ErrorClass::Permanent),
    Word::plain("invalid_image_format", ErrorClass::Permanent),
    Word::plain("invalid_base64_image", ErrorClass::Permanent),
    Word::plain("invalid_image_url", ErrorClass::Permanent),
    Word::plain("invalid_image_mode", ErrorClass::Permanent),
    Word::plain("image_too_large", ErrorClass::Permanent),
    Word::plain("image_too_small", ErrorClass::Permanent),
    Word::plain("image_parse_error", ErrorClass::Permanent),
    Word::plain("image_file_too_large", ErrorClass::Permanent),
    Word::plain("image_file_not_found", ErrorClass::Permanent),
    Word::plain("unsupported_image_media_type", ErrorClass::Permanent),
    Word::plain("empty_image_file", ErrorClass::Permanent),
    Word::plain("invalid_request_error", ErrorClass::Permanent),
];

pub(crate) const VENDOR: Vendor = Vendor {
    words: WORDS,
    limits: Limits {
        headers: &[
            Limit { remaining: "x-ratelimit-remaining-requests", reset: "x-ratelimit-reset-requests" },
            Limit { remaining: "x-ratelimit-remaining-tokens", reset: "x-ratelimit-reset-tokens" },
            Limit { remaining: "x-ratelimit-remaining-project-tokens", reset: "x-ratelimit-reset-project-tokens" },
        ],
        parse: |value, _| parse_reset(value),
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
/// use std::time::{Duration, SystemTime};
/// use http::{HeaderMap, HeaderValue, StatusCode};
/// use redress::ErrorClass;
/// use redress::integration::llm::openai;
///
/// let headers = HeaderMap::from_iter([
///     (http::HeaderName::from_static("x-ratelimit-remaining-requests"), HeaderValue::from_static("59")),
///     (http::HeaderName::from_static("x-ratelimit-reset-requests"), HeaderValue::from_static("1s")),
///     (http::HeaderName::from_static("x-ratelimit-remaining-tokens"), HeaderValue::from_static("0")),
///     (http::HeaderName::from_static("x-ratelimit-reset-tokens"), HeaderValue::from_static("6m0s")),
/// ]);
/// let body = r#"{"error": {"type": "tokens", "code": "rate_limit_exceeded"}}"#;
/// let failure = openai::classify(StatusCode::TOO_MANY_REQUESTS, &headers, body, SystemTime::now()).unwrap();
/// assert_eq!(failure.class(), ErrorClass::RateLimit);
/// assert_eq!(failure.retry_after(), Some(Duration::from_secs(360)));
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
/// means that the event reports no error, `[DONE]` among them.
///
/// After [delivered output](Output::Delivered) a retry is forbidden. Data longer than
/// [`BODY_LIMIT`](crate::BODY_LIMIT) is no error, and `response.failed`, which repeats the whole
/// response, is read up to [`EVENT_LIMIT`](crate::EVENT_LIMIT).
///
/// ```
/// use redress::ErrorClass;
/// use redress::integration::llm::{Output, openai};
///
/// let data = r#"{"error": {"type": "server_error", "message": "..."}}"#;
/// let failure = openai::classify_event(data, Output::Undelivered).unwrap();
/// assert_eq!((failure.class(), failure.retry_forbidden()), (ErrorClass::ServerError, None));
/// assert!(openai::classify_event(r#"{"choices": []}"#, Output::Undelivered).is_none());
/// ```
#[must_use]
pub fn classify_event(data: impl AsRef<[u8]>, output: Output) -> Option<Classification> {
    VENDOR.classify_event(data.as_ref(), output)
}

/// Fails if the data of an event reports an error. For a loop over the events of a stream.
///
/// ```
/// use redress::integration::llm::{Output, openai};
///
/// let data = r#"{"type": "error", "code": "rate_limit_exceeded"}"#;
/// let error = openai::check_event(data, Output::Undelivered).unwrap_err();
/// assert_eq!(error.to_string(), "the stream ended with an error: RATE_LIMIT (rate_limit_exceeded)");
/// ```
///
/// # Errors
///
/// If [`classify_event`] finds an error.
pub fn check_event(data: impl AsRef<[u8]>, output: Output) -> Result<(), StreamError> {
    classify_event(data, output).map_or(Ok(()), |failure| Err(StreamError::of_event(failure)))
}

/// Classifies an error as [`openai_classifier`] does. For errors that are not `std::error::Error`
/// themselves, such as boxed ones:
///
/// ```
/// use redress::classify::error_classifier;
/// use redress::integration::llm::openai;
/// use redress::{Policy, Retry};
///
/// type BoxError = Box<dyn std::error::Error + Send + Sync>;
///
/// let policy = Policy::builder()
///     .classifier(error_classifier(|error: &BoxError| openai::classify_error(error.as_ref())))
///     .retry(Retry::default())
///     .build()?;
/// # drop(policy);
/// # Ok::<(), redress::ConfigError>(())
/// ```
pub fn classify_error(error: &(dyn Error + 'static)) -> Classification {
    crate::classifiers::classify_error(&VENDOR, error)
}

/// Parses the reset of a rate limit: how long to wait, as Go writes durations.
///
/// Numbers with a unit, from the longest unit to the shortest, as in `6m0s`, `250ms`, `1.5h`: `h`,
/// `m`, `s`, `ms`, `us` or `µs`, `ns`. A fraction needs digits on both sides of its point. More
/// than `u64::MAX` seconds are that many. Whitespace around the value is ignored. A sign, a number
/// without a unit and anything else is `None`.
///
/// Sources: [Rate limits](https://developers.openai.com/api/docs/guides/rate-limits) of OpenAI, and
/// [`Duration.String`](https://pkg.go.dev/time#Duration.String) of Go.
///
/// ```
/// use std::time::Duration;
/// use redress::integration::llm::openai::parse_reset;
///
/// assert_eq!(parse_reset("6m0s"), Some(Duration::from_secs(360)));
/// assert_eq!(parse_reset("250ms"), Some(Duration::from_millis(250)));
/// assert_eq!(parse_reset("60"), None);
/// ```
#[must_use]
pub fn parse_reset(value: &str) -> Option<Duration> {
    // Both characters for micro: the sign and the Greek letter.
    const UNITS: [(&[&str], u64); 6] = [
        (&["h"], 3_600_000_000_000),
        (&["m"], 60_000_000_000),
        (&["s"], 1_000_000_000),
        (&["ms"], 1_000_000),
        (&["us", "\u{b5}s", "\u{3bc}s"], 1_000),
        (&["ns"], 1),
    ];
    let mut units = UNITS.iter();
    let mut rest = value.trim();
    let mut nanos: u128 = 0;
    while !rest.is_empty() || nanos == 0 && units.len() == UNITS.len() {
        let (number, after) = decimal::split(rest)?;
        let (name, after) = after.split_at(after.find(|letter: char| letter.is_ascii_digit()).unwrap_or(after.len()));
        let (_, unit) = units.find(|(names, _)| names.contains(&name))?;
        nanos = nanos.saturating_add(number.nanos(*unit));
        rest = after;
    }
    Some(decimal::duration(nanos))
}

classifiers! {
    /// Classifies errors by the tables of the [module](self), for operations of any value. Made by
    /// [`openai_classifier`].
    ///
    /// | the source chain of the error holds | class |
    /// |---|---|
    /// | an [`AbortRetryError`](redress_core::error::AbortRetryError) | the call ends |
    /// | an [`ErrorResponse`](crate::ErrorResponse) | that of [`classify`] |
    /// | a [`StreamError`] | its own |
    /// | anything else | that of [`classify_client`](redress_http::classify_client); with the feature `reqwest`, a body of another shape is `Permanent`, and a timeout of reqwest has the cause [`Timeout`](redress_core::Cause::Timeout) |
    ///
    /// Every `Ok` is a success.
    OpenAiClassifier

    /// Creates a classifier of errors. See [`OpenAiClassifier`].
    ///
    /// ```
    /// use redress::integration::llm::openai::openai_classifier;
    /// use redress::{Policy, Retry};
    /// use std::time::Duration;
    ///
    /// let policy = Policy::builder()
    ///     .classifier(openai_classifier())
    ///     .retry(Retry::builder().max_attempts(4).max_retry_after(Duration::from_secs(30)))
    ///     .deadline(Duration::from_secs(120))
    ///     .build()?;
    /// # drop(policy);
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    openai_classifier

    /// Classifies responses whose body was read by the tables of the [module](self), and errors as
    /// [`OpenAiClassifier`] does. Made by [`openai_response_classifier`].
    ///
    /// Every response from 400 on is a failure, unlike with
    /// [`http_classifier`](redress_http::http_classifier): 400, 401 and a quota end the call with
    /// their class, and the response is in the outcome.
    OpenAiResponseClassifier

    /// Creates a classifier of responses whose body was read. See [`OpenAiResponseClassifier`].
    ///
    /// ```
    /// use http::Response;
    /// use redress::integration::llm::openai::openai_response_classifier;
    /// use redress::{Classifier, ErrorClass};
    ///
    /// let busy = Response::builder().status(503).header("retry-after-ms", "250").body("").unwrap();
    /// let failure = openai_response_classifier().classify(&Ok::<_, std::io::Error>(busy)).unwrap();
    /// assert_eq!(failure.class(), ErrorClass::ServerError);
    /// assert_eq!(failure.retry_after().unwrap().as_millis(), 250);
    /// ```
    openai_response_classifier
}
