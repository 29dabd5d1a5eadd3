//! What HTTP/2 says in hyper's errors. Without the feature `http2` nothing is known of it.
//!
//! Owns finding h2's error. What it means is redress-http's.

use std::error::Error;

use redress_core::Classification;

/// What the error of HTTP/2 in the chain of sources means, if there is one.
#[cfg(feature = "http2")]
pub(crate) fn classify(error: &(dyn Error + 'static)) -> Option<Classification> {
    find(error).map(redress_http::classify_http2)
}

#[cfg(not(feature = "http2"))]
pub(crate) fn classify(_: &(dyn Error + 'static)) -> Option<Classification> {
    None
}

/// Whether a stream failed, and not its connection.
#[cfg(feature = "http2")]
pub(crate) fn is_of_a_stream(error: &(dyn Error + 'static)) -> bool {
    find(error).is_some_and(h2::Error::is_reset)
}

#[cfg(not(feature = "http2"))]
pub(crate) fn is_of_a_stream(_: &(dyn Error + 'static)) -> bool {
    false
}

#[cfg(feature = "http2")]
fn find<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e h2::Error> {
    redress_core::classify::source_chain(error).find_map(|error| error.downcast_ref())
}
