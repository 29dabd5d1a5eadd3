//! Failures on this side of the wire: no status came, so the error has to say what it was.
//!
//! Owns the names of a tonic channel's errors. Knows no status codes.

use std::error::Error;

use h2::Reason;
use redress_core::ErrorClass;
use redress_core::classify::source_chain;
use tonic::{ConnectError, Status, TimeoutExpired};

/// What errors of a channel arrive as.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// The class of an error of a channel or of its connection, found anywhere in the chain; `None` if there is none.
///
/// Connections that cannot be made, break, close or are reset are `Transient`, and so is a timeout of the channel. Of the
/// [codes of HTTP/2](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#errors), two say more: `ENHANCE_YOUR_CALM` is `RateLimit`,
/// `INADEQUATE_SECURITY` is `Permission`.
pub(crate) fn transport_class(error: &(dyn Error + 'static)) -> Option<ErrorClass> {
    let reason = source_chain(error).find_map(|error| error.downcast_ref::<h2::Error>()).and_then(h2::Error::reason);
    match reason {
        Some(Reason::ENHANCE_YOUR_CALM) => Some(ErrorClass::RateLimit),
        Some(Reason::INADEQUATE_SECURITY) => Some(ErrorClass::Permission),
        Some(_) => Some(ErrorClass::Transient),
        None => source_chain(error).any(is_of_transport).then_some(ErrorClass::Transient),
    }
}

/// The status of a channel's error, as tonic makes it: the error is its source.
///
/// But for the channel's own timeout, which tonic calls `CANCELLED`: for a caller it is the deadline like any other.
pub(crate) fn status_of(error: impl Into<BoxError>) -> Status {
    let error = error.into();
    if source_chain(&*error).any(<dyn Error>::is::<TimeoutExpired>) {
        let mut status = Status::deadline_exceeded("the channel gave up waiting");
        status.set_source(error.into());
        return status;
    }
    Status::from_error(error)
}

fn is_of_transport(error: &(dyn Error + 'static)) -> bool {
    error.is::<ConnectError>()
        || error.is::<TimeoutExpired>()
        || error.is::<tonic::transport::Error>()
        || error.is::<hyper::Error>()
        || error.is::<h2::Error>()
}
