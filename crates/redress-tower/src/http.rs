//! The protocol for requests of the `http` crate: which requests are replayed, how they are named,
//! and where the outcome is stored.

use std::borrow::Cow;
use std::fmt;

use ::http::{Request, Response};
use redress_core::policy::KeyedPolicies;
use redress_core::{AsyncPolicy, Attempt, CallContext, Cause, Classification, OutcomeSummary};
use redress_http::{
    Answer, Head, LastFailure, PolicySelector, Repetition, RequestRules, default_operation, with_head_of,
};

use crate::layer::PolicyLayer;
use crate::protocol::Protocol;
use crate::source::PolicyProvider;

pub use crate::body_replay::{BodyReplay, CloneBody, EmptyBody};
pub use crate::deadline_layer::DeadlineLayer;
pub use crate::deadline_service::{DeadlineFuture, DeadlineService};
pub use crate::refusal::{Late, Refusal, Stage};

/// The [`Protocol`] for requests and responses of the [`http`] crate.
///
/// | setting | default |
/// |---|---|
/// | [`guard`](Self::guard) | requests that are known to be idempotent may be sent again, see [`IdempotencyGuard`](redress_http::IdempotencyGuard) |
/// | [`operation`](Self::operation), [`operation_for`](Self::operation_for) | [`default_operation`]: method and path |
/// | [`deadline`](Self::deadline), [`abort_on`](Self::abort_on) | the policy's alone |
/// | [`context_for`](Self::context_for) | the policy's settings for each call |
/// | [`bypass_if`](Self::bypass_if) | no request bypasses the policy |
/// | [`attempt_headers`](Self::attempt_headers) | headers are the same in each attempt |
/// | [`send_deadline`](Self::send_deadline), [`send_deadline_as`](Self::send_deadline_as), [`send_attempt`](Self::send_attempt) | not sent |
/// | [`bodies`](Self::bodies) | [`CloneBody`]: bodies are `Clone`, as `Full<Bytes>`, `Empty` and `String` are |
///
/// A request that may not be sent again is sent once. If it fails, the outcome says why:
/// `not_idempotent`, or `streaming_body` if its body cannot be replayed; or `answered` if the
/// response is an [`Answer`], with which a policy below has given up. A request with any method
/// may be sent again if it was certainly [not acted on](redress_core::Classification::is_unsent).
/// The policy's classifier decides that for a refused connection, a 421, a 425 and the like
/// ([`http_retry_after_classifier`](redress_http::http_retry_after_classifier)); the layer decides
/// it for an attempt that ended before the inner service was called. A service that follows
/// redirects sends several requests for one, and a refused connection of the last says nothing
/// about the first. Use a custom classifier with such a service, or send only idempotent requests.
///
/// The layer does not see connections. To keep a retry off the connection that returned a 421 or a
/// 408, put the layer around `redress_hyper::ClientService`, hyper-util's client as a service that
/// avoids that connection.
///
/// By default, headers and extensions are the same in each attempt, except that requests from the
/// second attempt on carry a [`Repetition`], which says why they are sent again.
///
/// The response carries an [`OutcomeSummary`] in its extensions, which
/// [`outcome`](redress_http::outcome) reads, also if the policy gave up on the response. A response
/// that will be retried is kept unread until the next attempt ends, because the call returns it if
/// no further attempt takes place.
///
/// ```
/// use ::http::{Request, Response};
/// use redress::{OutcomeSummary, Retry, fixed};
/// use redress::integration::http::http_retry_after_classifier;
/// use redress::integration::tower::PolicyLayer;
/// use redress::integration::tower::http::HttpProtocol;
/// use std::time::Duration;
/// use tower::{Layer as _, Service as _, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let policy = redress::runtime::tokio::AsyncPolicy::builder()
///     .classifier(http_retry_after_classifier())
///     .retry(Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3))
///     .build()?;
/// let mut client = PolicyLayer::new(policy).protocol(HttpProtocol::new()).layer(service_fn(|_: Request<String>| async {
///     Ok::<_, std::io::Error>(Response::builder().status(503).body(()).unwrap())
/// }));
/// let response = client.call(Request::get("http://localhost/orders").body(String::new())?).await?;
/// assert_eq!(response.status(), 503);
/// assert_eq!(response.extensions().get::<OutcomeSummary>().unwrap().attempts(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HttpProtocol<K = CloneBody> {
    rules: RequestRules,
    bodies: K,
}

impl HttpProtocol {
    /// Creates a protocol with the default settings.
    #[must_use]
    pub const fn new() -> Self {
        Self { rules: RequestRules::new(), bodies: CloneBody }
    }
}

impl Default for HttpProtocol {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> HttpProtocol<K> {
    /// Sets how bodies are replayed: by [`CloneBody`], [`EmptyBody`], or a closure
    /// `Fn(&B) -> Option<B>` that returns `None` for a body that cannot be sent again. Default:
    /// bodies are cloned.
    ///
    /// ```
    /// use redress::integration::tower::http::HttpProtocol;
    ///
    /// enum Body { Text(String), File(std::fs::File) }
    ///
    /// let protocol = HttpProtocol::new().bodies(|body: &Body| match body {
    ///     Body::Text(text) => Some(Body::Text(text.clone())),
    ///     Body::File(_) => None,
    /// });
    /// # let _ = protocol;
    /// ```
    #[must_use]
    pub fn bodies<L>(self, bodies: L) -> HttpProtocol<L> {
        HttpProtocol { rules: self.rules, bodies }
    }

    redress_http::rules_setters! {
        guard
        /// Default: method and path.
        operation
        operation_for
        deadline
        abort_on
        ///
        /// ```
        /// use redress::CallContext;
        /// use redress::policy::Deadline;
        /// use redress::integration::tower::http::HttpProtocol;
        ///
        /// let protocol = HttpProtocol::new().context_for(|head| match head.extensions.get::<Deadline>() {
        ///     Some(deadline) => CallContext::new().deadline(*deadline),
        ///     None => CallContext::new(),
        /// });
        /// # let _ = protocol;
        /// ```
        context_for
        bypass_if
        ///
        /// ```
        /// use redress::integration::tower::http::HttpProtocol;
        ///
        /// let protocol = HttpProtocol::new().attempt_headers(|headers, attempt| {
        ///     headers.insert("x-attempt", attempt.number().into());
        /// });
        /// # let _ = protocol;
        /// ```
        attempt_headers
        /// The time that the attempt has waited for the inner service to become ready is
        /// subtracted.
        send_deadline
        send_deadline_as
        send_attempt
    }

    fn with_rules(mut self, set: impl FnOnce(RequestRules) -> RequestRules) -> Self {
        self.rules = set(self.rules);
        self
    }
}

impl<B, R, K: BodyReplay<B>> Protocol<Request<B>, Response<R>> for HttpProtocol<K> {
    fn replay(&self, request: &Request<B>) -> Result<Request<B>, &'static str> {
        // For every method, because the failure may say that the request was not acted on.
        let safety = || self.rules.idempotency().safety(request.method(), request.headers());
        let body = self.bodies.replay(request.body()).ok_or_else(|| safety().with_body(false).as_str())?;
        Ok(with_head_of(request, body))
    }

    fn retry_forbidden(
        &self,
        request: &Request<B>,
        response: Option<&Response<R>>,
        failure: &Classification,
    ) -> Option<&'static str> {
        // A policy below has already retried: a repetition would multiply the attempts of both.
        if response.is_some_and(|response| Answer::of(response).is_some()) {
            return Some("answered");
        }
        let answer = response.map(Response::status);
        let guard = self.rules.idempotency();
        guard.safety_after(request.method(), request.headers(), answer, failure).retry_forbidden()
    }

    fn repeats(
        &self,
        request: &mut Request<B>,
        attempt: u32,
        cause: Cause,
        response: Option<&Response<R>>,
        failure: &Classification,
    ) {
        let last_failure = LastFailure::of(cause, response.map(Response::status), failure);
        request.extensions_mut().insert(Repetition::new(attempt, last_failure));
    }

    fn operation(&self, request: &Request<B>) -> Option<Cow<'static, str>> {
        let named = self.rules.operation_name(&Head::from_request(request));
        Some(named.unwrap_or_else(|| default_operation(request.method(), request.uri()).into()))
    }

    fn context(&self, request: &Request<B>) -> Option<CallContext<'static, ()>> {
        self.rules.call_context(&Head::from_request(request))
    }

    fn bypasses(&self, request: &Request<B>) -> bool {
        self.rules.bypasses(&Head::from_request(request))
    }

    fn prepare(&self, request: &mut Request<B>, attempt: Attempt) {
        self.rules.prepare(request.headers_mut(), attempt);
    }

    fn ended(&self, response: &mut Response<R>, summary: &OutcomeSummary) {
        response.extensions_mut().insert(summary.clone());
    }
}

/// Chooses a policy for each request by its head.
impl<B, C: Clone, Tm: Clone> PolicyProvider<Request<B>> for PolicySelector<AsyncPolicy<C, Tm>> {
    type Classifier = C;
    type Timer = Tm;

    fn policy(&self, request: &Request<B>) -> AsyncPolicy<C, Tm> {
        self.select(&Head::from_request(request)).into_owned()
    }

    fn settle(&mut self) {
        let policy = self.policy_mut();
        *policy = policy.clone_unshared();
    }
}

/// Policies by the heads of requests.
impl<C, Tm, X> PolicyLayer<AsyncPolicy<C, Tm>, X>
where
    C: Send + Sync + 'static,
    Tm: Send + Sync + 'static,
{
    /// Sends each request through the policy of its host, which has a breaker for it. The key is a
    /// [`HostKey`](redress_http::HostKey): host and port. A request without a host in its URI goes
    /// through the layer's policy.
    ///
    /// ```
    /// use redress::CircuitBreaker;
    /// use redress::integration::http::http_classifier;
    /// use redress::integration::tower::PolicyLayer;
    /// use redress::integration::tower::http::HttpProtocol;
    /// use redress::runtime::tokio::AsyncPolicy;
    ///
    /// let policy = AsyncPolicy::builder().classifier(http_classifier()).build()?;
    /// let hosts = policy.keyed(CircuitBreaker::builder().failure_threshold(5))?;
    /// let layer = PolicyLayer::new(policy).protocol(HttpProtocol::new()).per_host(&hosts);
    /// # drop(layer);
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    pub fn per_host(
        self,
        policies: &KeyedPolicies<AsyncPolicy<C, Tm>>,
    ) -> PolicyLayer<PolicySelector<AsyncPolicy<C, Tm>>, X> {
        self.map_policy(|policy| PolicySelector::new(policy).per_host(policies))
    }

    /// Sends each request through the policy of a key of its head, such as a tenant; `None` means
    /// the layer's policy. For requests that are not HTTP, use
    /// [`policy_provider`](crate::policy_provider):
    /// `policy_provider(move |query: &Query| tenants.for_key(&query.tenant))`.
    pub fn per_key(
        self,
        policies: &KeyedPolicies<AsyncPolicy<C, Tm>>,
        key: impl for<'h> Fn(&Head<'h>) -> Option<Cow<'h, str>> + Send + Sync + 'static,
    ) -> PolicyLayer<PolicySelector<AsyncPolicy<C, Tm>>, X> {
        self.map_policy(|policy| PolicySelector::new(policy).per_key(policies, key))
    }
}

impl<K> fmt::Debug for HttpProtocol<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpProtocol").field("rules", &self.rules).finish_non_exhaustive()
    }
}
