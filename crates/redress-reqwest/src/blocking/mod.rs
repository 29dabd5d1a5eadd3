//! The retrying client over reqwest's blocking client: the names of the crate's root, without
//! `await`.
//!
//! ```no_run
//! use std::time::Duration;
//! use redress::Policy;
//! use redress::integration::reqwest::blocking::{RetryingClient, client_builder};
//! use redress::integration::reqwest::reqwest_classifier;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let policy = Policy::builder()
//!     .classifier(reqwest_classifier())
//!     .retry(redress::Retry::default())
//!     .attempt_timeout(Duration::from_secs(2))
//!     .build()?;
//! let client = RetryingClient::new(client_builder().build()?, policy);
//! let report = client.get("http://localhost/report").send()?.error_for_status()?.text()?;
//! # drop(report);
//! # Ok(())
//! # }
//! ```
//!
//! Each attempt has the time that it has left as reqwest's timeout, so it ends in time without
//! another thread. reqwest's timeout covers reading the body as well.

mod client;
pub use client::{RetryingClient, request_with_retry};

mod request;
pub use request::{RequestOutcome, RetryingRequest};

use redress_core::OutcomeSummary;
use reqwest::blocking::{ClientBuilder, Response};

/// Returns reqwest's blocking `ClientBuilder` with reqwest's own retries off. See
/// [`client_builder`](crate::client_builder).
///
/// ```no_run
/// use redress::integration::reqwest::blocking::client_builder;
///
/// let client = client_builder().user_agent("orders").build()?;
/// # drop(client);
/// # Ok::<(), reqwest::Error>(())
/// ```
pub fn client_builder() -> ClientBuilder {
    ClientBuilder::from(crate::client_builder())
}

/// Returns the outcome of the call that produced this response. See [`outcome`](crate::outcome).
#[must_use]
pub fn outcome(response: &Response) -> Option<&OutcomeSummary> {
    response.extensions().get()
}
