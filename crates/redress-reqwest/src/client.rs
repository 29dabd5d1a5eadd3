//! The retrying client: reqwest's, a policy, and the settings for all requests. One request's
//! settings are in `request.rs`.

use std::fmt;
use std::time::Duration;

use redress_core::driver::Timer;
use redress_core::{AsyncPolicy, CallError, Classifier};
use redress_http::Drain;
use reqwest::{Client, IntoUrl, Method, RequestBuilder, Response};

use crate::request::{RequestOutcome, RetryingRequest};
use crate::settings::Settings;

/// A client of reqwest whose requests go through a policy `P`, an [`AsyncPolicy`] from a runtime's
/// crate. Clones share the client, and the policy with its breaker and budget.
///
/// [`get`](Self::get), [`post`](Self::post) and the like start a request as reqwest's client does.
/// [`send`](Self::send), [`execute`](Self::execute) and [`retrying`](Self::retrying) take a
/// [`RequestBuilder`] that was made with any client of reqwest, and send it with that one.
///
/// | setting | default |
/// |---|---|
/// | [`per_host`](Self::per_host), [`per_key`](Self::per_key), [`policy_provider`](Self::policy_provider) | the client's policy for each request |
/// | [`guard`](Self::guard) | requests that are known to be idempotent may be sent again, see [`IdempotencyGuard`](redress_http::IdempotencyGuard) |
/// | [`operation`](Self::operation), [`operation_for`](Self::operation_for) | [`default_operation`](redress_http::default_operation): method and path |
/// | [`deadline`](Self::deadline), [`abort_on`](Self::abort_on) | the policy's alone |
/// | [`context_for`](Self::context_for) | the policy's settings for each call |
/// | [`bypass_if`](Self::bypass_if) | no request bypasses the policy |
/// | [`attempt_headers`](Self::attempt_headers) | headers are the same in each attempt |
/// | [`send_deadline`](Self::send_deadline), [`send_deadline_as`](Self::send_deadline_as), [`send_attempt`](Self::send_attempt) | not sent |
/// | [`drain`](Self::drain) | 64 KiB, 100 ms |
/// | [`follows_redirects`](Self::follows_redirects) | `true` |
///
/// - **Failures** are decided by the policy's classifier: use
///   [`reqwest_classifier`](crate::reqwest_classifier) or a custom one. It may be called twice for
///   a response.
/// - **Repetition**: a request that is not idempotent is sent once, and if it fails the outcome
///   says `not_idempotent`. A request with any method is sent again if it was certainly not acted
///   on ([RFC 9110, section 9.2.2](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2)), and no
///   redirect was followed before. reqwest's errors do not say whether one was: build the client
///   with [`client_builder`](crate::client_builder), or say
///   [`follows_redirects(false)`](Self::follows_redirects).
/// - **A body that cannot be cloned**, such as a stream or a multipart form, is sent once, and the
///   outcome says `streaming_body`.
/// - **An attempt** covers connecting, sending, redirects and receiving the response's head, plus
///   draining a response that will be retried. Its timeout applies to all of that. The caller reads
///   the body of the final response, outside of the policy.
#[derive(Clone)]
pub struct RetryingClient<P> {
    client: Client,
    pub(crate) settings: Settings<P>,
}

setters!([P] RetryingClient<P>, P);

impl<P> RetryingClient<P> {
    /// Creates a client over this one with this policy. Build `client` with
    /// [`client_builder`](crate::client_builder), so that reqwest does not retry as well.
    #[must_use]
    pub fn new(client: Client, policy: P) -> Self {
        Self { client, settings: Settings::new(policy) }
    }

    /// Sets how much of a response that will be retried is read, and for how long, so that its
    /// connection can be reused. The rest of a longer response is dropped before the wait, which
    /// closes its connection. Zero bytes or zero time disable reading. The part that was read is
    /// kept, so that the response is whole if no retry follows. Default: 64 KiB and 100 ms.
    ///
    /// Draining takes at most half of the time that the attempt has left. It uses the policy's
    /// timer.
    #[must_use]
    pub const fn drain(mut self, max_bytes: usize, max_time: Duration) -> Self {
        self.settings.drain = Drain::new(max_bytes, max_time);
        self
    }

    /// Returns reqwest's client.
    pub const fn client(&self) -> &Client {
        &self.client
    }
}

methods!([C, Tm] RetryingClient<AsyncPolicy<C, Tm>> => RetryingRequest<'_, C, Tm>);

impl<C, Tm> RetryingClient<AsyncPolicy<C, Tm>> {
    /// Starts a request with this method. Send it with [`RetryingRequest::send`].
    pub fn request(&self, method: Method, url: impl IntoUrl) -> RetryingRequest<'_, C, Tm> {
        self.retrying(self.client.request(method, url))
    }

    /// Starts a request that was made with reqwest, to give it its own settings.
    ///
    /// ```
    /// use redress::integration::reqwest::RetryingClient;
    /// use redress::runtime::tokio::AsyncPolicy;
    ///
    /// # fn create<C>(client: &RetryingClient<AsyncPolicy<C>>, order: &serde_json::Value) {
    /// let request = client.client().post("http://localhost/orders").json(order);
    /// let request = client.retrying(request).operation("create_order").retry_non_idempotent(true);
    /// # let _ = request;
    /// # }
    /// ```
    pub fn retrying(&self, request: RequestBuilder) -> RetryingRequest<'_, C, Tm> {
        RetryingRequest::new(&self.settings, request)
    }
}

impl<C, Tm> RetryingClient<AsyncPolicy<C, Tm>>
where
    C: Classifier<Response, reqwest::Error> + Clone,
    Tm: Timer + Clone,
{
    /// Sends a request that was made with reqwest. Short for [`retrying`](Self::retrying) and
    /// [`send`](RetryingRequest::send).
    ///
    /// # Errors
    ///
    /// As [`RetryingRequest::send`]: if there is no response.
    ///
    /// # Cancel safety
    ///
    /// As [`RetryingRequest::send`].
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, CallError<reqwest::Error>> {
        self.retrying(request).send().await
    }

    /// Like [`send`](Self::send), but returns the full outcome. Short for
    /// [`retrying`](Self::retrying) and [`execute`](RetryingRequest::execute).
    ///
    /// # Cancel safety
    ///
    /// As [`RetryingRequest::send`].
    pub async fn execute(&self, request: RequestBuilder) -> RequestOutcome {
        self.retrying(request).execute().await
    }
}

/// Sends one request that was made with reqwest through a policy, without a [`RetryingClient`].
///
/// ```
/// use redress::CallError;
/// use redress::integration::reqwest::{ReqwestClassifier, request_with_retry};
/// use redress::runtime::tokio::AsyncPolicy;
///
/// async fn ping(http: &reqwest::Client, policy: &AsyncPolicy<ReqwestClassifier>) -> Result<bool, CallError<reqwest::Error>> {
///     let response = request_with_retry(policy, http.get("http://localhost/ping")).await?;
///     Ok(response.status().is_success())
/// }
/// ```
///
/// # Errors
///
/// As [`RetryingRequest::send`]: if there is no response.
///
/// # Cancel safety
///
/// As [`RetryingRequest::send`].
pub async fn request_with_retry<C, Tm>(
    policy: &AsyncPolicy<C, Tm>,
    request: RequestBuilder,
) -> Result<Response, CallError<reqwest::Error>>
where
    C: Classifier<Response, reqwest::Error> + Clone,
    Tm: Timer + Clone,
{
    let settings = Settings::new(policy.clone());
    RetryingRequest::new(&settings, request).send().await
}

impl<P: fmt::Debug> fmt::Debug for RetryingClient<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryingClient").field("settings", &self.settings).finish_non_exhaustive()
    }
}
