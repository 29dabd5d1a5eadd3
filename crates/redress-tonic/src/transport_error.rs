//! Classifies the errors of a tonic channel, for calls that received no status.

use std::error::Error;
use std::fmt;

use redress_core::classify::{source_chain, strict_classifier};
use redress_core::{Classification, ErrorClass};
use redress_http::{classify_connect, classify_handshake, classify_http2, is_shed, own_failure, with_details};
use tonic::{ConnectError, Status, TimeoutExpired};

/// The error type of a channel.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// Classifies an error of a channel or of its connection anywhere in the chain. Returns `None` if
/// there is none.
///
/// | the chain holds | class |
/// |---|---|
/// | a request that tower's `LoadShed` refused | `RateLimit` |
/// | a timeout, the channel's or one that the server reported | `Transient`, with the timeout as its cause |
/// | an HTTP/2 error | see [`classify_http2`] |
/// | a connection that was not made | see [`classify_connect`] |
/// | hyper: the caller's own input failed | see [`own_failure`] |
/// | another error of hyper or of the channel, such as a connection that broke | the class by [`classify_handshake`], else the class that the chain determines, else `Transient` |
///
/// A request is certainly not acted on if `LoadShed` refused it, if no connection was made, if
/// hyper returned it unsent, or if HTTP/2 says so before the response's first message.
pub(crate) fn classify_transport(error: &(dyn Error + 'static)) -> Option<Classification> {
    let failure = of_chain(error)?;
    // Once the response has begun, the request was acted on, even if HTTP/2 says otherwise.
    let has_begun = || source_chain(error).any(<dyn Error>::is::<Begun>);
    if failure.is_unsent() && has_begun() {
        return Some(with_details(error, failure.class().into()));
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

/// Classifies a connection that broke: by an error that the chain determines, or as `Transient`.
fn broken(error: &(dyn Error + 'static)) -> Classification {
    if let Some(class) = classify_handshake(error) {
        return with_details(error, class.into());
    }
    let certain = strict_classifier().classify_error(error);
    let failure = if certain.class() == ErrorClass::Unknown { ErrorClass::Transient.into() } else { certain };
    with_details(error, failure)
}

fn is<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    find::<E>(error).is_some()
}

fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    source_chain(error).find_map(|error| error.downcast_ref())
}

/// Marks a failure that occurred after the response had begun.
///
/// Here and below, `Debug` is as short as `Display`, because a `Status` prints its source with
/// `Debug`.
#[derive(thiserror::Error)]
#[error("the response had begun")]
pub(crate) struct Begun(#[source] pub(crate) Status);

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Marks a failure after the server's time limit. Its source is the original failure.
#[derive(thiserror::Error)]
#[error("the time that the server was given had passed")]
pub(crate) struct TimeUp(#[source] pub(crate) Status);

impl fmt::Debug for TimeUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Converts a channel's error to a status as tonic does, with the error as its source.
///
/// With two exceptions: tonic makes the channel's timeout `CANCELLED`, but for a caller it is a
/// deadline like any other; and tonic makes the status of a request that `LoadShed` refused
/// without a source.
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
