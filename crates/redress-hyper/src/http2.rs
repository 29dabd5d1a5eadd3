//! What HTTP/2 says in hyper's errors. Without the feature `http2` nothing is known of it.
//!
//! Owns finding h2's error. What it means is redress-http's.

use std::error::Error;

use redress_core::Classification;

/// What the error of HTTP/2 in the chain of sources means, if there is one.
pub(crate) fn classify(error: &(dyn Error + 'static)) -> Option<Classification> {
    #[cfg(feature = "http2")]
    let meaning = find(error).map(redress_http::classify_http2);
    #[cfg(not(feature = "http2"))]
    let meaning = {
        let _ = error;
        None
    };
    meaning
}

/// The error of HTTP/2 that says of a stream that it failed, and nothing of its connection.
pub(crate) fn of_a_stream<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    #[cfg(feature = "http2")]
    let of_a_stream = find(error).filter(|error| error.is_reset()).map(|error| error as _);
    #[cfg(not(feature = "http2"))]
    let of_a_stream = {
        let _ = error;
        None
    };
    of_a_stream
}

#[cfg(feature = "http2")]
fn find<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e h2::Error> {
    redress_core::classify::source_chain(error).find_map(|error| error.downcast_ref())
}
