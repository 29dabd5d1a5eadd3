//! The classifier for reqwest's responses and errors.

use std::any::Any;
use std::error::Error;
use std::io;
use std::time::SystemTime;

use http::{HeaderMap, StatusCode};
use redress_core::classify::{OrElse, source_chain};
use redress_core::{Classification, Classifier, ErrorClass};
use redress_http::{classify_client, classify_response, classify_status};

/// Classifies responses by status and `Retry-After`, and reqwest's errors. Made by
/// [`reqwest_classifier`].
///
/// Reads results of every type: a response, asynchronous or blocking, and anything else that an
/// operation makes of one, such as its text, which is a success. Responses are classified by
/// [`classify_response`]: 408, 409, 421, 423, 425, 429 and most of 5xx
/// are failures, with the `Retry-After` header as the hint. For an error, the first matching row
/// counts:
///
/// | error | class |
/// |---|---|
/// | the chain of sources holds an [`AbortRetryError`](redress_core::error::AbortRetryError) | the call ends |
/// | the source of the request's body failed, which says nothing about the server | `Unknown`, or the class of its error if that class is never retried: see [`own_failure`](redress_http::own_failure) |
/// | no connection | that of [`classify_connect`](redress_http::classify_connect): `Transient`, for a refused connection, an unknown name, a timeout of connecting; `Permanent` for a refused certificate or `https` without TLS |
/// | an `io::Error` such as a reset connection, anywhere in the chain | by its kind, mostly `Transient` |
/// | made by [`error_for_status`](reqwest::Response::error_for_status) | that of the status, 404 included. The headers are lost, and so is `Retry-After` |
/// | an invalid URL or header, endless redirects | `Permanent` |
/// | an error code of HTTP/2 | that of [`class_of_http2`](redress_http::class_of_http2) |
/// | the response is not HTTP | `ServerError` |
/// | a timeout of reqwest, a connection that closed in the middle | `Transient` |
/// | a body that arrived whole and cannot be decoded, such as JSON of another shape | `Permanent` |
/// | anything else | the guess of the [default classifier](redress_core::classify::default_classifier) |
///
/// A timeout of reqwest has the cause [`Timeout`](redress_core::Cause::Timeout). Failures have the
/// label `status` with the status, as in `503`, `io` with the kind of an `io::Error`, and `http2`
/// with the HTTP/2 error code. No label holds a part of a URL.
///
/// The [mark](Classification::is_unsent) of a request that was not acted on is that of the last
/// exchange, which may have followed a redirect. [`RetryingClient`](crate::RetryingClient) counts
/// exchanges; in a custom operation, read it only with redirects off.
///
/// With the feature `middleware`, it reads the errors of reqwest-middleware as well.
///
/// Hints are not capped here; use
/// [`max_retry_after`](redress_core::policy::RetryBuilder::max_retry_after) on the policy's retry
/// component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReqwestClassifier;

/// Creates a classifier of responses by status and `Retry-After`, and of reqwest's errors. See
/// [`ReqwestClassifier`].
///
/// ```no_run
/// use redress::integration::reqwest::reqwest_classifier;
/// use redress::runtime::tokio::AsyncPolicy;
///
/// # async fn text(http: &reqwest::Client) -> Result<(), Box<dyn std::error::Error>> {
/// // The whole exchange as an operation, with the body and without a `RetryingClient`.
/// let policy = AsyncPolicy::builder().classifier(reqwest_classifier()).build()?;
/// let text = policy.call(|| async { http.get("http://localhost/orders").send().await?.error_for_status()?.text().await });
/// println!("{}", text.await?);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub const fn reqwest_classifier() -> ReqwestClassifier {
    ReqwestClassifier
}

impl ReqwestClassifier {
    /// Adds a fallback: `other` classifies the errors that this classifier does not recognise and
    /// the responses that it calls a success.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }
}

#[diagnostic::do_not_recommend]
impl<T: 'static> Classifier<T, reqwest::Error> for ReqwestClassifier {
    fn classify(&self, result: &Result<T, reqwest::Error>) -> Option<Classification> {
        match result {
            Ok(value) => classify_value(value),
            Err(error) => Some(classify_error(error)),
        }
    }
}

#[cfg(feature = "middleware")]
#[diagnostic::do_not_recommend]
impl<T: 'static> Classifier<T, reqwest_middleware::Error> for ReqwestClassifier {
    fn classify(&self, result: &Result<T, reqwest_middleware::Error>) -> Option<Classification> {
        match result {
            Ok(value) => classify_value(value),
            Err(reqwest_middleware::Error::Reqwest(error)) => Some(classify_error(error)),
            Err(reqwest_middleware::Error::Middleware(error)) => Some(classify_middleware(error.as_ref())),
        }
    }
}

/// Classifies the error of a middleware by its chain of sources, without the mark of a request that
/// was not acted on: the error may be about another request, such as that for a token.
#[cfg(feature = "middleware")]
fn classify_middleware(error: &(dyn Error + 'static)) -> Classification {
    let failure = classify_client(error);
    if failure.is_abort() || !failure.is_unsent() {
        return failure;
    }
    let own = Classification::new(failure.class()).with_retry_after(failure.retry_after());
    redress_http::with_details(error, own)
}

/// Classifies a response. Other values were made of a response that the operation found good.
fn classify_value(value: &dyn Any) -> Option<Classification> {
    if let Some(response) = value.downcast_ref::<reqwest::Response>() {
        return of_response(response.status(), response.headers());
    }
    #[cfg(feature = "blocking")]
    if let Some(response) = value.downcast_ref::<reqwest::blocking::Response>() {
        return of_response(response.status(), response.headers());
    }
    None
}

fn of_response(status: StatusCode, headers: &HeaderMap) -> Option<Classification> {
    // Checked first, so that a success does not read the clock.
    classify_status(status).filter(|class| class.is_retryable())?;
    classify_response(status, headers, SystemTime::now())
}

fn classify_error(error: &reqwest::Error) -> Classification {
    let failure = classify_client(error);
    if failure.is_abort() {
        return failure;
    }
    if error.is_decode() && failure.class() == ErrorClass::Unknown {
        return ErrorClass::Permanent.into();
    }
    if error.is_timeout() && !has_io_error(error) { failure.timed_out() } else { failure }
}

/// Whether the system reports the timeout, which then is that of a connection.
fn has_io_error(error: &reqwest::Error) -> bool {
    source_chain(error).any(<dyn Error>::is::<io::Error>)
}
