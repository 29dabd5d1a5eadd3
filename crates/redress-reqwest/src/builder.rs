//! A builder of reqwest's client for use below a policy.

use reqwest::{ClientBuilder, retry};

use crate::exchanges;

/// Returns reqwest's `ClientBuilder` with reqwest's own retries off, so that the policy's attempts
/// are all that is sent. It is `ClientBuilder::new()` otherwise.
///
/// Attempts over the client can also tell whether reqwest followed a redirect, which its errors do
/// not say. A request that is not idempotent is sent again after "no connection" only if it did
/// not: see [`RetryingClient`](crate::RetryingClient). A later
/// [`retry(..)`](ClientBuilder::retry) on the builder replaces both.
///
/// ```no_run
/// use std::time::Duration;
/// use redress::integration::reqwest::client_builder;
///
/// let client = client_builder().connect_timeout(Duration::from_secs(1)).build()?;
/// # drop(client);
/// # Ok::<(), reqwest::Error>(())
/// ```
pub fn client_builder() -> ClientBuilder {
    reqwest::Client::builder().retry(never())
}

/// A retry policy that never retries, and counts the exchanges of the attempt that is polled.
pub(crate) fn never() -> retry::Builder {
    retry::never().classify_fn(|exchange| {
        exchanges::count();
        exchange.success()
    })
}
