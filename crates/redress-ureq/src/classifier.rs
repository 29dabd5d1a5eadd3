//! The classifier for ureq's responses and errors.

use std::any::Any;
use std::time::SystemTime;
use std::{error, fmt, io};

use http::Response;
use redress_core::classify::{OrElse, default_classifier};
use redress_core::error::StatusError;
use redress_core::{Classification, Classifier, ErrorClass};
use redress_http::{classify_client, classify_handshake, classify_response, own_failure, with_details, with_evidence};
use ureq::{Body, Error, Timeout};

use crate::replay_body::BodyError;

/// The label of a timeout's phase.
const TIMEOUT: &str = "timeout";

/// Classifies responses by status and `Retry-After`, and ureq's errors. Made by
/// [`ureq_classifier`].
///
/// Reads results of every type: a response, and anything else that an operation makes of one, such
/// as its text, which is a success. Responses are classified by
/// [`classify_response`]: 408, 409, 421, 423, 425, 429 and most of 5xx are failures, with the
/// `Retry-After` header as the hint.
///
/// | error | class | certainly [not acted on](Classification::is_unsent) |
/// |---|---|---|
/// | an [`AbortRetryError`](redress_core::error::AbortRetryError) inside `Io` or `Other` | the call ends | |
/// | `StatusCode`, 404 included. The headers are lost, and so is `Retry-After` | that of the status | 421 and 425 |
/// | `Timeout`, with the cause [`Timeout`](redress_core::Cause::Timeout) | `Transient` | while resolving and connecting |
/// | `Io` of a refused certificate, or another refusal by TLS | that of [`classify_handshake`] | |
/// | `Io` of a shut down agent | `Permanent` | yes |
/// | any other `Io` | by its kind; `Transient` if that says nothing, as of an unknown name | as [`with_evidence`] says: refused, an unknown name, no local address |
/// | `HostNotFound`, `ConnectionFailed` | `Transient` | yes |
/// | `ConnectProxyFailed` | `Transient`; `Auth` for a 407 | yes |
/// | `Protocol`: the response is not HTTP; `LargeResponseHeader` | `ServerError` | |
/// | `Protocol` of the request, such as a header that is sent twice | `Permanent` | |
/// | a redirect that cannot be followed: `RedirectFailed`, `TooManyRedirects`, no `Location` | `Permanent` | |
/// | `Http`, `BadUri`, `InvalidProxyUrl`, `RequireHttpsOnly`, `TlsRequired` | `Permanent` | yes |
/// | `BodyExceedsLimit`, `Tls`, invalid PEM, cookies, charsets and MIME types | `Permanent` | |
/// | `Json` that does not parse; of a body that was cut off | `Permanent`; `Transient` | |
/// | `Decompress`; of a body that was cut off | `ServerError`; `Transient` | |
/// | `Rustls`, `NativeTls` | `Permanent` for certificates, else `Transient` | |
/// | a [`factory`](crate::ReplayBody::factory) of bodies failed | see [`own_failure`] | |
/// | any other | the guess of the [default classifier](default_classifier) | |
///
/// Failures have the label `status` with the status, as in `503`, `io` with the kind of an
/// `io::Error`, or `timeout` with ureq's name of the phase, as in `connect`. No label holds a part
/// of a URL.
///
/// "Not acted on" is about the last exchange, which may have followed a redirect.
/// [`RetryingAgent`](crate::RetryingAgent) takes that into account; in a custom operation, read it
/// only with redirects off.
///
/// Hints are not capped here; use
/// [`max_retry_after`](redress_core::policy::RetryBuilder::max_retry_after) on the policy's retry
/// component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UreqClassifier;

/// Creates a classifier of responses by status and `Retry-After`, and of ureq's errors. See
/// [`UreqClassifier`].
///
/// ```no_run
/// use redress::Policy;
/// use redress::integration::ureq::ureq_classifier;
///
/// // The whole exchange as an operation, with the body and without a `RetryingAgent`.
/// let policy = Policy::builder().classifier(ureq_classifier()).retry(redress::Retry::default()).build()?;
/// let agent = ureq::agent();
/// let text = policy.call_with(|attempt| {
///     let request = agent.get("http://localhost/orders").config().timeout_global(attempt.time_left()).build();
///     request.call()?.body_mut().read_to_string()
/// })?;
/// # drop(text);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub const fn ureq_classifier() -> UreqClassifier {
    UreqClassifier
}

impl UreqClassifier {
    /// Adds a fallback: `other` classifies the errors that this classifier does not recognise and
    /// the responses that it calls a success.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }
}

#[diagnostic::do_not_recommend]
impl<T: 'static> Classifier<T, Error> for UreqClassifier {
    fn classify(&self, result: &Result<T, Error>) -> Option<Classification> {
        match result {
            Ok(value) => classify_value(value),
            Err(error) => Some(classify_error(error)),
        }
    }
}

/// Classifies a response. Other values were made of a response that the operation found good.
fn classify_value(value: &dyn Any) -> Option<Classification> {
    let response = value.downcast_ref::<Response<Body>>()?;
    classify_response(response.status(), response.headers(), SystemTime::now())
}

pub(crate) fn classify_error(error: &Error) -> Classification {
    match error {
        Error::StatusCode(status) => classify_client(&StatusError::new(*status)),
        Error::Io(error) => of_io(error),
        Error::Other(error) => of_other(&**error),
        Error::Timeout(phase) => of_timeout(*phase),
        Error::HostNotFound | Error::ConnectionFailed => Classification::new(ErrorClass::Transient).unsent(),
        Error::ConnectProxyFailed(reason) => of_proxy(reason),
        Error::Protocol(error) => of_protocol(error).into(),
        Error::LargeResponseHeader(..) => ErrorClass::ServerError.into(),
        Error::Http(_)
        | Error::BadUri(_)
        | Error::InvalidProxyUrl
        | Error::RequireHttpsOnly(_)
        | Error::TlsRequired => Classification::new(ErrorClass::Permanent).unsent(),
        Error::RedirectFailed | Error::TooManyRedirects | Error::BodyExceedsLimit(_) | Error::Tls(_) => {
            ErrorClass::Permanent.into()
        }
        _ => match of_a_feature(error) {
            Some(class) => class.into(),
            None => default_classifier().classify_error(error),
        },
    }
}

fn of_io(error: &io::Error) -> Classification {
    if error.kind() == io::ErrorKind::NotConnected && error.to_string() == "Agent is shut down" {
        return with_details(error, ErrorClass::Permanent.into()).unsent();
    }
    let failure = classify_client(error);
    if failure.class() == ErrorClass::Unknown && !failure.is_abort() {
        return with_evidence(error, ErrorClass::Transient.into());
    }
    failure
}

fn of_other(error: &(dyn error::Error + 'static)) -> Classification {
    let failure = classify_client(error);
    if error.is::<BodyError>() && !failure.is_abort() { own_failure(failure) } else { failure }
}

fn of_timeout(phase: Timeout) -> Classification {
    let failure = Classification::new(ErrorClass::Transient).timed_out().with_detail(TIMEOUT, phase.to_string());
    if matches!(phase, Timeout::Resolve | Timeout::Connect) { failure.unsent() } else { failure }
}

fn of_proxy(reason: &str) -> Classification {
    let class = if reason.contains("responded 407/") { ErrorClass::Auth } else { ErrorClass::Transient };
    Classification::new(class).unsent()
}

/// Matches what the errors of ureq-proto print, because ureq does not export their type.
fn of_protocol(error: &impl fmt::Debug) -> ErrorClass {
    const OF_THE_REQUEST: [&str; 9] = [
        "BadHeader(",
        "MethodVersionMismatch(",
        "TooManyHostHeaders",
        "BadHostHeader",
        "BadAuthorizationHeader",
        "BodyNotAllowed",
        "BodyContentAfterFinish",
        "BodyLargerThanContentLength",
        "OutputOverflow",
    ];
    const OF_REDIRECTS: [&str; 2] = ["NoLocationHeader", "BadLocationHeader("];
    let printed = format!("{error:?}");
    let is_permanent = OF_THE_REQUEST.iter().chain(&OF_REDIRECTS).any(|name| printed.starts_with(name));
    if is_permanent { ErrorClass::Permanent } else { ErrorClass::ServerError }
}

/// Returns the class of an error that exists only with a feature of ureq, by what it prints: the
/// features that the application turned on are not known here.
fn of_a_feature(error: &Error) -> Option<ErrorClass> {
    const OF_THE_CALLER: [&str; 7] =
        ["Pem(", "Der(", "Cookie(", "CookieValue(", "CookieJar(", "UnknownCharset(", "InvalidMimeType("];
    let printed = format!("{error:?}");
    if let Some(name) = printed.strip_prefix("Rustls(").or_else(|| printed.strip_prefix("NativeTls(")) {
        let tls = OfTls { name: name.to_owned(), text: error.to_string() };
        return Some(classify_handshake(&tls).unwrap_or(ErrorClass::Transient));
    }
    if let Some(text) = printed.strip_prefix("Json(Error(\"") {
        // serde_json keeps the text of an error of the reader.
        let is_cut_off = ["Peer disconnected", "timeout: "].iter().any(|begin| text.starts_with(begin));
        return Some(if is_cut_off { ErrorClass::Transient } else { ErrorClass::Permanent });
    }
    if printed.starts_with("Decompress(") {
        let is_cut_off = printed.contains("UnexpectedEof");
        return Some(if is_cut_off { ErrorClass::Transient } else { ErrorClass::ServerError });
    }
    if printed == "BodyStalled" {
        return Some(ErrorClass::Transient);
    }
    OF_THE_CALLER.iter().any(|name| printed.starts_with(name)).then_some(ErrorClass::Permanent)
}

/// An error of a TLS library, which ureq's has no source for.
struct OfTls {
    name: String,
    text: String,
}

impl fmt::Debug for OfTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Display for OfTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl error::Error for OfTls {}
