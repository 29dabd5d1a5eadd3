//! The blocking retrying client. One request's settings are in `request.rs`.

use std::fmt;

use redress_core::{CallError, Classifier, Policy};
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::{IntoUrl, Method};

use super::request::{RequestOutcome, RetryingRequest};
use crate::settings::Settings;

/// A blocking client of reqwest whose requests go through a policy `P`, a [`Policy`]. Clones share
/// the client, and the policy with its breaker and budget.
///
/// It has the methods and defaults of the [asynchronous client](crate::RetryingClient), with these
/// differences:
///
/// - **An attempt's time is reqwest's timeout.** The time that an attempt has left, by the policy's
///   attempt timeout and the deadline, is written into its request, unless the request has a
///   shorter timeout. It replaces the client's timeout, 30 s by default: give the policy an
///   attempt timeout. It also covers reading the body, from the start of the attempt.
/// - **Redirects cannot be counted.** A request that is not idempotent is sent again after "no
///   connection" only with [`follows_redirects(false)`](Self::follows_redirects).
/// - **Responses are not drained.** One that will be retried keeps its connection until the next
///   attempt has ended.
#[derive(Clone)]
pub struct RetryingClient<P> {
    client: Client,
    settings: Settings<P>,
}

setters!([P] RetryingClient<P>, P);

impl<P> RetryingClient<P> {
    /// Creates a client over this one with this policy. Build `client` with
    /// [`client_builder`](super::client_builder), so that reqwest does not retry as well.
    #[must_use]
    pub fn new(client: Client, policy: P) -> Self {
        Self { client, settings: Settings::new(policy) }
    }

    /// Returns reqwest's client.
    pub const fn client(&self) -> &Client {
        &self.client
    }
}

methods!([C] RetryingClient<Policy<C>> => RetryingRequest<'_, C>);

impl<C> RetryingClient<Policy<C>> {
    /// Starts a request with this method. Send it with [`RetryingRequest::send`].
    pub fn request(&self, method: Method, url: impl IntoUrl) -> RetryingRequest<'_, C> {
        self.retrying(self.client.request(method, url))
    }

    /// Starts a request that was made with reqwest, to give it its own settings.
    pub fn retrying(&self, request: RequestBuilder) -> RetryingRequest<'_, C> {
        RetryingRequest::new(&self.settings, request)
    }
}

impl<C> RetryingClient<Policy<C>>
where
    C: Classifier<Response, reqwest::Error> + Clone,
{
    /// Sends a request that was made with reqwest. Short for [`retrying`](Self::retrying) and
    /// [`send`](RetryingRequest::send).
    ///
    /// # Errors
    ///
    /// As [`RetryingRequest::send`]: if there is no response.
    pub fn send(&self, request: RequestBuilder) -> Result<Response, CallError<reqwest::Error>> {
        self.retrying(request).send()
    }

    /// Like [`send`](Self::send), but returns the full outcome. Short for
    /// [`retrying`](Self::retrying) and [`execute`](RetryingRequest::execute).
    pub fn execute(&self, request: RequestBuilder) -> RequestOutcome {
        self.retrying(request).execute()
    }
}

/// Sends one request that was made with reqwest through a policy, without a [`RetryingClient`].
///
/// ```
/// use redress::{CallError, Policy};
/// use redress::integration::reqwest::ReqwestClassifier;
/// use redress::integration::reqwest::blocking::request_with_retry;
///
/// fn ping(http: &reqwest::blocking::Client, policy: &Policy<ReqwestClassifier>) -> Result<bool, CallError<reqwest::Error>> {
///     let response = request_with_retry(policy, http.get("http://localhost/ping"))?;
///     Ok(response.status().is_success())
/// }
/// ```
///
/// # Errors
///
/// As [`RetryingRequest::send`]: if there is no response.
///
/// # Panics
///
/// As [`RetryingRequest::send`].
pub fn request_with_retry<C>(policy: &Policy<C>, request: RequestBuilder) -> Result<Response, CallError<reqwest::Error>>
where
    C: Classifier<Response, reqwest::Error> + Clone,
{
    let settings = Settings::new(policy.clone());
    RetryingRequest::new(&settings, request).send()
}

impl<P: fmt::Debug> fmt::Debug for RetryingClient<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryingClient").field("settings", &self.settings).finish_non_exhaustive()
    }
}
