//! The classifiers that a policy takes: `Result<http::Response<B>, E>` in, a classification out.
//!
//! Owns how responses and errors are divided between the status table and the default classifier. Reads the wall clock,
//! and only for a failed response. The tables are in `status.rs`.

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
/// - `Ok`: 408, 409, 421, 423, 425, 429 and 5xx but for 501, 505, 506, 508, 510, 511 are failures; everything else, the other 4xx
///   included, is a success that the caller reads. Headers are not looked at: see [`http_retry_after_classifier`] for that.
/// - `Err`: what [`classify_client`](crate::classify_client) says, so a [`StatusError`] anywhere in the source chain counts by the whole
///   [table](crate::classify_status), 401 and 404 included. A hint that the error itself carries is kept. Beside a status an
///   error's name is not guessed from: an answer came, so an error called a timeout that carries a 302 is `Unknown`.
/// - Both: the status is the label `status`, as in `503`, an `io::Error`'s kind the label `io`, and what was certainly not acted on is
///   [marked so](Classification::is_unsent); see [`with_evidence`](crate::with_evidence).
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
    /// Asks `other` about errors that this one does not recognise, and about responses it finds good.
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

/// Classifies responses alone: those that [`HttpClassifier`] calls failures are, with the `Retry-After` of their
/// headers as the hint. It has no opinion about errors, so chain it with a classifier that has. Errors of HTTP clients behind a box are
/// [`boxed_http_classifier`]'s.
///
/// Hints are taken as they come; the policy's retry [shortens](redress_core::policy::RetryBuilder::max_retry_after) those
/// that are too long. Made by [`default_result_classifier`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DefaultResultClassifier;

/// The half of [`http_retry_after_classifier`] that reads responses, to be joined with any classifier of errors; see
/// [`DefaultResultClassifier`].
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

/// Classifies responses by status, with the `Retry-After` of their headers as the hint, and errors as the default
/// classifier does.
///
/// The failures are those of [`HttpClassifier`]. `Retry-After` counts on each of them: 429 and 503, but also 408, 425
/// and the rest of 5xx. A header that cannot be read counts as absent.
/// Hints are taken as they come; the policy's retry [shortens](redress_core::policy::RetryBuilder::max_retry_after) those
/// that are too long.
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
    /// Asks `other` about errors that this one does not recognise, and about responses it finds good.
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

/// [`HttpRetryAfterClassifier`] for errors behind a box, as tower's `Buffer`, `LoadShed` and `Timeout` have them: every type that is
/// `AsRef<dyn Error + Send + Sync>`. Made by [`boxed_http_classifier`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BoxedHttpClassifier;

/// A classifier of responses by status and `Retry-After`, and of boxed errors; see [`BoxedHttpClassifier`].
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
    /// Asks `other` about errors that this one does not recognise, and about responses it finds good.
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

/// What an error means: as [`classify_client`] has it, but by its name only where no status says that an answer came.
fn classify_error(error: &(dyn Error + 'static)) -> Classification {
    if source_chain(error).any(<dyn Error>::is::<StatusError>) {
        return with_evidence(error, strict_classifier().classify_error(error));
    }
    classify_client(error)
}

#[cfg(test)]
mod tests {
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
    fn responses_fail_by_status_in_all_three() {
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
}
