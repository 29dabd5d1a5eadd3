//! The layer that puts a policy around handlers, and its settings.

use std::fmt;
use std::sync::Arc;

use redress_core::AsyncPolicy;
use redress_http::{Answers, PolicySelector};
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

    redress_http::rules_setters! {
        /// Default: method and route.
        operation
        /// The extensions of the head hold what layers outside have put there. Default:
        /// [`route_operation`].
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
        operation_for
        /// Each time runs the handler. A request with a body is never sent again, because the body
        /// is a stream and is used up.
        guard
        /// So does the [caller's](HandlerService#deadlines), if it is earlier.
        deadline
        abort_on
        ///
        /// ```
        /// use std::time::Duration;
        /// use redress::CallContext;
        /// use redress::integration::axum::{HandlerLayer, matched_path};
        /// use redress::integration::http::http_classifier;
        /// use redress::runtime::tokio::AsyncPolicy;
        ///
        /// // Reports may take longer than other requests.
        /// let policy = AsyncPolicy::builder().classifier(http_classifier()).no_deadline().build()?;
        /// let layer = HandlerLayer::new(policy).context_for(|head| {
        ///     let seconds = if matched_path(head) == Some("/reports/{id}") { 30 } else { 5 };
        ///     CallContext::new().deadline(Duration::from_secs(seconds))
        /// });
        /// # let _ = layer;
        /// # Ok::<(), redress::ConfigError>(())
        /// ```
        context_for
        bypass_if
        /// The handler receives the changed headers.
        attempt_headers
    }

    redress_http::policy_setters! { AsyncPolicy<C, Tm>:
        /// Policies may differ by [route](crate::matched_path).
        policy_provider
    }

    /// Sets how answers are written: the layer's, and those of [`Unserved`](crate::Unserved) below
    /// it. Default: problems or plain text, by the request's `Accept`, without the operation's
    /// name.
    #[must_use]
    pub const fn answers(mut self, answers: Answers) -> Self {
        self.answers = answers;
        self
    }

    fn with_rules(mut self, set: impl FnOnce(HttpProtocol<EmptyBody>) -> HttpProtocol<EmptyBody>) -> Self {
        self.http = set(self.http);
        self
    }

    fn with_policies(
        mut self,
        set: impl FnOnce(PolicySelector<AsyncPolicy<C, Tm>>) -> PolicySelector<AsyncPolicy<C, Tm>>,
    ) -> Self {
        self.policies = set(self.policies);
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
