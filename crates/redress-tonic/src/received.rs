//! What a response says about itself before its first message: a status, or none.
//!
//! Owns reading headers and trailers that may hold anything. Waits for nothing; `attempt.rs` does.

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

/// Reads what tonic reads, with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Takes out details that are no base64, at which tonic panics
/// (<https://github.com/grpc/grpc-rust/pull/2618>).
pub(crate) fn drop_garbled_details(headers: &mut HeaderMap) {
    if headers.get(GRPC_STATUS_DETAILS).is_some_and(|details| BASE64.decode(details).is_err()) {
        headers.remove(GRPC_STATUS_DETAILS);
    }
}

/// The failure that a head alone tells, if it does: a status in the headers, a response of a proxy,
/// or one of something else.
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
            // gRPC has no word for it, HTTP has.
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

/// The failure that the end of a response tells which had no message: in its trailers, if it has
/// any, or by not having them.
pub(crate) fn failure_at_end(head: &Parts, trailers: Option<&HeaderMap>) -> Option<Status> {
    match trailers.filter(|trailers| trailers.contains_key(GRPC_STATUS)) {
        Some(trailers) => {
            // A status holds the metadata of both, as tonic's does. The trailers come last, and so
            // say how it ended.
            let mut headers = head.headers.clone();
            headers.extend(trailers.clone());
            failed(&headers)
        }
        // A head that held a failure has not come here.
        None if head.headers.contains_key(GRPC_STATUS) => None,
        None => Some(Status::unknown("the response ended without a message and without a grpc-status")),
    }
}

/// The failure that these trailers or headers tell, if they do.
pub(crate) fn failed(headers: &HeaderMap) -> Option<Status> {
    Status::from_header_map(headers).filter(|status| status.code() != Code::Ok)
}

/// The code of a response that something other than a gRPC server gave.
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
