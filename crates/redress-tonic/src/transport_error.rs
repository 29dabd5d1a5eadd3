//! Failures on this side of the wire: no status came, so the error has to say what it was.
//!
//! Owns the names of a tonic channel's errors. Knows no status codes; HTTP/2's are redress-http's.

use std::error::Error;
use std::fmt;

use redress_core::classify::{source_chain, strict_classifier};
use redress_core::{Classification, ErrorClass};
use redress_http::{classify_connect, classify_handshake, classify_http2, is_shed, own_failure, with_labels};
use tonic::{ConnectError, Status, TimeoutExpired};

/// What errors of a channel arrive as.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// What an error of a channel or of its connection means, found anywhere in the chain; `None` if
/// there is none.
///
/// | the chain holds | class |
/// |---|---|
/// | tower's `LoadShed` turned the request away | `RateLimit` |
/// | a timeout: the channel's own, or the server's word that it had run out | `Transient`, with the cause of a timeout |
/// | an error of HTTP/2 | that of [`classify_http2`] |
/// | a connection that did not come about | that of [`classify_connect`] |
/// | hyper's word that the caller's own part failed | that of [`own_failure`] |
/// | another error of hyper or of the channel, such as a connection that broke | that of [`classify_handshake`], or what the chain is certain about, or `Transient` |
///
/// A request is certainly not acted on where it was turned away on this side, where no connection
/// came about, where hyper hands it back, and where HTTP/2 says so before the response had begun.
pub(crate) fn classify_transport(error: &(dyn Error + 'static)) -> Option<Classification> {
    let failure = of_chain(error)?;
    // A response that has begun has been acted on, whatever is said afterwards.
    let has_begun = || source_chain(error).any(<dyn Error>::is::<Begun>);
    if failure.is_unsent() && has_begun() {
        return Some(with_labels(error, failure.class().into()));
    }
    Some(failure)
}

fn of_chain(error: &(dyn Error + 'static)) -> Option<Classification> {
    let transient = || Classification::new(ErrorClass::Transient);
    if source_chain(error).any(is_shed) {
        return Some(Classification::new(ErrorClass::RateLimit).unsent());
    }
    if is::<TimeUp>(error) || is::<TimeoutExpired>(error) {
        return Some(transient().timed_out());
    }
    if let Some(error) = find::<h2::Error>(error) {
        return Some(classify_http2(error));
    }
    if is::<ConnectError>(error) {
        return Some(classify_connect(error));
    }
    match find::<hyper::Error>(error) {
        Some(hyper) if hyper.is_canceled() => Some(transient().unsent()),
        Some(hyper) if hyper.is_user() => Some(own_failure(strict_classifier().classify_error(error))),
        Some(_) => Some(broken(error)),
        None => is::<tonic::transport::Error>(error).then(|| broken(error)),
    }
}

/// What a connection means that broke: what is certain, or `Transient`.
fn broken(error: &(dyn Error + 'static)) -> Classification {
    if let Some(class) = classify_handshake(error) {
        return with_labels(error, class.into());
    }
    let certain = strict_classifier().classify_error(error);
    let failure = if certain.class() == ErrorClass::Unknown { ErrorClass::Transient.into() } else { certain };
    with_labels(error, failure)
}

fn is<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    find::<E>(error).is_some()
}

fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    source_chain(error).find_map(|error| error.downcast_ref())
}

/// Says that the response had begun when this failed.
///
/// `Debug` is as short as `Display`, here and below: a `Status` prints its source with it.
#[derive(thiserror::Error)]
#[error("the response had begun")]
pub(crate) struct Begun(#[source] pub(crate) Status);

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Says that the time was up that the server had been given. Its source is what came instead of an
/// answer.
#[derive(thiserror::Error)]
#[error("the time that the server was given had passed")]
pub(crate) struct TimeUp(#[source] pub(crate) Status);

impl fmt::Debug for TimeUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The status of a channel's error, as tonic makes it: the error is its source.
///
/// But for the channel's own timeout, which tonic calls `CANCELLED`: for a caller it is the
/// deadline like any other. And for what `LoadShed` turned away, whose status tonic makes without a
/// source.
pub(crate) fn status_of(error: impl Into<BoxError>) -> Status {
    let error = error.into();
    if is::<TimeoutExpired>(&*error) {
        let mut status = Status::deadline_exceeded("the channel gave up waiting");
        status.set_source(error.into());
        return status;
    }
    if source_chain(&*error).any(is_shed) {
        let mut status = Status::resource_exhausted("a layer of this side turned the request away");
        status.set_source(error.into());
        return status;
    }
    Status::from_error(error)
}
