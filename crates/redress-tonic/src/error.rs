//! The outcome of a call for the caller of a generated client: in the source of its status, or in
//! the extensions of its response. Also the codes of failures that have no status.

use std::fmt;
use std::sync::Arc;

use redress_core::classify::source_chain;
use redress_core::{CallError, Cause, Classification, OutcomeSummary, RetryOutcome};
use tonic::{Response, Status};

use crate::transport_error::BoxError;

/// Why a call through a [`GrpcLayer`](crate::GrpcLayer) failed. This is the source of the call's
/// status.
///
/// Its own source is the last attempt's status with its source, or the breaker's rejection.
///
/// `Display` and `Debug` both print the text of its [`summary`](Self::summary). A `Status` prints
/// its source with `Debug`, so this keeps the text of a status short, and equal for calls that fail
/// in the same way.
#[derive(thiserror::Error)]
pub struct CallFailure {
    summary: OutcomeSummary,
    classification: Option<Classification>,
    source: Option<BoxError>,
}

impl CallFailure {
    /// Returns the failure behind a status, if the status is of a call through a
    /// [`GrpcLayer`](crate::GrpcLayer).
    #[must_use]
    pub fn from_status(status: &Status) -> Option<&Self> {
        source_chain(status).find_map(|error| error.downcast_ref())
    }

    /// Returns the call's outcome summary.
    #[must_use]
    pub const fn summary(&self) -> &OutcomeSummary {
        &self.summary
    }

    /// Returns the classification of the last attempt's status, with its hint and details. See
    /// [`RetryOutcome::last_classification`].
    #[must_use]
    pub const fn last_classification(&self) -> Option<&Classification> {
        self.classification.as_ref()
    }

    /// Returns the last attempt's status unchanged, if an attempt failed with one.
    #[must_use]
    pub fn last_status(&self) -> Option<&Status> {
        self.source.as_deref().and_then(|source| source.downcast_ref())
    }
}

impl CallFailure {
    /// Returns the status with this failure as its source.
    fn behind(self, mut status: Status, source: Option<BoxError>) -> Status {
        status.set_source(Arc::new(Self { source, ..self }));
        status
    }
}

impl fmt::Display for CallFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.summary, f)
    }
}

impl fmt::Debug for CallFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallFailure({})", self.summary)
    }
}

/// Returns the outcome of a call through a [`GrpcLayer`](crate::GrpcLayer), from the result of a
/// generated client: the source of a status, the extensions of a response, or either of them in a
/// `Result`. `None` if there was no such layer, if the request could not be encoded, or if the
/// failure occurred after the layer returned the response.
///
/// ```
/// use redress::integration::tonic::outcome;
/// use tonic::{Response, Status};
///
/// fn report(result: &Result<Response<String>, Status>) {
///     if let Some(outcome) = outcome(result) {
///         println!("{} attempts, stopped by {:?}", outcome.attempts(), outcome.stop_reason());
///     }
/// }
///
/// // With only the status.
/// fn retry_in(status: &Status) -> Option<std::time::Duration> {
///     outcome(status)?.retry_in()
/// }
/// # report(&Err(Status::unavailable("later")));
/// # assert!(retry_in(&Status::unavailable("later")).is_none());
/// ```
#[must_use]
pub fn outcome(answer: &impl Answer) -> Option<&OutcomeSummary> {
    answer.summary()
}

/// The argument of [`outcome`]: a [`Status`], a [`Response`], a `Result` of them, or the
/// [`http::Response`] of a channel. The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the answer of a gRPC call",
    note = "`tonic::Status`, `tonic::Response`, a `Result` of them and `http::Response` are"
)]
pub trait Answer: Summarised {}

impl<A: Summarised> Answer for A {}

/// The method of an [`Answer`].
pub trait Summarised {
    fn summary(&self) -> Option<&OutcomeSummary>;
}

impl Summarised for Status {
    fn summary(&self) -> Option<&OutcomeSummary> {
        CallFailure::from_status(self).map(CallFailure::summary)
    }
}

impl<T> Summarised for Response<T> {
    fn summary(&self) -> Option<&OutcomeSummary> {
        self.extensions().get()
    }
}

impl<B> Summarised for http::Response<B> {
    fn summary(&self) -> Option<&OutcomeSummary> {
        redress_http::outcome(self)
    }
}

impl<A: Summarised> Summarised for Result<A, Status> {
    fn summary(&self) -> Option<&OutcomeSummary> {
        match self {
            Ok(response) => response.summary(),
            Err(status) => status.summary(),
        }
    }
}

/// Converts the outcome to a channel's result: the response with the summary in its extensions, or
/// a status with a [`CallFailure`] as its source.
///
/// A response that the policy's classifier calls a failure is returned like a good one.
pub(crate) fn into_answer<B>(outcome: RetryOutcome<http::Response<B>, Status>) -> Result<http::Response<B>, Status> {
    let summary = outcome.summary().clone();
    let classification = outcome.last_classification().cloned();
    match outcome.into_last_value() {
        Ok(mut response) => {
            response.extensions_mut().insert(summary);
            Ok(response)
        }
        Err(error) => Err(into_status(error, CallFailure { summary, classification, source: None })),
    }
}

/// Returns the status of a call without a response: the last attempt's, if it had one.
fn into_status(error: CallError<Status>, failure: CallFailure) -> Status {
    match error {
        CallError::CircuitOpen(rejection) => {
            failure.behind(Status::unavailable(rejection.to_string()), Some(rejection.into()))
        }
        error => match error.into_error() {
            Some(status) => failure.behind(status.clone(), Some(status.into())),
            None if failure.summary.cause() == Some(Cause::Timeout) => {
                failure.behind(Status::deadline_exceeded("the attempt timed out"), None)
            }
            None => failure.behind(Status::cancelled("the call ended before its first attempt"), None),
        },
    }
}
