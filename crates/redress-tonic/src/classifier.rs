//! The classifier that a policy takes: an error with a `tonic::Status` in it, in; a classification
//! out.
//!
//! Owns the order in which code, transport, hints and pushback are asked. The tables are in
//! `code.rs` and `transport_error.rs`.

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

/// Why there must be no further attempt when the server pushed back.
const SERVER_PUSHBACK: &str = "server_pushback";

/// Classifies gRPC statuses, wherever in an error's source chain they are; every `Ok` is a success.
/// Made by [`grpc_classifier`].
///
/// 1. An [`AbortRetryError`] in the chain ends the call.
/// 2. The first [`Status`] in it is read as [`classify_status`] says.
/// 3. An error without a status is read as the source of a status is if it is of the transport, and
///    as [`classify_client`] has it otherwise.
///
/// Hints are taken as they come; the policy's retry
/// [shortens](redress_core::policy::RetryBuilder::max_retry_after) those that are too long,
/// pushback included. That changes nothing about a server that asks not to be called again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GrpcClassifier;

/// A classifier of gRPC statuses, for policies around a generated client; see [`GrpcClassifier`].
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
    /// Asks `other` about errors that this one does not recognise, and about every `Ok`.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }

    /// What this classifier makes of an error behind a reference.
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

/// What a status means: its code by [`classify_code`], and what the server says about a retry. The
/// code is the label `grpc`.
///
/// - A status with a [`source`](Error::source) was made on this side, where no status came: of a
///   connection that could not be made, was reset or timed out it is the source that counts,
///   whatever code tonic chose for it. Mostly the class is `Transient`; a refused certificate is
///   `Permanent`, and so is HTTP/2's `HTTP_1_1_REQUIRED`. What HTTP/2 or the connection shows not
///   to have been acted on is [marked so](Classification::is_unsent).
/// - Where the `grpc-timeout` had passed that a [`GrpcLayer`](crate::GrpcLayer) sent, the layer's
///   status says `DEADLINE_EXCEEDED` and the cause is [a timeout](Classification::timed_out),
///   whichever timer was first: the attempt's, the channel's or the server's, which may say
///   `CANCELLED` or `UNKNOWN`.
/// - `grpc-retry-pushback-ms` in the metadata (headers or trailers) is [the
///   wait](Classification::with_ordered_wait), or [forbids the retry](Classification::forbid_retry)
///   as `server_pushback`; see [`Pushback`].
/// - Without pushback, the delay of a `google.rpc.RetryInfo` among the details is the least wait,
///   see [`retry_delay`], and so is a `Retry-After` in the metadata, which is what a proxy sends
///   with a 429 or a 503; the longer counts.
///
/// None of them is read where the class is one that is never retried.
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
        Some(Pushback::Wait(wait)) => failure.with_ordered_wait(wait),
        Some(Pushback::Never) => failure.forbid_retry(SERVER_PUSHBACK),
        None => match retry_delay(status.details()).max(retry_after_from_now(status.metadata().as_ref())) {
            Some(delay) => failure.with_retry_after(delay),
            None => failure,
        },
    }
}

/// The class of a status, with a hint only where its source carries one.
fn class_of(status: &Status) -> Classification {
    let Some(source) = status.source() else { return of_code(status.code()) };
    match classify_transport(source) {
        Some(failure) => failure,
        // An error of this side that tonic had no code for, or the HTTP status of what is no gRPC.
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
