//! What the errors of HTTP/2 mean: resets of a stream, and the end of a connection by GOAWAY.
//!
//! Owns the table of error codes, which is the same for HTTP and gRPC.

use h2::{Error, Reason};
use redress_core::classify::strict_classifier;
use redress_core::{Classification, ErrorClass};

use crate::client::{HTTP2, class_of_http2};
use crate::connect::classify_handshake;

/// What an error of HTTP/2 means.
///
/// | the error | class |
/// |---|---|
/// | a stream that was reset on this side: what was to be sent failed | `Unknown` |
/// | a code | that of [`class_of_http2`] |
/// | a connection that broke | that of [`classify_handshake`], or what the [strict classifier](strict_classifier) is certain about, or else `Transient` |
/// | h2 was used wrongly | `Unknown` |
///
/// Two are certainly [not acted on](Classification::is_unsent), for an error that came instead of a
/// response: a stream that the server reset with `REFUSED_STREAM`, and one that is above the last
/// of a GOAWAY ([RFC 9113, section 8.7](https://www.rfc-editor.org/rfc/rfc9113#section-8.7)). The
/// code is a label, as in `http2 = REFUSED_STREAM`.
pub fn classify_http2(error: &Error) -> Classification {
    if let Some(io) = error.get_io() {
        return match classify_handshake(io) {
            Some(class) => class.into(),
            None => match strict_classifier().classify_error(io) {
                failure if failure.class() == ErrorClass::Unknown => ErrorClass::Transient.into(),
                failure => failure,
            },
        };
    }
    let Some(reason) = error.reason() else { return ErrorClass::Unknown.into() };
    let label = format!("{reason:?}");
    let is_of_this_side = error.is_reset() && !error.is_remote() && !error.is_library();
    let failure = Classification::new(if is_of_this_side { ErrorClass::Unknown } else { class_of_http2(&label) });
    // h2 gives a GOAWAY to the streams above its last one alone; those below go on until the
    // connection breaks.
    let is_unsent = error.is_remote() && (error.is_go_away() || reason == Reason::REFUSED_STREAM);
    let failure = if is_unsent { failure.unsent() } else { failure };
    failure.with_detail(HTTP2, label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_class_and_is_a_label() {
        let rows = [
            (Reason::NO_ERROR, ErrorClass::Transient, "NO_ERROR"),
            (Reason::INTERNAL_ERROR, ErrorClass::Transient, "INTERNAL_ERROR"),
            (Reason::REFUSED_STREAM, ErrorClass::Transient, "REFUSED_STREAM"),
            (Reason::CANCEL, ErrorClass::Transient, "CANCEL"),
            (Reason::ENHANCE_YOUR_CALM, ErrorClass::RateLimit, "ENHANCE_YOUR_CALM"),
            (Reason::INADEQUATE_SECURITY, ErrorClass::Permission, "INADEQUATE_SECURITY"),
            (Reason::HTTP_1_1_REQUIRED, ErrorClass::Permanent, "HTTP_1_1_REQUIRED"),
        ];
        for (reason, class, label) in rows {
            let failure = classify_http2(&reason.into());
            assert_eq!((failure.class(), failure.detail(HTTP2)), (class, Some(label)));
            assert!(!failure.is_unsent(), "no frame of the server says so");
        }
    }
}
