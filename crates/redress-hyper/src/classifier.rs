//! The classifier for responses and for the errors of this crate, hyper and hyper-util.

use std::error::Error;

use http::Response;
use hyper_util::client::legacy;
use redress_core::classify::{OrElse, source_chain, strict_classifier};
use redress_core::{Classification, Classifier, ErrorClass};
use redress_http::{classify_connect, classify_handshake, default_result_classifier, own_failure, with_details};

use crate::error::{HyperError, Kind};
use crate::http2;

/// Classifies responses by status and `Retry-After`, and the errors of this crate, hyper and
/// hyper-util's client. Made by [`hyper_classifier`].
///
/// Responses are classified as [`DefaultResultClassifier`](redress_http::DefaultResultClassifier)
/// classifies them: 408, 409, 421, 423, 425, 429 and most of 5xx are failures. For an error, the
/// first matching row counts:
///
/// | error | class |
/// |---|---|
/// | the chain of sources holds an [`AbortRetryError`](redress_core::error::AbortRetryError) | the call ends |
/// | the caller's own input failed, such as the request body ([`is_user`](HyperError::is_user)), which says nothing about the server | the class that the chain determines if it is never retried, else `Unknown`: see [`own_failure`] |
/// | [no connection](HyperError::is_connect) | that of [`classify_connect`]: a refused certificate is `Permanent`, a name that is not found `Transient` |
/// | the server refuses the client's certificate after the request was sent, which TLS 1.3 allows | that of [`classify_handshake`] |
/// | the chain of sources holds an error that the [default classifier](redress_core::classify::DefaultClassifier) recognises: a marker, a status, an `io::Error` such as a refused or reset connection | the class of that error |
/// | an error code of HTTP/2 (feature `http2`) | that of `redress_http::classify_http2`: `HTTP_1_1_REQUIRED` is `Permanent`, `ENHANCE_YOUR_CALM` is `RateLimit` |
/// | [the client refuses to send the request](HyperError::is_request) | `Permanent` |
/// | [the response is not HTTP](HyperError::is_parse), for which a gateway would return 502 ([RFC 9110, section 15.6.3](https://www.rfc-editor.org/rfc/rfc9110#section-15.6.3)) | `ServerError` |
/// | any other error: a connection that closed in the middle, or before it took the request | `Transient` |
///
/// A failure whose request was certainly not acted on is [marked as
/// unsent](Classification::is_unsent). Failures have the detail `status` with the status, as in
/// `503`, `io` with the kind of an `io::Error`, and `http2` with the HTTP/2 error code.
///
/// Hints are not capped here; use
/// [`max_retry_after`](redress_core::policy::RetryBuilder::max_retry_after) on the policy's retry
/// component.
///
/// For a [`PolicyLayer`](https://docs.rs/redress-tower) over hyper-util's client, this classifier
/// is more precise than redress-http's classifiers, which do not use hyper's types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HyperClassifier;

/// Creates a classifier of responses by status and `Retry-After`, and of hyper's errors. See
/// [`HyperClassifier`].
///
/// ```
/// use http::Response;
/// use redress::{Classifier, ErrorClass};
/// use redress::integration::hyper::{HyperError, hyper_classifier};
///
/// let class = |result: &Result<Response<()>, _>| hyper_classifier().classify(result).map(|failure| failure.class());
/// assert_eq!(class(&Err(HyperError::connect("no such host"))), Some(ErrorClass::Transient));
/// assert_eq!(class(&Ok(Response::new(()))), None);
/// ```
#[must_use]
pub const fn hyper_classifier() -> HyperClassifier {
    HyperClassifier
}

impl HyperClassifier {
    /// Adds a fallback: `other` classifies the errors that this classifier does not recognise and
    /// the responses that it calls a success.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }
}

#[diagnostic::do_not_recommend]
impl<B> Classifier<Response<B>, HyperError> for HyperClassifier {
    fn classify(&self, result: &Result<Response<B>, HyperError>) -> Option<Classification> {
        of_result(result, HyperError::kind)
    }
}

#[diagnostic::do_not_recommend]
impl<B> Classifier<Response<B>, legacy::Error> for HyperClassifier {
    fn classify(&self, result: &Result<Response<B>, legacy::Error>) -> Option<Classification> {
        of_result(result, Kind::of_client)
    }
}

#[diagnostic::do_not_recommend]
impl<B> Classifier<Response<B>, hyper::Error> for HyperClassifier {
    fn classify(&self, result: &Result<Response<B>, hyper::Error>) -> Option<Classification> {
        of_result(result, Kind::of)
    }
}

fn of_result<B, E: Error + 'static>(
    result: &Result<Response<B>, E>,
    kind: impl Fn(&E) -> Kind,
) -> Option<Classification> {
    match result {
        Ok(_) => default_result_classifier().classify(result),
        Err(error) => Some(classify_error(kind(error), error)),
    }
}

fn classify_error(kind: Kind, error: &(dyn Error + 'static)) -> Classification {
    if kind == Kind::Connect {
        return classify_connect(error);
    }
    let certain = strict_classifier().classify_error(error);
    if certain.is_abort() {
        return certain;
    }
    let failure = with_details(error, class_of(kind, error, certain));
    if kind.is_unsent() { failure.unsent() } else { failure }
}

/// The class of the first matching row of the table.
fn class_of(kind: Kind, error: &(dyn Error + 'static), certain: Classification) -> Classification {
    if kind == Kind::Own {
        return own_failure(certain);
    }
    if let Some(class) = classify_handshake(error) {
        return class.into();
    }
    if certain.class() != ErrorClass::Unknown {
        return certain;
    }
    let hyper = || source_chain(error).find_map(|error| error.downcast_ref::<hyper::Error>());
    match http2::classify(error) {
        Some(failure) => failure,
        None if kind == Kind::Request => ErrorClass::Permanent.into(),
        None if hyper().is_some_and(hyper::Error::is_parse) => ErrorClass::ServerError.into(),
        None => ErrorClass::Transient.into(),
    }
}
