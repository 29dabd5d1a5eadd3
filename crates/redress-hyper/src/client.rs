//! The retrying client: a transport, a policy, and the settings for all requests. One request's
//! settings are in `request.rs`.

use std::fmt;
use std::time::Duration;

use http::{Method, Request, Response, Uri};
use redress_core::driver::Timer;
use redress_core::{AsyncPolicy, CallError, Classifier};
use redress_http::{Drain, Head, PolicySelector, ReplayBody, RequestRules};

use crate::error::HyperError;
use crate::request::{RetryingRequest, Settings};
use crate::response_body::ResponseBody;
use crate::transport::Transport;

/// An HTTP client whose requests go through a policy `P`, an [`AsyncPolicy`] from a runtime's
/// crate. Clones share the transport and the policy with its breaker and budget.
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
///
/// - **Failures** are decided by the policy's classifier: use
///   [`hyper_classifier`](crate::hyper_classifier) or a custom one. It may be called twice for a
///   response.
/// - **Repetition**: a request that is not idempotent is sent once, and if it fails the outcome
///   says `not_idempotent`. A request with any method is sent again if it was certainly [not acted
///   on](HyperError::is_unsent) ([RFC 9110, section
///   9.2.2](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2)). Each attempt sends the same
///   head and the same [body](ReplayBody).
/// - **An attempt** covers connecting, sending and receiving the response's head, plus draining a
///   response that will be retried. Its timeout applies to all of that. The caller reads the body
///   of the final response, outside of the policy.
/// - **A URI** is anything that is `TryInto<Uri>`: a `Uri`, `"http://.."`, a `String`. An invalid
///   URI fails the request when it is [sent](RetryingRequest::send).
///
/// ```
/// use std::time::Duration;
/// use http::{Response, StatusCode};
/// use redress::{Retry, fixed};
/// use redress::integration::hyper::testing::FakeTransport;
/// use redress::integration::hyper::{RetryingClient, hyper_classifier, outcome};
/// use redress::runtime::tokio::AsyncPolicy;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3);
/// let policy = AsyncPolicy::builder().classifier(hyper_classifier()).retry(retry).build()?;
/// // In production, hyper-util's `Client` or `Connections`.
/// let transport = FakeTransport::new().status(StatusCode::SERVICE_UNAVAILABLE).respond(Response::new("order 7"));
/// let client = RetryingClient::new(transport, policy).deadline(Duration::from_secs(5));
///
/// let response = client.get("http://orders/7").send().await?;
/// assert_eq!((response.status(), outcome(&response).unwrap().attempts()), (StatusCode::OK, 2));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RetryingClient<T, P> {
    transport: T,
    policies: PolicySelector<P>,
    rules: RequestRules,
    drain: Drain,
}

impl<T, P> RetryingClient<T, P> {
    /// Creates a client over this transport with this policy.
    #[must_use]
    pub fn new(transport: T, policy: P) -> Self {
        let (rules, drain) = (RequestRules::new(), Drain::default());
        Self { transport, policies: PolicySelector::new(policy), rules, drain }
    }

    redress_http::policy_setters! { P:
        /// A request's [context](RetryingRequest::context) applies with any policy.
        policy_provider
        ///
        /// ```
        /// use redress::{CircuitBreaker, ConfigError};
        /// use redress::integration::hyper::{HyperClassifier, RetryingClient, hyper_classifier};
        /// use redress::runtime::tokio::AsyncPolicy;
        ///
        /// /// A client with a breaker for each host.
        /// fn client<T>(transport: T) -> Result<RetryingClient<T, AsyncPolicy<HyperClassifier>>, ConfigError> {
        ///     let policy = AsyncPolicy::builder().classifier(hyper_classifier()).build()?;
        ///     let hosts = policy.keyed(CircuitBreaker::builder().failure_threshold(5))?;
        ///     Ok(RetryingClient::new(transport, policy).per_host(&hosts))
        /// }
        /// ```
        per_host
        per_key
    }

    /// Sets how much of a response that will be retried is read, and for how long, so that its
    /// connection can be reused. A longer response is dropped before the wait, which closes its
    /// connection unless hyper already received the rest. Zero bytes or zero time disable reading.
    /// The part that was read is kept, so that the response is whole if no retry follows. Default:
    /// 64 KiB and 100 ms.
    ///
    /// Draining takes at most half of the time that the attempt has left, so that the attempt's
    /// timeout does not discard a response that has arrived. It uses the policy's timer.
    #[must_use]
    pub const fn drain(mut self, max_bytes: usize, max_time: Duration) -> Self {
        self.drain = Drain::new(max_bytes, max_time);
        self
    }

    redress_http::rules_setters! {
        guard
        /// Default: method and path.
        operation
        operation_for
        deadline
        abort_on
        /// A request's own [`context`](RetryingRequest::context) goes within it.
        context_for
        bypass_if
        ///
        /// ```
        /// use http::{HeaderMap, HeaderValue};
        /// use redress::Attempt;
        /// use redress::integration::hyper::RetryingClient;
        ///
        /// # fn numbered<T, P>(client: RetryingClient<T, P>) -> RetryingClient<T, P> {
        /// client.attempt_headers(|headers: &mut HeaderMap, attempt: Attempt| {
        ///     headers.insert("x-attempt", HeaderValue::from(attempt.number()));
        /// })
        /// # }
        /// ```
        attempt_headers
        /// Connecting is part of the attempt, and is not subtracted from the time that is sent.
        ///
        /// ```
        /// use std::time::Duration;
        /// use redress::integration::hyper::RetryingClient;
        ///
        /// # fn telling<T, P>(client: RetryingClient<T, P>) -> RetryingClient<T, P> {
        /// client.deadline(Duration::from_secs(2)).send_deadline(true).send_attempt(true)
        /// # }
        /// ```
        send_deadline
        send_deadline_as
        send_attempt
    }

    fn with_rules(mut self, set: impl FnOnce(RequestRules) -> RequestRules) -> Self {
        self.rules = set(self.rules);
        self
    }

    fn with_policies(mut self, set: impl FnOnce(PolicySelector<P>) -> PolicySelector<P>) -> Self {
        self.policies = set(self.policies);
        self
    }

    /// Returns the transport.
    pub const fn transport(&self) -> &T {
        &self.transport
    }

    /// Returns the policy of requests for which no other policy is chosen.
    pub const fn policy(&self) -> &P {
        self.policies.policy()
    }
}

impl<T: Transport, C, Tm> RetryingClient<T, AsyncPolicy<C, Tm>> {
    /// Starts a request with its own settings. Send it with [`RetryingRequest::send`].
    pub fn request<B>(&self, request: Request<B>) -> RetryingRequest<'_, T, C, Tm>
    where
        B: Into<ReplayBody<T::RequestBody>>,
    {
        let head = Head::from_request(&request);
        let settings = Settings {
            guard: self.rules.idempotency(),
            drain: self.drain,
            bypass: self.rules.bypasses(&head),
            of_client: self.rules.call_context(&head),
            rules: Some(&self.rules),
            ..Settings::default()
        };
        RetryingRequest::with(&self.transport, self.policies.select(&head), request, settings)
    }

    fn build<U>(&self, method: Method, uri: U, body: ReplayBody<T::RequestBody>) -> RetryingRequest<'_, T, C, Tm>
    where
        U: TryInto<Uri, Error: Into<http::Error>>,
    {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        match uri.try_into() {
            Ok(uri) => {
                *request.uri_mut() = uri;
                self.request(request)
            }
            Err(error) => self.request(request).never(error.into()),
        }
    }
}

macro_rules! without_body {
    ($($name:ident $method:ident $text:literal)*) => {
        impl<T: Transport<RequestBody: Default + 'static>, C, Tm> RetryingClient<T, AsyncPolicy<C, Tm>> {
            $(
                #[doc = $text]
                pub fn $name<U>(&self, uri: U) -> RetryingRequest<'_, T, C, Tm>
                where
                    U: TryInto<Uri, Error: Into<http::Error>>,
                {
                    self.build(Method::$method, uri, ReplayBody::empty())
                }
            )*
        }
    };
}

without_body! {
    get GET "A GET request."
    head HEAD "A HEAD request."
    delete DELETE "A DELETE request."
    options OPTIONS "An OPTIONS request."
}

macro_rules! with_body {
    ($($name:ident $method:ident $text:literal)*) => {
        impl<T: Transport, C, Tm> RetryingClient<T, AsyncPolicy<C, Tm>> {
            $(
                #[doc = $text]
                pub fn $name<U>(&self, uri: U, body: impl Into<ReplayBody<T::RequestBody>>) -> RetryingRequest<'_, T, C, Tm>
                where
                    U: TryInto<Uri, Error: Into<http::Error>>,
                {
                    self.build(Method::$method, uri, body.into())
                }
            )*
        }
    };
}

with_body! {
    put PUT "A PUT request."
    post POST "A POST request. Not idempotent: it is sent once, unless it carries an `Idempotency-Key` or you say otherwise."
    patch PATCH "A PATCH request. Not idempotent: it is sent once, unless it carries an `Idempotency-Key` or you say otherwise."
}

impl<T, C, Tm> RetryingClient<T, AsyncPolicy<C, Tm>>
where
    T: Transport,
    C: Classifier<Response<ResponseBody<T::ResponseBody>>, HyperError> + Clone,
    Tm: Timer + Clone,
{
    /// Sends a request without further settings. Short for [`request`](Self::request) and
    /// [`send`](RetryingRequest::send).
    ///
    /// # Errors
    ///
    /// As [`RetryingRequest::send`]: if there is no response.
    ///
    /// # Cancel safety
    ///
    /// As [`RetryingRequest::send`].
    pub async fn send<B>(
        &self,
        request: Request<B>,
    ) -> Result<Response<ResponseBody<T::ResponseBody>>, CallError<HyperError>>
    where
        B: Into<ReplayBody<T::RequestBody>>,
    {
        self.request(request).send().await
    }
}

/// Sends one request through a policy, without a [`RetryingClient`].
///
/// # Errors
///
/// As [`RetryingRequest::send`]: if there is no response.
///
/// # Cancel safety
///
/// As [`RetryingRequest::send`].
pub async fn request_with_retry<T, C, Tm, B>(
    transport: &T,
    policy: &AsyncPolicy<C, Tm>,
    request: Request<B>,
) -> Result<Response<ResponseBody<T::ResponseBody>>, CallError<HyperError>>
where
    T: Transport,
    C: Classifier<Response<ResponseBody<T::ResponseBody>>, HyperError> + Clone,
    Tm: Timer + Clone,
    B: Into<ReplayBody<T::RequestBody>>,
{
    RetryingRequest::new(transport, policy, request).send().await
}

impl<T, P: fmt::Debug> fmt::Debug for RetryingClient<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryingClient")
            .field("policy", self.policies.policy())
            .field("rules", &self.rules)
            .field("drain", &self.drain)
            .finish_non_exhaustive()
    }
}
