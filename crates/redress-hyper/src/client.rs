//! The retrying client: a transport, a policy, and the settings for all requests. One request's
//! settings are in `request.rs`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use http::{HeaderMap, Method, Request, Response, Uri};
use redress_core::driver::Timer;
use redress_core::policy::{Deadline, KeyedPolicies};
use redress_core::{AbortHandle, AsyncPolicy, Attempt, CallContext, CallError, Classifier};
use redress_http::{Drain, Head, IdempotencyGuard, PolicySelector, ReplayBody, RequestRules};

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
/// | [`guard`](Self::guard) | requests that are known to be idempotent may be sent again, see [`IdempotencyGuard`] |
/// | [`operation`](Self::operation), [`operation_for`](Self::operation_for) | [`default_operation`](redress_http::default_operation): method and path |
/// | [`deadline`](Self::deadline), [`abort_on`](Self::abort_on) | the policy's alone |
/// | [`context_for`](Self::context_for) | the policy's settings for each call |
/// | [`bypass_if`](Self::bypass_if) | no request bypasses the policy |
/// | [`attempt_headers`](Self::attempt_headers) | headers are the same in each attempt |
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

    /// Sets a function that chooses a policy for each request; `None` means the client's policy.
    /// Return clones of one policy: the breaker of a policy that is built for each request never
    /// opens. A request's [context](RetryingRequest::context) applies with any policy.
    ///
    #[must_use]
    pub fn policy_provider(mut self, choose: impl Fn(&Head<'_>) -> Option<P> + Send + Sync + 'static) -> Self {
        self.policies = self.policies.policy_provider(choose);
        self
    }

    /// Sends each request through the policy of its host, which has a breaker for it. The key is a
    /// [`HostKey`](redress_http::HostKey): host and port. Replaces a
    /// [`policy_provider`](Self::policy_provider).
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
    #[must_use]
    pub fn per_host(mut self, policies: &KeyedPolicies<P>) -> Self
    where
        P: Send + Sync + 'static,
    {
        self.policies = self.policies.per_host(policies);
        self
    }

    /// Sends each request through the policy of a key of its head, such as a tenant; `None` means
    /// the client's policy. Replaces a [`policy_provider`](Self::policy_provider).
    #[must_use]
    pub fn per_key(
        mut self,
        policies: &KeyedPolicies<P>,
        key: impl for<'h> Fn(&Head<'h>) -> Option<Cow<'h, str>> + Send + Sync + 'static,
    ) -> Self
    where
        P: Send + Sync + 'static,
    {
        self.policies = self.policies.per_key(policies, key);
        self
    }

    /// Sets which requests may be sent again. Default: those known to be idempotent.
    #[must_use]
    pub fn guard(self, guard: IdempotencyGuard) -> Self {
        self.with_rules(|rules| rules.guard(guard))
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

    /// Gives all requests this name in events and metrics. Default: method and path.
    #[must_use]
    pub fn operation(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.with_rules(|rules| rules.operation(name))
    }

    /// Names requests by their heads. Keep names low-cardinality: if paths contain identifiers,
    /// name the route.
    #[must_use]
    pub fn operation_for(self, name: impl Fn(&Head<'_>) -> Cow<'static, str> + Send + Sync + 'static) -> Self {
        self.with_rules(|rules| rules.operation_for(name))
    }

    /// Gives every call this deadline in addition to the policy's. The earlier of the two ends the
    /// call.
    #[must_use]
    pub fn deadline(self, deadline: impl Into<Deadline>) -> Self {
        self.with_rules(|rules| rules.deadline(deadline))
    }

    /// Ends every call when this handle is aborted. Handles add up: several calls of this method
    /// and the policy's own handles all apply.
    #[must_use]
    pub fn abort_on(self, handle: &AbortHandle) -> Self {
        self.with_rules(|rules| rules.abort_on(handle))
    }

    /// Sets the [`CallContext`] of each request's call, from the request's head and extensions. A
    /// request's own [`context`](RetryingRequest::context) goes within it.
    #[must_use]
    pub fn context_for(self, context: impl Fn(&Head<'_>) -> CallContext<'static, ()> + Send + Sync + 'static) -> Self {
        self.with_rules(|rules| rules.context_for(context))
    }

    /// Lets requests for which `bypass` returns true bypass the policy: one attempt, no breaker, no
    /// events.
    #[must_use]
    pub fn bypass_if(self, bypass: impl Fn(&Head<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.with_rules(|rules| rules.bypass_if(bypass))
    }

    fn with_rules(mut self, set: impl FnOnce(RequestRules) -> RequestRules) -> Self {
        self.rules = set(self.rules);
        self
    }

    /// Sets a function that changes the headers of each attempt, for example to add a trace
    /// context, the attempt's number or a short-lived signature. Changes to one attempt do not
    /// carry over to the next. The function runs at the start of the attempt, within the scopes of
    /// the policy's observers, so the attempt's span is current. A second call replaces the first.
    /// Default: headers stay the same.
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
    #[must_use]
    pub fn attempt_headers(self, change: impl Fn(&mut HeaderMap, Attempt) + Send + Sync + 'static) -> Self {
        self.with_rules(|rules| rules.attempt_headers(change))
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
