//! The classifiers that a policy takes: `Result<http::Response<B>, E>` in, a classification out.
//!
//! Owns how responses and errors are divided between the status table and the default classifier.
//! Reads the wall clock, and only for a failed response. The tables are in `status.rs`.

use std::error::Error;
use std::time::SystemTime;

use http::Response;
use redress_core::classify::{OrElse, source_chain, strict_classifier};
use redress_core::error::StatusError;
use redress_core::{Classification, Classifier};

use crate::client::classify_client;
use crate::evidence::{of_status, with_evidence};
use crate::status::{classify, response_class};

/// Classifies responses by status, and errors as the default classifier does.
///
/// - `Ok`: 408, 409, 421, 423, 425, 429 and 5xx but for 501, 505, 506, 508, 510, 511 are failures;
///   everything else, the other 4xx included, is a success that the caller reads. Headers are not
///   looked at: see [`http_retry_after_classifier`] for that.
/// - `Err`: what [`classify_client`](crate::classify_client) says, so a [`StatusError`] anywhere in
///   the source chain counts by the whole [table](crate::classify_status), 401 and 404 included. A
///   hint that the error itself carries is kept. Beside a status an error's name is not guessed
///   from: an answer came, so an error called a timeout that carries a 302 is `Unknown`.
/// - Both: the status is the label `status`, as in `503`, an `io::Error`'s kind the label `io`, and
///   what was certainly not acted on is [marked so](Classification::is_unsent); see
///   [`with_evidence`](crate::with_evidence).
///
/// Made by [`http_classifier`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpClassifier;

/// A classifier of responses by status, deaf to `Retry-After`; see [`HttpClassifier`].
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
    /// Asks `other` about errors that this one does not recognise, and about responses it finds
    /// good.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }
}

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

/// Classifies responses alone: those that [`HttpClassifier`] calls failures are, with the
/// `Retry-After` of their headers as the hint. It has no opinion about errors, so chain it with a
/// classifier that has. Errors of HTTP clients behind a box are [`boxed_http_classifier`]'s.
///
/// Hints are taken as they come; the policy's retry
/// [shortens](redress_core::policy::RetryBuilder::max_retry_after) those that are too long. Made by
/// [`default_result_classifier`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DefaultResultClassifier;

/// The half of [`http_retry_after_classifier`] that reads responses, to be joined with any
/// classifier of errors; see [`DefaultResultClassifier`].
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
    /// Asks `other` about every error, and about the responses this one finds good.
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
/// The failures are those of [`HttpClassifier`]. `Retry-After` counts on each of them: 429 and 503,
/// but also 408, 425 and the rest of 5xx. A header that cannot be read counts as absent. Hints are
/// taken as they come; the policy's retry
/// [shortens](redress_core::policy::RetryBuilder::max_retry_after) those that are too long.
///
/// Made by [`http_retry_after_classifier`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpRetryAfterClassifier;

/// A classifier of responses by status and `Retry-After`; see [`HttpRetryAfterClassifier`].
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
/// // A policy that comes back after a minute to a server that asks for an hour.
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
    /// Asks `other` about errors that this one does not recognise, and about responses it finds
    /// good.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }
}

impl<B, E: Error + 'static> Classifier<Response<B>, E> for HttpRetryAfterClassifier {
    fn classify(&self, result: &Result<Response<B>, E>) -> Option<Classification> {
        match result {
            Ok(response) => of_response(response),
            Err(error) => Some(classify_error(error)),
        }
    }
}

/// [`HttpRetryAfterClassifier`] for errors behind a box, as tower's `Buffer`, `LoadShed` and
/// `Timeout` have them: every type that is `AsRef<dyn Error + Send + Sync>`. Made by
/// [`boxed_http_classifier`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BoxedHttpClassifier;

/// A classifier of responses by status and `Retry-After`, and of boxed errors; see
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
    /// Asks `other` about errors that this one does not recognise, and about responses it finds
    /// good.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }
}

impl<B, E: AsRef<dyn Error + Send + Sync>> Classifier<Response<B>, E> for BoxedHttpClassifier {
    fn classify(&self, result: &Result<Response<B>, E>) -> Option<Classification> {
        match result {
            Ok(response) => of_response(response),
            Err(error) => Some(classify_error(error.as_ref())),
        }
    }
}

/// What a response means, with its hint.
fn of_response<B>(response: &Response<B>) -> Option<Classification> {
    // Asked first, so that a success does not pay for a look at the clock.
    response_class(response.status())?;
    classify(response.status(), response.headers(), SystemTime::now())
}

/// What an error means: as [`classify_client`] has it, but by its name only where no status says
/// that an answer came.
fn classify_error(error: &(dyn Error + 'static)) -> Classification {
    if source_chain(error).any(<dyn Error>::is::<StatusError>) {
        return with_evidence(error, strict_classifier().classify_error(error));
    }
    classify_client(error)
}

#[cfg(test)]
mod tests;
