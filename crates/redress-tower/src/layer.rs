//! The layer: a policy on its way around a service.
//!
//! Owns nothing but the pieces. Runs nothing; `service.rs` does.

use redress_core::CallContext;
use tower_layer::Layer;

use crate::protocol::{CloneRequest, ContextFor, Once};
use crate::service::PolicyService;

/// Puts a policy around a service, see [`PolicyService`].
///
/// Breaker, budget and what strategies have learned are in the policy's handle, which the layer and everything it makes share. It may be
/// cloned and applied as often as a server likes to rebuild its services: the breaker still opens.
///
/// `P` is an `AsyncPolicy` of a runtime's crate, or a [`policy_provider`](crate::policy_provider); `X` says how requests are copied.
#[derive(Clone, Debug)]
pub struct PolicyLayer<P, X = CloneRequest> {
    policy: P,
    protocol: X,
}

impl<P> PolicyLayer<P> {
    /// A layer for requests that are `Clone`.
    pub const fn new(policy: P) -> Self {
        Self { policy, protocol: CloneRequest }
    }

    /// A layer that sends every request once, whatever the policy allows, and so takes requests of any kind: for a breaker or an
    /// attempt timeout alone.
    pub const fn once(policy: P) -> PolicyLayer<P, Once> {
        PolicyLayer { policy, protocol: Once }
    }
}

impl<P, X> PolicyLayer<P, X> {
    /// Sets how requests and responses are handled. Default: requests are cloned.
    pub fn protocol<Y>(self, protocol: Y) -> PolicyLayer<P, Y> {
        PolicyLayer { policy: self.policy, protocol }
    }

    /// Sets what the call of each request sets for itself: whatever a [`CallContext`] can, such as a deadline or an abort handle
    /// that came along with the request. Call it after [`protocol`](Self::protocol), which starts over.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress::{AbortHandle, CallContext};
    /// use redress::runtime::tokio::AsyncPolicy;
    /// use redress::integration::tower::PolicyLayer;
    ///
    /// #[derive(Clone)]
    /// struct Query { text: String, time_left: Duration, gave_up: AbortHandle }
    ///
    /// let layer = PolicyLayer::new(AsyncPolicy::builder().build()?)
    ///     .context_for(|query: &Query| CallContext::new().deadline(query.time_left).abort_on(&query.gave_up));
    /// # let _ = layer;
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    pub fn context_for<Req, F>(self, context: F) -> PolicyLayer<P, ContextFor<X, F>>
    where
        F: Fn(&Req) -> CallContext<'static, ()>,
    {
        PolicyLayer { policy: self.policy, protocol: ContextFor { protocol: self.protocol, context } }
    }
}

impl<S, P: Clone, X: Clone> Layer<S> for PolicyLayer<P, X> {
    type Service = PolicyService<S, P, X>;

    fn layer(&self, inner: S) -> Self::Service {
        PolicyService::new(inner, self.policy.clone(), self.protocol.clone())
    }
}
