//! Reads the outcome of a call from the extensions of its response, where integrations store it.

use http::Response;
use redress_core::OutcomeSummary;

/// Returns the outcome of the call that produced this response, which may be a failed one that the
/// policy gave up on. `None` if the response did not go through a policy.
///
/// ```
/// use http::Response;
/// use redress::integration::http::outcome;
///
/// fn report<B>(response: &Response<B>) {
///     if let Some(outcome) = outcome(response) {
///         println!("{} after {} attempts: {:?}", response.status(), outcome.attempts(), outcome.stop_reason());
///     }
/// }
/// # report(&Response::new(()));
/// ```
#[must_use]
pub fn outcome<B>(response: &Response<B>) -> Option<&OutcomeSummary> {
    response.extensions().get()
}
