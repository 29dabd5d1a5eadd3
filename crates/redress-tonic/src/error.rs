//! How a call ended, where the caller of a generated client finds it: behind its status, or beside its response.
//!
//! Owns the source of a failed call's status. The codes of failures without a status of their own are here, too.

use std::fmt;
use std::sync::Arc;

use redress_core::classify::source_chain;
use redress_core::{CallError, Cause, OutcomeSummary, RetryOutcome};
use tonic::{Response, Status};

use crate::transport_error::BoxError;

/// Why a call through a [`GrpcLayer`](crate::GrpcLayer) failed: the source of its status.
///
/// Its own source is what stood behind the call: the last attempt's status with its source, or the rejection of the breaker.
///
/// Prints the text of its [`summary`](Self::summary), also with `{:?}`: that is how a `Status` prints its source, so the text of a status
/// is short, and the same for all calls that fail alike.
#[derive(thiserror::Error)]
pub struct CallFailure {
    summary: OutcomeSummary,
    source: Option<BoxError>,
}

impl CallFailure {
    /// The failure behind a status of a call through a [`GrpcLayer`](crate::GrpcLayer), if it is one.
    #[must_use]
    pub fn from_status(status: &Status) -> Option<&Self> {
        source_chain(status).find_map(|error| error.downcast_ref())
    }

    /// How the call ended.
    #[must_use]
    pub const fn summary(&self) -> &OutcomeSummary {
        &self.summary
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

/// How a call through a [`GrpcLayer`](crate::GrpcLayer) ended, read off what a generated client returned: from the extensions of its
/// response or from behind its status. `None` if there was no such layer, if the request could not be made, or if what failed came after
/// the layer had handed the response over.
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
/// # report(&Err(Status::unavailable("later")));
/// ```
#[must_use]
pub fn outcome<T>(answer: &Result<Response<T>, Status>) -> Option<&OutcomeSummary> {
    match answer {
        Ok(response) => response.extensions().get(),
        Err(status) => CallFailure::from_status(status).map(CallFailure::summary),
    }
}

/// The outcome as a channel gives it: the response with the summary among its extensions, or a status with a [`CallFailure`]
/// behind it.
///
/// A response that the policy's classifier calls a failure is handed over like a good one.
pub(crate) fn into_answer<B>(outcome: RetryOutcome<http::Response<B>, Status>) -> Result<http::Response<B>, Status> {
    let summary = outcome.summary().clone();
    match outcome.into_last_value() {
        Ok(mut response) => {
            response.extensions_mut().insert(summary);
            Ok(response)
        }
        Err(error) => Err(into_status(error, summary)),
    }
}

/// The status of a call without a response: the last attempt's, if it had one.
fn into_status(error: CallError<Status>, summary: OutcomeSummary) -> Status {
    match error {
        CallError::CircuitOpen(rejection) => {
            with_failure(Status::unavailable(rejection.to_string()), summary, Some(rejection.into()))
        }
        error => match error.into_error() {
            Some(status) => with_failure(status.clone(), summary, Some(status.into())),
            None if summary.cause() == Some(Cause::Timeout) => {
                with_failure(Status::deadline_exceeded("the attempt timed out"), summary, None)
            }
            None => with_failure(Status::cancelled("the call ended before its first attempt"), summary, None),
        },
    }
}

fn with_failure(mut status: Status, summary: OutcomeSummary, source: Option<BoxError>) -> Status {
    status.set_source(Arc::new(CallFailure { summary, source }));
    status
}
