//! Reads the status of a response without a message from its headers and trailers, which are
//! untrusted.

use std::sync::Arc;

use base64::alphabet;
use base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig};
use http::header::CONTENT_TYPE;
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use redress_core::error::StatusError;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_STATUS_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// Accepts the same base64 as tonic, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Removes details that are invalid base64, because tonic panics on them
/// (<https://github.com/grpc/grpc-rust/pull/2618>).
pub(crate) fn drop_garbled_details(headers: &mut HeaderMap) {
    if headers.get(GRPC_STATUS_DETAILS).is_some_and(|details| BASE64.decode(details).is_err()) {
        headers.remove(GRPC_STATUS_DETAILS);
    }
}

/// Returns the failure in a response's head, if there is one: a status in the headers, or a
/// response from a proxy or another server that does not speak gRPC.
///
/// `grpc-status: 0` in the headers is a success without a message.
pub(crate) fn failure_in_head(head: &mut Parts) -> Option<Status> {
    drop_garbled_details(&mut head.headers);
    if head.headers.contains_key(GRPC_STATUS) {
        return failed(&head.headers);
    }
    if head.status != StatusCode::OK {
        let (code, status) = (of_http_status(head.status), head.status.as_u16());
        let metadata = MetadataMap::from_headers(head.headers.clone());
        let message = format!("the response is no gRPC, its HTTP status is {status}");
        let mut failure = Status::with_metadata(code, message, metadata);
        if code == Code::Unknown {
            // gRPC has no code for it, so the HTTP status is kept.
            failure.set_source(Arc::new(StatusError::new(status)));
        }
        return Some(failure);
    }
    let foreign = |kind: &HeaderValue| !kind.as_bytes().starts_with(b"application/grpc");
    head.headers.get(CONTENT_TYPE).filter(|kind| foreign(kind)).map(|kind| {
        let kind = String::from_utf8_lossy(kind.as_bytes());
        Status::unknown(format!("the response is no gRPC, its content type is {kind:?}"))
    })
}

/// Returns the failure of a response that ended without a message: the status in its trailers, or a
/// missing status.
pub(crate) fn failure_at_end(head: &Parts, trailers: Option<&HeaderMap>) -> Option<Status> {
    match trailers.filter(|trailers| trailers.contains_key(GRPC_STATUS)) {
        Some(trailers) => {
            // The status holds the metadata of headers and trailers, as tonic's does. The trailers
            // come last, so their values win.
            let mut headers = head.headers.clone();
            headers.extend(trailers.clone());
            failed(&headers)
        }
        // A failure in the head was returned earlier.
        None if head.headers.contains_key(GRPC_STATUS) => None,
        None => Some(Status::unknown("the response ended without a message and without a grpc-status")),
    }
}

/// Returns the failure in these trailers or headers, if there is one.
pub(crate) fn failed(headers: &HeaderMap) -> Option<Status> {
    Status::from_header_map(headers).filter(|status| status.code() != Code::Ok)
}

/// Returns the code of a response that is not from a gRPC server.
///
/// Source: [HTTP to gRPC status code
/// mapping](https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md).
const fn of_http_status(status: StatusCode) -> Code {
    match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502..=504 => Code::Unavailable,
        _ => Code::Unknown,
    }
}
