//! What responses and this crate's errors mean.
//!
//! Owns the table of hyper's errors. The table of statuses is redress-http's, the one of other errors the core's.

use std::time::Duration;

use http::Response;
use redress_core::classify::{OrElse, strict_classifier};
use redress_core::{Classification, Classifier, ErrorClass, default_classifier};
use redress_http::{DefaultResultClassifier, default_result_classifier};

use crate::error::HyperError;

/// Classifies responses by status and `Retry-After`, and [`HyperError`]s by what happened. Made by [`hyper_classifier`].
///
/// Responses are read as [`DefaultResultClassifier`] does: 408, 409, 421, 423, 425, 429 and every 5xx are failures. Of an error, the
/// first row that holds counts:
///
/// | error | class |
/// |---|---|
/// | the chain of sources holds something that the [default classifier](redress_core::classify::DefaultClassifier) is certain about: a marker, a status, an `io::Error` such as a refused or reset connection | what that says |
/// | [no connection](HyperError::is_connect), such as a name that is not found | `Transient` |
/// | [the client does not send such requests](HyperError::is_request) | `Permanent` |
/// | [what came back is not HTTP](HyperError::is_parse): a gateway would say 502 ([RFC 9110, section 15.6.3](https://www.rfc-editor.org/rfc/rfc9110#section-15.6.3)) | `ServerError` |
/// | your own part failed, such as the body you send (`hyper::Error::is_user`) | by the error's name, or `Unknown` |
/// | the rest: a connection closed in the middle, or before it took the request | `Transient` |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HyperClassifier {
    responses: DefaultResultClassifier,
}

/// A classifier of responses by status and `Retry-After`, and of hyper's errors; see [`HyperClassifier`].
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
    HyperClassifier { responses: default_result_classifier() }
}

impl HyperClassifier {
    /// Shortens longer hints to `longest`. Without it there is no cap: the policy's deadline bounds every wait.
    #[must_use]
    pub const fn max_retry_after(mut self, longest: Duration) -> Self {
        self.responses = self.responses.max_retry_after(longest);
        self
    }

    /// Asks `other` about errors that this one does not recognise, and about responses it finds good.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }
}

#[diagnostic::do_not_recommend]
impl<B> Classifier<Response<B>, HyperError> for HyperClassifier {
    fn classify(&self, result: &Result<Response<B>, HyperError>) -> Option<Classification> {
        match result {
            Ok(_) => self.responses.classify(result),
            Err(error) => Some(classify_error(error)),
        }
    }
}

fn classify_error(error: &HyperError) -> Classification {
    let certain = strict_classifier().classify_error(error);
    if certain.is_abort() || certain.class() != ErrorClass::Unknown {
        return certain;
    }
    if error.is_connect() {
        return ErrorClass::Transient.into();
    }
    if error.is_request() {
        return ErrorClass::Permanent.into();
    }
    match error.hyper() {
        Some(hyper) if hyper.is_parse() => ErrorClass::ServerError.into(),
        Some(hyper) if hyper.is_user() => default_classifier().classify_error(error),
        _ => ErrorClass::Transient.into(),
    }
}
