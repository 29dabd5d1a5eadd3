//! What each gRPC status code means.
//!
//! Owns the table. Knows neither statuses nor their metadata; hints are read in `pushback.rs` and `retry_info.rs`.

use redress_core::ErrorClass;
use tonic::Code;

/// The class of a status code; `None` for [`Code::Ok`], which is no failure.
///
/// | code | class | because |
/// |---|---|---|
/// | `CANCELLED` | `Permanent` | somebody asked for the end of the call |
/// | `UNKNOWN` | `Unknown` | nobody said what it is; retries of it are capped apart |
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
/// Source: [status codes and their use in gRPC](https://grpc.io/docs/guides/status-codes/), and for what to retry the litmus test of
/// [`google.rpc.Code`](https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto): the call itself on
/// `UNAVAILABLE`, a higher level on `ABORTED`, nobody on `FAILED_PRECONDITION`. A code outside the sixteen reads as `UNKNOWN`, as the
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
        Code::Cancelled
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented => Some(ErrorClass::Permanent),
        Code::Aborted => Some(ErrorClass::Concurrency),
        Code::ResourceExhausted => Some(ErrorClass::RateLimit),
        Code::Internal | Code::DataLoss => Some(ErrorClass::ServerError),
        Code::DeadlineExceeded | Code::Unavailable => Some(ErrorClass::Transient),
        Code::Unknown => Some(ErrorClass::Unknown),
    }
}
