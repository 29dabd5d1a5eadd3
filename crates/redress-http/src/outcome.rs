//! How the call behind a response ended, where its caller finds it.
//!
//! Owns the reading. Integrations put the summary there.

use http::Response;
use redress_core::OutcomeSummary;

/// How the call that gave this response ended: a good response, or a bad one that the policy gave
/// up on. `None` if it came through no policy.
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
