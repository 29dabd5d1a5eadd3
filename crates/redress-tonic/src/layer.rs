//! The layer that puts a policy around a channel, and its settings.

use std::fmt;
use std::sync::Arc;

use redress_core::AsyncPolicy;
use redress_http::{Head, PolicySelector, RequestRules};
use redress_tokio::TokioTimer;
use redress_tower::PolicyLayer;
use tower_layer::Layer;

use crate::attempt::Attempts;
use crate::classifier::GrpcClassifier;
use crate::protocol::{GrpcProtocol, Handling};
use crate::service::GrpcService;

/// The default bound on the bytes of a request that are kept for further attempts.
const MAX_REPLAY_BYTES: usize = 64 * 1024;

/// Puts a policy around a tonic channel, so that each call of a generated client goes through it.
///
/// Build the policy with [`grpc_classifier`](crate::grpc_classifier), because every failed attempt
/// is a [`Status`](tonic::Status) here. The default classifier would classify all of them as
/// `Unknown`.
///
/// | setting | default |
/// |---|---|
/// | [`operation`](Self::operation), [`operation_for`](Self::operation_for) | [`default_operation`](crate::default_operation) of the path |
/// | [`deadline`](Self::deadline), [`abort_on`](Self::abort_on) | the policy's alone |
/// | [`context_for`](Self::context_for) | the policy's settings for each call |
/// | [`bypass_if`](Self::bypass_if) | no call bypasses the policy |
/// | [`per_host`](Self::per_host), [`per_key`](Self::per_key), [`policy_provider`](Self::policy_provider) | the layer's policy for each call |
/// | [`not_idempotent`](Self::not_idempotent) | none: each call may run twice |
/// | [`return_on_headers`](Self::return_on_headers) | none: the layer waits for a response's first message |
/// | [`max_replay_bytes`](Self::max_replay_bytes) | 65,536 |
/// | [`attempt_headers`](Self::attempt_headers) | headers are the same in each attempt |
///
/// The closures receive the [head](Head) of the request: its path in `uri`, its metadata in
/// `headers`, and the [extensions](tonic::Request::extensions_mut) that the caller set.
///
/// See the [crate documentation](crate) for an example.
pub struct GrpcLayer<C = GrpcClassifier, Tm = TokioTimer> {
    policies: PolicySelector<AsyncPolicy<C, Tm>>,
    handling: Arc<Handling>,
}

impl<C, Tm> GrpcLayer<C, Tm> {
    /// Creates a layer with this policy. The channels that the layer makes share the policy's
    /// breaker and budget.
    #[must_use]
    pub fn new(policy: AsyncPolicy<C, Tm>) -> Self {
        let handling = Handling {
            rules: RequestRules::new(),
            not_idempotent: None,
            return_on_headers: None,
            max_replay_bytes: MAX_REPLAY_BYTES,
        };
        Self { policies: PolicySelector::new(policy), handling: Arc::new(handling) }
    }

    redress_http::rules_setters! {
        /// Default: service and method.
        ///
        /// ```
        /// use std::time::Duration;
        /// use redress::AbortHandle;
        /// use redress::runtime::tokio::AsyncPolicy;
        /// use redress::integration::tonic::{GrpcLayer, grpc_classifier};
        ///
        /// let shutdown = AbortHandle::new();
        /// let policy = AsyncPolicy::builder().classifier(grpc_classifier()).build()?;
        /// let layer = GrpcLayer::new(policy).operation("orders").deadline(Duration::from_secs(2)).abort_on(&shutdown);
        /// # let _ = layer;
        /// # Ok::<(), redress::ConfigError>(())
        /// ```
        operation
        operation_for
        /// The server receives the time left as `grpc-timeout`.
        deadline
        abort_on
        /// The caller may have put a deadline or an abort handle there.
        ///
        /// ```
        /// use redress::{AbortHandle, CallContext};
        /// use redress::runtime::tokio::AsyncPolicy;
        /// use redress::integration::tonic::{GrpcLayer, grpc_classifier};
        ///
        /// let policy = AsyncPolicy::builder().classifier(grpc_classifier()).build()?;
        /// let layer = GrpcLayer::new(policy).context_for(|head| match head.extensions.get::<AbortHandle>() {
        ///     Some(gave_up) => CallContext::new().abort_on(gave_up),
        ///     None => CallContext::new(),
        /// });
        /// # let _ = layer;
        /// # Ok::<(), redress::ConfigError>(())
        /// ```
        context_for
        /// The response is returned as soon as its head arrives. For methods that must not run
        /// twice use [`not_idempotent`](Self::not_idempotent), with which the breaker still counts.
        bypass_if
        /// The headers are the call's metadata. The layer sets its own headers after the function.
        ///
        /// ```
        /// # fn layer(policy: redress::runtime::tokio::AsyncPolicy<redress::integration::tonic::GrpcClassifier>) -> redress::integration::tonic::GrpcLayer {
        /// redress::integration::tonic::GrpcLayer::new(policy).attempt_headers(|headers, attempt| {
        ///     headers.insert("x-attempt", attempt.number().into());
        /// })
        /// # }
        /// ```
        attempt_headers
    }

    /// Marks the calls for which `once` returns true as calls that must not run twice. gRPC does
    /// not define that itself.
    ///
    /// Such a call is retried only if it was certainly [not acted
    /// on](redress_core::Classification::is_unsent): no connection was made, the server refused the
    /// stream, or it is going away and named a lower last stream. A rolling restart therefore fails
    /// none of them. After any other failure the outcome says `not_idempotent`.
    ///
    /// ```
    /// # fn layer(policy: redress::runtime::tokio::AsyncPolicy<redress::integration::tonic::GrpcClassifier>) -> redress::integration::tonic::GrpcLayer {
    /// redress::integration::tonic::GrpcLayer::new(policy).not_idempotent(|head| head.uri.path() == "/shop.v1.Orders/Place")
    /// # }
    /// ```
    #[must_use]
    pub fn not_idempotent(self, once: impl Fn(&Head<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.set(|handling| handling.not_idempotent = Some(Arc::new(once)))
    }

    redress_http::policy_setters! { AsyncPolicy<C, Tm>:
        ///
        /// Two policies share a breaker if both are built with it, by
        /// [`circuit_breaker`](redress_core::policy::PolicyBuilder::circuit_breaker).
        policy_provider
        /// The host is that of the origin that the generated client was made with
        /// (`OrdersClient::with_origin`). Without an origin a call goes through the layer's policy;
        /// use [`per_key`](Self::per_key) then.
        per_host
        ///
        /// ```
        /// use redress::{CircuitBreaker, ConfigError};
        /// use redress::integration::tonic::{GrpcLayer, grpc_classifier, rpc_service_name};
        /// use redress::runtime::tokio::AsyncPolicy;
        ///
        /// let policy = AsyncPolicy::builder().classifier(grpc_classifier()).build()?;
        /// let services = policy.keyed(CircuitBreaker::builder().failure_threshold(5))?;
        /// let layer = GrpcLayer::new(policy)
        ///     .per_key(&services, |head| Some(rpc_service_name(head.uri.path())?.into()));
        /// # let _ = layer;
        /// # Ok::<(), ConfigError>(())
        /// ```
        per_key
    }

    /// Returns responses as soon as their head arrives, for the calls for which `early` returns
    /// true.
    ///
    /// By default, the response of a request that can be replayed is returned with its first
    /// message, because until then the call can be retried. A server stream that stays silent
    /// delays its head that long, and may run into an attempt's timeout. With this setting, the
    /// call succeeds at the head: a later failure goes to the caller, and the breaker counts it.
    #[must_use]
    pub fn return_on_headers(self, early: impl Fn(&Head<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.set(|handling| handling.return_on_headers = Some(Arc::new(early)))
    }

    /// Sets how many bytes of an encoded request are kept for further attempts. A longer request is
    /// sent once. Default: 65,536.
    #[must_use]
    pub fn max_replay_bytes(self, bytes: usize) -> Self {
        self.set(|handling| handling.max_replay_bytes = bytes)
    }

    fn with_rules(self, set: impl FnOnce(RequestRules) -> RequestRules) -> Self {
        self.set(|handling| handling.rules = set(std::mem::take(&mut handling.rules)))
    }

    fn with_policies(
        mut self,
        set: impl FnOnce(PolicySelector<AsyncPolicy<C, Tm>>) -> PolicySelector<AsyncPolicy<C, Tm>>,
    ) -> Self {
        self.policies = set(self.policies);
        self
    }

    fn set(mut self, change: impl FnOnce(&mut Handling)) -> Self {
        // Channels made before keep their settings.
        change(Arc::make_mut(&mut self.handling));
        self
    }
}

impl<C: Clone, Tm: Clone> Clone for GrpcLayer<C, Tm> {
    fn clone(&self) -> Self {
        Self { policies: self.policies.clone(), handling: Arc::clone(&self.handling) }
    }
}

impl<C, Tm> fmt::Debug for GrpcLayer<C, Tm> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcLayer").field("max_replay_bytes", &self.handling.max_replay_bytes).finish_non_exhaustive()
    }
}

impl<S, C: Clone, Tm: Clone> Layer<S> for GrpcLayer<C, Tm> {
    type Service = GrpcService<S, C, Tm>;

    fn layer(&self, channel: S) -> Self::Service {
        let protocol = GrpcProtocol(Arc::clone(&self.handling));
        let timer = self.policies.policy().timer().clone();
        let calls = PolicyLayer::new(self.policies.clone()).protocol(protocol).layer(Attempts { channel, timer });
        GrpcService::new(calls, Arc::clone(&self.handling))
    }
}
