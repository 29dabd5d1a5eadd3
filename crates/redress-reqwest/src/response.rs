//! Reads the outcome of a call from the extensions of its response.

use redress_core::{OutcomeSummary, RetryOutcome};
use reqwest::Response;

use crate::wire::Answer;

/// Returns the outcome of the call that produced this response, which may be a bad one that the
/// policy gave up on. `None` if the response did not go through a policy.
///
/// ```
/// use redress::integration::reqwest::outcome;
///
/// fn report(response: &reqwest::Response) {
///     if let Some(outcome) = outcome(response) {
///         println!("{} after {} attempts: {:?}", response.status(), outcome.attempts(), outcome.stop_reason());
///     }
/// }
/// ```
#[must_use]
pub fn outcome(response: &Response) -> Option<&OutcomeSummary> {
    response.extensions().get()
}

/// The last value of an outcome, with its summary.
pub(crate) fn with_summary<T: Answer, E>(outcome: RetryOutcome<T, E>) -> Result<T, redress_core::CallError<E>> {
    let summary = outcome.summary().clone();
    let mut response = outcome.into_last_value()?;
    response.extensions_mut().insert(summary);
    Ok(response)
}
