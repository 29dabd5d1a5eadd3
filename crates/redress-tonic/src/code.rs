//! The class of each gRPC status code.

use redress_core::ErrorClass;
use tonic::Code;

/// Returns the class of a status code, or `None` for [`Code::Ok`], which is not a failure.
///
/// | code | class | because |
/// |---|---|---|
/// | `CANCELLED` | `Transient` | a server or a proxy gave up; a call that the caller cancelled is not classified |
/// | `UNKNOWN` | `Transient` | the server failed without a specific code |
/// | `INVALID_ARGUMENT` | `Permanent` | wrong in any state of the system |
/// | `DEADLINE_EXCEEDED` | `Transient` | no response in time |
/// | `NOT_FOUND` | `Permanent` | a result, not a fault |
/// | `ALREADY_EXISTS` | `Permanent` | a result that a retry does not change |
/// | `PERMISSION_DENIED` | `Permission` | the caller is known, but not allowed |
/// | `RESOURCE_EXHAUSTED` | `RateLimit` | a temporary quota or limit |
/// | `FAILED_PRECONDITION` | `Permanent` | a retry fails until the state is fixed |
/// | `ABORTED` | `Concurrency` | a conflict with another transaction |
/// | `OUT_OF_RANGE` | `Permanent` | past the end of the data |
/// | `UNIMPLEMENTED` | `Permanent` | the server has no such method |
/// | `INTERNAL` | `ServerError` | a fault of the server |
/// | `UNAVAILABLE` | `Transient` | may be retried after a backoff |
/// | `DATA_LOSS` | `ServerError` | a fault of the server |
/// | `UNAUTHENTICATED` | `Auth` | the caller is not known |
///
/// Source: [status codes and their use in gRPC](https://grpc.io/docs/guides/status-codes/), and for
/// what to retry the litmus test of
/// [`google.rpc.Code`](https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto):
/// the call itself on `UNAVAILABLE`, a higher level on `ABORTED`, no retry on
/// `FAILED_PRECONDITION`. tonic's server returns `CANCELLED` and some proxies `UNKNOWN` after a
/// deadline has passed, so both are `Transient`. A code outside the sixteen counts as `UNKNOWN`, as
/// the document requires.
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

/// The code's name, as in `UNAVAILABLE`, for the detail `grpc`.
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
