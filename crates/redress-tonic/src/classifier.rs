//! The classifier that a policy takes: an error with a `tonic::Status` in it, in; a classification out.
//!
//! Owns the order in which code, transport, hints and pushback are asked. The tables are in `code.rs` and `transport_error.rs`.

use std::error::Error;
use std::time::Duration;

use redress_core::classify::{OrElse, source_chain, strict_classifier};
use redress_core::error::AbortRetryError;
use redress_core::{Classification, Classifier, ErrorClass, default_classifier};
use tonic::{Code, Status};

use crate::code::classify_code;
use crate::pushback::Pushback;
use crate::retry_info::retry_delay;
use crate::transport_error::transport_class;

/// Why there must be no further attempt when the server pushed back.
const SERVER_PUSHBACK: &str = "server_pushback";

/// Classifies gRPC statuses, wherever in an error's source chain they are; every `Ok` is a success. Made by [`grpc_classifier`].
///
/// 1. An [`AbortRetryError`] in the chain ends the call.
/// 2. The first [`Status`] in it is read as [`classify_status`] says.
/// 3. An error without a status, such as one of a channel, is `Transient` if it is of the transport, and what
///    [`default_classifier`] says otherwise.
///
/// Hints are taken as they come unless [`max_retry_after`](Self::max_retry_after) is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GrpcClassifier {
    max_retry_after: Option<Duration>,
}

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
    GrpcClassifier { max_retry_after: None }
}

impl GrpcClassifier {
    /// Shortens longer hints to `longest`. Without it there is no cap: the policy's deadline bounds every wait.
    ///
    /// With it, a server that asks for an hour is asked again sooner than it wished. It changes nothing about a server that asks not
    /// to be called again.
    #[must_use]
    pub const fn max_retry_after(mut self, longest: Duration) -> Self {
        self.max_retry_after = Some(longest);
        self
    }

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
            Some(status) => self.shorten(classify_status(status)),
            None => self.shorten(without_status(error)),
        }
    }

    fn shorten(&self, failure: Classification) -> Classification {
        match (self.max_retry_after, failure.retry_after()) {
            (Some(longest), Some(asked)) => failure.with_retry_after(asked.min(longest)),
            _ => failure,
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

/// What a status means: its code by [`classify_code`], and what the server says about a retry.
///
/// - A status with a [`source`](Error::source) was made on this side, where no status came: of a connection that could not be made,
///   was reset or timed out it is the source that counts, whatever code tonic chose for it, and the class is `Transient`.
/// - `grpc-retry-pushback-ms` in the metadata (headers or trailers) is the hint, or
///   [forbids the retry](Classification::forbid_retry) as `server_pushback`; see [`Pushback`].
/// - Without pushback, the delay of a `google.rpc.RetryInfo` among the details is the hint; see [`retry_delay`].
///
/// Neither is read where the class is one that is never retried.
///
/// ```
/// use std::time::Duration;
/// use redress::integration::tonic::classify_status;
/// use tonic::{Status, metadata::MetadataValue};
///
/// let mut busy = Status::resource_exhausted("slow down");
/// busy.metadata_mut().insert("grpc-retry-pushback-ms", MetadataValue::from_static("250"));
/// assert_eq!(classify_status(&busy).retry_after(), Some(Duration::from_millis(250)));
///
/// busy.metadata_mut().insert("grpc-retry-pushback-ms", MetadataValue::from_static("-1"));
/// assert_eq!(classify_status(&busy).retry_forbidden(), Some("server_pushback"));
/// ```
pub fn classify_status(status: &Status) -> Classification {
    let failure = class_of(status);
    if !failure.class().is_retryable() {
        return failure;
    }
    match Pushback::from_headers(status.metadata().as_ref()) {
        Some(Pushback::Wait(wait)) => failure.with_retry_after(wait),
        Some(Pushback::Never) => failure.forbid_retry(SERVER_PUSHBACK),
        None => match retry_delay(status.details()) {
            Some(delay) => failure.with_retry_after(delay),
            None => failure,
        },
    }
}

/// The class of a status, with a hint only where its source carries one.
fn class_of(status: &Status) -> Classification {
    if let Some(source) = status.source() {
        if let Some(class) = transport_class(source) {
            return Classification::new(class);
        }
        // An error of this side that tonic had no code for.
        if status.code() == Code::Unknown {
            return strict_classifier().classify_error(source);
        }
    }
    Classification::new(classify_code(status.code()).unwrap_or(ErrorClass::Unknown))
}

fn without_status(error: &(dyn Error + 'static)) -> Classification {
    let certain = strict_classifier().classify_error(error);
    match transport_class(error) {
        Some(class) if certain.class() == ErrorClass::Unknown => Classification::new(class),
        _ if certain.class() != ErrorClass::Unknown => certain,
        _ => default_classifier().classify_error(error),
    }
}
