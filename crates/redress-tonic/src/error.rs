//! How a call ended, where the caller of a generated client finds it: behind its status, or beside
//! its response.
//!
//! Owns the source of a failed call's status. The codes of failures without a status of their own
//! are here, too.

use std::fmt;
use std::sync::Arc;

use redress_core::classify::source_chain;
use redress_core::{CallError, Cause, Classification, OutcomeSummary, RetryOutcome};
use tonic::{Response, Status};

use crate::transport_error::BoxError;

/// Why a call through a [`GrpcLayer`](crate::GrpcLayer) failed: the source of its status.
///
/// Its own source is what stood behind the call: the last attempt's status with its source, or the
/// rejection of the breaker.
///
/// Prints the text of its [`summary`](Self::summary), also with `{:?}`: that is how a `Status`
/// prints its source, so the text of a status is short, and the same for all calls that fail alike.
#[derive(thiserror::Error)]
pub struct CallFailure {
    summary: OutcomeSummary,
    classification: Option<Classification>,
    source: Option<BoxError>,
}

impl CallFailure {
    /// The failure behind a status of a call through a [`GrpcLayer`](crate::GrpcLayer), if it is
    /// one.
    #[must_use]
    pub fn from_status(status: &Status) -> Option<&Self> {
        source_chain(status).find_map(|error| error.downcast_ref())
    }

    /// How the call ended.
    #[must_use]
    pub const fn summary(&self) -> &OutcomeSummary {
        &self.summary
    }

    /// What the classifier made of the last attempt's status, hint and details included; as
    /// [`RetryOutcome::last_classification`].
    #[must_use]
    pub const fn last_classification(&self) -> Option<&Classification> {
        self.classification.as_ref()
    }

    /// The last attempt's status as it came, if an attempt failed with one.
    #[must_use]
    pub fn last_status(&self) -> Option<&Status> {
        self.source.as_deref().and_then(|source| source.downcast_ref())
    }
}

impl CallFailure {
    /// The status with this failure as its source.
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

/// How a call through a [`GrpcLayer`](crate::GrpcLayer) ended, read off what a generated client
/// returned: from behind a status, from the extensions of a response, or from whichever of the two
/// a `Result` is. `None` if there was no such layer, if the request could not be made, or if what
/// failed came after the layer had handed the response over.
///
/// ```
/// use redress::integration::tonic::outcome;
/// use tonic::{Response, Status};
///
/// fn report(answer: &Result<Response<String>, Status>) {
///     if let Some(outcome) = outcome(answer) {
///         println!("{} attempts, stopped by {:?}", outcome.attempts(), outcome.stop_reason());
///     }
/// }
///
/// // Where only the status is left.
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

/// What [`outcome`] reads: a [`Status`], a [`Response`], a `Result` of them, and the
/// [`http::Response`] of a channel. Nothing else can be one.
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

/// The outcome as a channel gives it: the response with the summary among its extensions, or a
/// status with a [`CallFailure`] behind it.
///
/// A response that the policy's classifier calls a failure is handed over like a good one.
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

/// The status of a call without a response: the last attempt's, if it had one.
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
