//! What each gRPC status code means.
//!
//! Owns the table. Knows neither statuses nor their metadata; hints are read in `pushback.rs` and
//! `retry_info.rs`.

use redress_core::ErrorClass;
use tonic::Code;

/// The class of a status code; `None` for [`Code::Ok`], which is no failure.
///
/// | code | class | because |
/// |---|---|---|
/// | `CANCELLED` | `Transient` | a server or a proxy gave up: had the caller done so, there would be no call to classify |
/// | `UNKNOWN` | `Transient` | the server failed in a way that it has no word for |
/// | `INVALID_ARGUMENT` | `Permanent` | wrong whatever the state of the system |
/// | `DEADLINE_EXCEEDED` | `Transient` | there was no answer in time |
/// | `NOT_FOUND` | `Permanent` | an answer |
/// | `ALREADY_EXISTS` | `Permanent` | an answer: it will exist the next time too |
/// | `PERMISSION_DENIED` | `Permission` | known to the server, and not allowed |
/// | `RESOURCE_EXHAUSTED` | `RateLimit` | a quota or a limit, for now |
/// | `FAILED_PRECONDITION` | `Permanent` | not to be retried until the state has been mended |
/// | `ABORTED` | `Concurrency` | a conflict with another transaction |
/// | `OUT_OF_RANGE` | `Permanent` | past the end of what there is |
/// | `UNIMPLEMENTED` | `Permanent` | the server has no such method |
/// | `INTERNAL` | `ServerError` | something broke there |
/// | `UNAVAILABLE` | `Transient` | to be tried again after a backoff |
/// | `DATA_LOSS` | `ServerError` | something broke there |
/// | `UNAUTHENTICATED` | `Auth` | not known to the server |
///
/// Source: [status codes and their use in gRPC](https://grpc.io/docs/guides/status-codes/), and for
/// what to retry the litmus test of
/// [`google.rpc.Code`](https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto):
/// the call itself on `UNAVAILABLE`, a higher level on `ABORTED`, nobody on `FAILED_PRECONDITION`.
/// tonic's server says `CANCELLED` and some proxies `UNKNOWN` where a deadline has passed, which is
/// why these two are no wish of anybody. A code outside the sixteen reads as `UNKNOWN`, as the
/// document asks.
///
/// ```
/// use redress::ErrorClass;
/// use redress::integration::tonic::classify_code;
/// use tonic::Code;
///
/// assert_eq!(classify_code(Code::ResourceExhausted), Some(ErrorClass::RateLimit));
/// assert_eq!(classify_code(Code::Ok), None);
/// ```
#[must_use]
pub const fn classify_code(code: Code) -> Option<ErrorClass> {
    match code {
        Code::Ok => None,
        Code::Unauthenticated => Some(ErrorClass::Auth),
        Code::PermissionDenied => Some(ErrorClass::Permission),
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented => Some(ErrorClass::Permanent),
        Code::Aborted => Some(ErrorClass::Concurrency),
        Code::ResourceExhausted => Some(ErrorClass::RateLimit),
        Code::Internal | Code::DataLoss => Some(ErrorClass::ServerError),
        Code::Cancelled | Code::DeadlineExceeded | Code::Unavailable | Code::Unknown => Some(ErrorClass::Transient),
    }
}

/// The code's name, as in `UNAVAILABLE`: the label `grpc`.
pub(crate) const fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
