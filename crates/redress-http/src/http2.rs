//! Classifies HTTP/2 errors: stream resets and GOAWAY. HTTP and gRPC share the table.

use h2::{Error, Reason};
use redress_core::classify::strict_classifier;
use redress_core::{Classification, ErrorClass};

use crate::client::{HTTP2, class_of_http2};
use crate::connect::classify_handshake;

/// Classifies an HTTP/2 error.
///
/// | the error | class |
/// |---|---|
/// | a stream that the client reset, because the request's body failed | `Unknown` |
/// | an error code | see [`class_of_http2`] |
/// | a connection that broke | the class by [`classify_handshake`], else by the [strict classifier](strict_classifier), else `Transient` |
/// | a misuse of h2's API | `Unknown` |
///
/// Two errors mean that the request was certainly [not acted on](Classification::is_unsent), if
/// they came instead of a response: a stream that the server reset with `REFUSED_STREAM`, and a
/// stream above the last one of a GOAWAY ([RFC 9113, section
/// 8.7](https://www.rfc-editor.org/rfc/rfc9113#section-8.7)). The detail `http2` is the code, as in
/// `REFUSED_STREAM`.
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
    // h2 reports a GOAWAY only to streams above its last one; those below go on until the
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
