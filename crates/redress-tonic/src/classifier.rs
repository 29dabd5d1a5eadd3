//! The classifier for gRPC statuses. The tables are in `code.rs` and `transport_error.rs`.

use std::error::Error;

use redress_core::classify::{OrElse, source_chain};
use redress_core::error::AbortRetryError;
use redress_core::{Classification, Classifier, ErrorClass};
use redress_http::{classify_client, retry_after_from_now};
use tonic::{Code, Status};

use crate::code::{classify_code, name};
use crate::pushback::Pushback;
use crate::retry_info::retry_delay;
use crate::transport_error::classify_transport;

/// The reason if the server's pushback forbids a retry.
const SERVER_PUSHBACK: &str = "server_pushback";

/// Classifies gRPC statuses anywhere in an error's source chain; every `Ok` is a success. Made by
/// [`grpc_classifier`].
///
/// 1. An [`AbortRetryError`] in the chain ends the call.
/// 2. The first [`Status`] in the chain is classified by [`classify_status`].
/// 3. An error without a status is classified like the source of a status if it is a transport
///    error, and by [`classify_client`] otherwise.
///
/// Hints are not capped here; use
/// [`max_retry_after`](redress_core::policy::RetryBuilder::max_retry_after) on the policy's retry
/// component, which also caps pushback. A pushback that forbids the retry is not affected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GrpcClassifier;

/// Creates a classifier of gRPC statuses, for policies around a generated client. See
/// [`GrpcClassifier`].
///
/// ```
/// use redress::{Classifier, ErrorClass};
/// use redress::integration::tonic::grpc_classifier;
/// use tonic::{Response, Status};
///
/// let busy: Result<Response<()>, _> = Err(Status::unavailable("later"));
/// assert_eq!(grpc_classifier().classify(&busy).unwrap().class(), ErrorClass::Transient);
/// ```
#[inline]
#[must_use]
pub const fn grpc_classifier() -> GrpcClassifier {
    GrpcClassifier
}

impl GrpcClassifier {
    /// Adds a fallback: `other` classifies the errors that this classifier does not recognise, and
    /// every `Ok`.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }

    /// Classifies a borrowed error.
    pub fn classify_error(&self, error: &(dyn Error + 'static)) -> Classification {
        if source_chain(error).any(<dyn Error>::is::<AbortRetryError>) {
            return Classification::abort();
        }
        match source_chain(error).find_map(|error| error.downcast_ref::<Status>()) {
            Some(status) => classify_status(status),
            None => without_status(error),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T, E: Error + 'static> Classifier<T, E> for GrpcClassifier {
    fn classify(&self, result: &Result<T, E>) -> Option<Classification> {
        match result {
            Ok(_) => None,
            Err(error) => Some(self.classify_error(error)),
        }
    }
}

/// Classifies a status by its code ([`classify_code`]) and by the server's retry hints. The detail
/// `grpc` is the code.
///
/// - A status with a [`source`](Error::source) was created by the client because it received none.
///   For a connection that could not be made, was reset or timed out, the source counts, not the
///   code that tonic chose for it. The class is mostly `Transient`; a refused certificate and
///   HTTP/2's `HTTP_1_1_REQUIRED` are `Permanent`. If HTTP/2 or the connection shows that the
///   request was not acted on, the failure is [marked as unsent](Classification::is_unsent).
/// - If the `grpc-timeout` that a [`GrpcLayer`](crate::GrpcLayer) sent has passed, the layer's
///   status is `DEADLINE_EXCEEDED` and the cause is [a timeout](Classification::timed_out), no
///   matter which timer fired first: the attempt's, the channel's or the server's, which may return
///   `CANCELLED` or `UNKNOWN`.
/// - `grpc-retry-pushback-ms` in the metadata (headers or trailers) is [the
///   wait](Classification::with_exact_delay), or [forbids the retry](Classification::forbid_retry)
///   as `server_pushback`; see [`Pushback`].
/// - Without pushback, the delay of a `google.rpc.RetryInfo` in the details is a lower bound on the
///   wait, see [`retry_delay`]. So is a `Retry-After` in the metadata, which proxies send with a
///   429 or a 503. The longer of the two counts.
///
/// Hints are ignored for classes that are never retried.
///
/// ```
/// use std::time::Duration;
/// use redress::integration::tonic::classify_status;
/// use tonic::{Status, metadata::MetadataValue};
///
/// let mut busy = Status::resource_exhausted("slow down");
/// busy.metadata_mut().insert("grpc-retry-pushback-ms", MetadataValue::from_static("250"));
/// assert_eq!(classify_status(&busy).retry_after(), Some(Duration::from_millis(250)));
/// assert_eq!(classify_status(&busy).detail("grpc"), Some("RESOURCE_EXHAUSTED"));
///
/// busy.metadata_mut().insert("grpc-retry-pushback-ms", MetadataValue::from_static("-1"));
/// assert_eq!(classify_status(&busy).retry_forbidden(), Some("server_pushback"));
/// ```
pub fn classify_status(status: &Status) -> Classification {
    let failure = class_of(status).with_detail("grpc", name(status.code()));
    if !failure.class().is_retryable() {
        return failure;
    }
    match Pushback::from_headers(status.metadata().as_ref()) {
        Some(Pushback::Wait(wait)) => failure.with_exact_delay(wait),
        Some(Pushback::Never) => failure.forbid_retry(SERVER_PUSHBACK),
        None => match retry_delay(status.details()).max(retry_after_from_now(status.metadata().as_ref())) {
            Some(delay) => failure.with_retry_after(delay),
            None => failure,
        },
    }
}

/// The class of a status, with a hint only if its source carries one.
fn class_of(status: &Status) -> Classification {
    let Some(source) = status.source() else { return of_code(status.code()) };
    match classify_transport(source) {
        Some(failure) => failure,
        // A client-side error that tonic has no code for, or the HTTP status of a response that is
        // not gRPC.
        None if status.code() == Code::Unknown => classify_client(source),
        None => of_code(status.code()),
    }
}

fn of_code(code: Code) -> Classification {
    Classification::new(classify_code(code).unwrap_or(ErrorClass::Unknown))
}

fn without_status(error: &(dyn Error + 'static)) -> Classification {
    match classify_transport(error) {
        Some(failure) => failure,
        None => classify_client(error),
    }
}
