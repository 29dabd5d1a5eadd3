//! The layer that puts a policy around handlers, and its settings.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use redress_core::policy::Deadline;
use redress_core::{AbortHandle, AsyncPolicy, Attempt, CallContext};
use redress_http::{Answers, Head, IdempotencyGuard, PolicySelector};
use redress_tower::PolicyLayer;
use redress_tower::http::{EmptyBody, HttpProtocol};
use tower_layer::Layer;

use crate::protocol::HandlerProtocol;
use crate::route::route_operation;
use crate::service::HandlerService;

/// Puts a policy around the handlers of a router. See [`HandlerService`] for what the result does.
///
/// Build the policy with a classifier for responses, such as
/// [`http_retry_after_classifier`](redress_http::http_retry_after_classifier), because a handler's
/// failure is a response here. Add the layer by `Router::route_layer`, so that requests without a
/// route do not reach it, or by `Router::layer` or `MethodRouter::layer`.
///
/// The services that the layer makes share the policy's breaker, budget and strategy state, also if
/// layers and services are cloned or made again for each request.
///
/// | setting | default |
/// |---|---|
/// | [`operation`](Self::operation), [`operation_for`](Self::operation_for) | [`route_operation`]: method and route |
/// | [`guard`](Self::guard) | requests that are known to be idempotent may run their handler again |
/// | [`deadline`](Self::deadline), [`abort_on`](Self::abort_on) | the policy's alone |
/// | [`context_for`](Self::context_for) | the policy's settings for each call |
/// | [`bypass_if`](Self::bypass_if) | no request bypasses the policy |
/// | [`policy_provider`](Self::policy_provider) | the layer's policy for each request |
/// | [`attempt_headers`](Self::attempt_headers) | headers are the same in each attempt |
/// | [`answers`](Self::answers) | problems or plain text, by the request's `Accept` |
///
/// ```
/// use std::time::Duration;
/// use axum::Router;
/// use axum::routing::get;
/// use redress::CircuitBreaker;
/// use redress::integration::axum::HandlerLayer;
/// use redress::integration::http::http_classifier;
/// use redress::runtime::tokio::AsyncPolicy;
///
/// let policy = AsyncPolicy::builder()
///     .classifier(http_classifier())
///     .circuit_breaker(CircuitBreaker::builder().failure_threshold(5))
///     .deadline(Duration::from_secs(5))
///     .build()?;
/// let router: Router = Router::new()
///     .route("/orders/{id}", get(async || "order 7"))
///     .route("/health", get(async || "alive"))
///     .route_layer(HandlerLayer::new(policy).bypass_if(|head| head.uri.path() == "/health"));
/// # let _ = router;
/// # Ok::<(), redress::ConfigError>(())
/// ```
pub struct HandlerLayer<C, Tm> {
    policies: PolicySelector<AsyncPolicy<C, Tm>>,
    http: HttpProtocol<EmptyBody>,
    answers: Answers,
}

impl<C, Tm> HandlerLayer<C, Tm> {
    /// Creates a layer with this policy.
    #[must_use]
    pub fn new(policy: AsyncPolicy<C, Tm>) -> Self {
        let http = HttpProtocol::new().bodies(EmptyBody::default()).operation_for(route_operation);
        Self { policies: PolicySelector::new(policy), http, answers: Answers::new() }
    }

    /// Gives all calls this name in events and metrics. Default: method and route.
    #[must_use]
    pub fn operation(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.set(|http| http.operation(name))
    }

    /// Names calls by the heads of their requests, whose extensions hold what layers outside have
    /// put there. Keep names low-cardinality: callers choose paths. Default: [`route_operation`].
    ///
    /// ```
    /// use redress::integration::axum::{HandlerLayer, route_operation};
    /// use redress::integration::http::http_classifier;
    /// use redress::runtime::tokio::AsyncPolicy;
    ///
    /// #[derive(Clone, Copy)]
    /// struct Plan(&'static str);
    ///
    /// let layer = HandlerLayer::new(AsyncPolicy::builder().classifier(http_classifier()).build()?).operation_for(|head| {
    ///     let plan = head.extensions.get().map_or("free", |Plan(name)| name);
    ///     format!("{} of {plan}", route_operation(head)).into()
    /// });
    /// # let _ = layer;
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    #[must_use]
    pub fn operation_for(self, name: impl Fn(&Head<'_>) -> Cow<'static, str> + Send + Sync + 'static) -> Self {
        self.set(|http| http.operation_for(name))
    }

    /// Sets which requests may run their handler again. Default: those known to be idempotent. A
    /// request with a body never does, because the body is a stream and is used up.
    #[must_use]
    pub fn guard(self, guard: IdempotencyGuard) -> Self {
        self.set(|http| http.guard(guard))
    }

    /// Gives every call this deadline in addition to the policy's and the
    /// [caller's](HandlerService#deadlines). The earliest ends the call.
    #[must_use]
    pub fn deadline(self, deadline: impl Into<Deadline>) -> Self {
        self.set(|http| http.deadline(deadline))
    }

    /// Ends every call when this handle is aborted. Handles add up: several calls of this method
    /// and the policy's own handles all apply.
    #[must_use]
    pub fn abort_on(self, handle: &AbortHandle) -> Self {
        self.set(|http| http.abort_on(handle))
    }

    /// Sets the [`CallContext`] of each request's call, from the request's head and extensions.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress::CallContext;
    /// use redress::integration::axum::HandlerLayer;
    /// use redress::integration::http::{Head, http_classifier};
    /// use redress::runtime::tokio::AsyncPolicy;
    ///
    /// /// The time that an Envoy in front of the service gives the request. A caller that invents
    /// /// the header can only shorten its own call.
    /// fn time_left(head: &Head<'_>) -> Option<Duration> {
    ///     let millis = head.headers.get("x-envoy-expected-rq-timeout-ms")?.to_str().ok()?.parse().ok()?;
    ///     Some(Duration::from_millis(millis))
    /// }
    ///
    /// let policy = AsyncPolicy::builder().classifier(http_classifier()).build()?;
    /// let layer = HandlerLayer::new(policy).context_for(|head| match time_left(head) {
    ///     Some(left) => CallContext::new().deadline(left),
    ///     None => CallContext::new(),
    /// });
    /// # let _ = layer;
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    #[must_use]
    pub fn context_for(self, context: impl Fn(&Head<'_>) -> CallContext<'static, ()> + Send + Sync + 'static) -> Self {
        self.set(|http| http.context_for(context))
    }

    /// Lets requests for which `bypass` returns true bypass the policy: one attempt, no breaker, no
    /// events.
    #[must_use]
    pub fn bypass_if(self, bypass: impl Fn(&Head<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.set(|http| http.bypass_if(bypass))
    }

    /// Sets a function that chooses a policy for each request, such as one for each
    /// [route](crate::matched_path); `None` means the layer's policy. Return clones of one policy:
    /// the breaker of a policy that is built for each request never opens.
    #[must_use]
    pub fn policy_provider(
        mut self,
        choose: impl Fn(&Head<'_>) -> Option<AsyncPolicy<C, Tm>> + Send + Sync + 'static,
    ) -> Self {
        self.policies = self.policies.policy_provider(choose);
        self
    }

    /// Sets a function that changes the headers of each attempt before the handler receives them.
    /// Changes to one attempt do not carry over to the next. A second call replaces the first.
    /// Default: headers stay the same.
    #[must_use]
    pub fn attempt_headers(self, change: impl Fn(&mut HeaderMap, Attempt) + Send + Sync + 'static) -> Self {
        self.set(|http| http.attempt_headers(change))
    }

    /// Sets how answers are written: the layer's, and those of [`Unserved`](crate::Unserved) below
    /// it. Default: problems or plain text, by the request's `Accept`, without the operation's
    /// name.
    #[must_use]
    pub const fn answers(mut self, answers: Answers) -> Self {
        self.answers = answers;
        self
    }

    fn set(mut self, change: impl FnOnce(HttpProtocol<EmptyBody>) -> HttpProtocol<EmptyBody>) -> Self {
        self.http = change(self.http);
        self
    }
}

impl<C: Clone, Tm: Clone> Clone for HandlerLayer<C, Tm> {
    fn clone(&self) -> Self {
        Self { policies: self.policies.clone(), http: self.http.clone(), answers: self.answers }
    }
}

impl<C, Tm> fmt::Debug for HandlerLayer<C, Tm> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerLayer").field("http", &self.http).field("answers", &self.answers).finish_non_exhaustive()
    }
}

impl<S, C: Clone, Tm: Clone> Layer<S> for HandlerLayer<C, Tm> {
    type Service = HandlerService<S, C, Tm>;

    fn layer(&self, inner: S) -> Self::Service {
        let timer = self.policies.policy().timer().clone();
        let protocol = HandlerProtocol { http: Arc::new(self.http.clone()), timer };
        let calls = PolicyLayer::new(self.policies.clone()).protocol(protocol).layer(inner);
        HandlerService::new(calls, self.answers)
    }
}
