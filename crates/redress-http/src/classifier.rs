//! Classifiers for policies whose operation returns `Result<http::Response<B>, E>`. They read the
//! wall clock only for a failed response. The status tables are in `status.rs`.

use std::error::Error;
use std::time::SystemTime;

use http::Response;
use redress_core::classify::{OrElse, source_chain, strict_classifier};
use redress_core::error::StatusError;
use redress_core::{Classification, Classifier};

use crate::client::classify_client;
use crate::evidence::{of_status, with_evidence};
use crate::status::{classify, response_class};

/// Classifies responses by status, without reading `Retry-After`, and errors as the default
/// classifier does.
///
/// - `Ok`: 408, 409, 421, 423, 425, 429 and 5xx except 501, 505, 506, 508, 510 and 511 are
///   failures. Everything else, including the other 4xx, is a success that the caller reads.
///   Headers are ignored; [`http_retry_after_classifier`] reads them.
/// - `Err`: classified by [`classify_client`](crate::classify_client), so a [`StatusError`]
///   anywhere in the source chain counts by the full [table](crate::classify_status), including 401
///   and 404. A hint that the error carries is kept. The error's name is ignored if there is a
///   status: a response was received, so a `TimeoutError` that carries a 302 is `Unknown`.
/// - Both: a failure has the detail `status` with the status, as in `503`, or `io` with an
///   `io::Error`'s kind, and is [marked as unsent](Classification::is_unsent) if the request was
///   certainly not acted on. See [`with_evidence`](crate::with_evidence).
///
/// Made by [`http_classifier`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpClassifier;

/// Creates a classifier of responses by status that ignores `Retry-After`. See [`HttpClassifier`].
///
/// ```
/// use http::Response;
/// use redress::{Classifier, ErrorClass};
/// use redress::error::StatusError;
/// use redress::integration::http::http_classifier;
///
/// let classify = |result: &Result<Response<&str>, StatusError>| http_classifier().classify(result).map(|c| c.class());
///
/// let mut response = Response::new("try later");
/// assert_eq!(classify(&Ok(response.clone())), None);
///
/// *response.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
/// assert_eq!(classify(&Ok(response)), Some(ErrorClass::RateLimit));
/// assert_eq!(classify(&Err(StatusError::new(404))), Some(ErrorClass::Permanent));
/// ```
#[inline]
#[must_use]
pub const fn http_classifier() -> HttpClassifier {
    HttpClassifier
}

impl HttpClassifier {
    /// Adds a fallback: `other` classifies the errors that this classifier does not recognise and
    /// the responses that it calls a success.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }
}

#[diagnostic::do_not_recommend]
impl<B, E: Error + 'static> Classifier<Response<B>, E> for HttpClassifier {
    fn classify(&self, result: &Result<Response<B>, E>) -> Option<Classification> {
        match result {
            Ok(response) => {
                let class = response_class(response.status())?;
                Some(of_status(response.status().as_u16(), Classification::new(class)))
            }
            Err(error) => Some(classify_error(error)),
        }
    }
}

/// Classifies responses only: its failures are those of [`HttpClassifier`], with the `Retry-After`
/// header as the hint. It does not classify errors, so chain it with a classifier that does. For
/// the boxed errors of HTTP clients use [`boxed_http_classifier`].
///
/// Hints are not capped here; use
/// [`max_retry_after`](redress_core::policy::RetryBuilder::max_retry_after) on the policy's retry
/// component. Made by [`default_result_classifier`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DefaultResultClassifier;

/// Creates the part of [`http_retry_after_classifier`] that classifies responses, for use with any
/// classifier of errors. See [`DefaultResultClassifier`].
///
/// ```
/// use http::Response;
/// use redress::{Classifier, ErrorClass};
/// use redress::classify::boxed_classifier;
/// use redress::integration::http::default_result_classifier;
///
/// type BoxError = Box<dyn std::error::Error + Send + Sync>;
///
/// let classifier = default_result_classifier().or_else(boxed_classifier());
/// let busy = Response::builder().status(429).header("retry-after", "30").body(()).unwrap();
/// let failure = classifier.classify(&Ok::<_, BoxError>(busy)).unwrap();
/// assert_eq!(failure.class(), ErrorClass::RateLimit);
/// assert_eq!(failure.retry_after().unwrap().as_secs(), 30);
/// ```
#[inline]
#[must_use]
pub const fn default_result_classifier() -> DefaultResultClassifier {
    DefaultResultClassifier
}

impl DefaultResultClassifier {
    /// Adds a fallback: `other` classifies every error, and the responses that this classifier
    /// calls a success.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }
}

impl<B, E> Classifier<Response<B>, E> for DefaultResultClassifier {
    fn classify(&self, result: &Result<Response<B>, E>) -> Option<Classification> {
        result.as_ref().ok().and_then(of_response)
    }
}

/// Classifies responses by status, with the `Retry-After` of their headers as the hint, and errors
/// as the default classifier does.
///
/// The failures are those of [`HttpClassifier`]. `Retry-After` counts for each of them: 429 and
/// 503, but also 408, 425 and the rest of 5xx. A header that cannot be parsed is ignored. Hints are
/// not capped here; use [`max_retry_after`](redress_core::policy::RetryBuilder::max_retry_after) on
/// the policy's retry component.
///
/// Made by [`http_retry_after_classifier`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpRetryAfterClassifier;

/// Creates a classifier of responses by status and `Retry-After`. See [`HttpRetryAfterClassifier`].
///
/// ```
/// use std::time::Duration;
/// use http::Response;
/// use redress::integration::http::http_retry_after_classifier;
/// use redress::{Classifier, Policy, Retry, fixed};
///
/// let busy = Response::builder().status(503).header("retry-after", "3600").body(()).unwrap();
/// let failure = http_retry_after_classifier().classify(&Ok::<_, std::io::Error>(busy)).unwrap();
/// assert_eq!(failure.retry_after(), Some(Duration::from_secs(3600)));
///
/// // Waits at most a minute, even if the server asks for an hour.
/// let minute = Duration::from_secs(60);
/// let policy = Policy::builder()
///     .classifier(http_retry_after_classifier())
///     .retry(Retry::builder().strategy(fixed(Duration::from_secs(1))).max_retry_after(minute))
///     .deadline(10 * minute)
///     .build()?;
/// # drop(policy);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[inline]
#[must_use]
pub const fn http_retry_after_classifier() -> HttpRetryAfterClassifier {
    HttpRetryAfterClassifier
}

impl HttpRetryAfterClassifier {
    /// Adds a fallback: `other` classifies the errors that this classifier does not recognise and
    /// the responses that it calls a success.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }
}

#[diagnostic::do_not_recommend]
impl<B, E: Error + 'static> Classifier<Response<B>, E> for HttpRetryAfterClassifier {
    fn classify(&self, result: &Result<Response<B>, E>) -> Option<Classification> {
        match result {
            Ok(response) => of_response(response),
            Err(error) => Some(classify_error(error)),
        }
    }
}

/// [`HttpRetryAfterClassifier`] for boxed errors, such as those of tower's `Buffer`, `LoadShed` and
/// `Timeout`: any type that is `AsRef<dyn Error + Send + Sync>`. Made by [`boxed_http_classifier`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BoxedHttpClassifier;

/// Creates a classifier of responses by status and `Retry-After`, and of boxed errors. See
/// [`BoxedHttpClassifier`].
///
/// ```
/// use redress::{Classifier, integration::http::boxed_http_classifier};
///
/// let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
/// let failed: Result<http::Response<()>, Box<dyn std::error::Error + Send + Sync>> = Err(refused.into());
/// assert!(boxed_http_classifier().classify(&failed).unwrap().is_unsent());
/// ```
#[inline]
#[must_use]
pub const fn boxed_http_classifier() -> BoxedHttpClassifier {
    BoxedHttpClassifier
}

impl BoxedHttpClassifier {
    /// Adds a fallback: `other` classifies the errors that this classifier does not recognise and
    /// the responses that it calls a success.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }
}

#[diagnostic::do_not_recommend]
impl<B, E: AsRef<dyn Error + Send + Sync>> Classifier<Response<B>, E> for BoxedHttpClassifier {
    fn classify(&self, result: &Result<Response<B>, E>) -> Option<Classification> {
        match result {
            Ok(response) => of_response(response),
            Err(error) => Some(classify_error(error.as_ref())),
        }
    }
}

/// Classifies a response, with its hint.
fn of_response<B>(response: &Response<B>) -> Option<Classification> {
    // Checked first, so that a success does not read the clock.
    response_class(response.status())?;
    classify(response.status(), response.headers(), SystemTime::now())
}

/// Classifies an error by [`classify_client`], but ignores its name if it carries a status, because
/// a response was received.
fn classify_error(error: &(dyn Error + 'static)) -> Classification {
    if source_chain(error).any(<dyn Error>::is::<StatusError>) {
        return with_evidence(error, strict_classifier().classify_error(error));
    }
    classify_client(error)
}

#[cfg(test)]
mod tests;
