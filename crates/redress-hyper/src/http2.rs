//! Finds and classifies h2's error in hyper's errors. Without the feature `http2` it finds none.

use std::error::Error;

use redress_core::Classification;

/// Classifies the HTTP/2 error in the chain of sources, if there is one.
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

/// Returns the HTTP/2 error in the chain if it is about a stream only, not about its connection.
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
