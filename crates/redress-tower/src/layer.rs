//! The layer: a policy on its way around a service.
//!
//! Owns nothing but the pieces. Runs nothing; `service.rs` does.

use tower_layer::Layer;

use crate::exchange::{CloneRequest, Once};
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
    exchange: X,
}

impl<P> PolicyLayer<P> {
    /// A layer for requests that are `Clone`.
    pub const fn new(policy: P) -> Self {
        Self { policy, exchange: CloneRequest }
    }

    /// A layer that sends every request once, whatever the policy allows, and so takes requests of any kind: for a breaker or an
    /// attempt timeout alone.
    pub const fn once(policy: P) -> PolicyLayer<P, Once> {
        PolicyLayer { policy, exchange: Once }
    }
}

impl<P, X> PolicyLayer<P, X> {
    /// Sets how requests and responses are handled. Default: requests are cloned.
    pub fn exchange<Y>(self, exchange: Y) -> PolicyLayer<P, Y> {
        PolicyLayer { policy: self.policy, exchange }
    }
}

impl<S, P: Clone, X: Clone> Layer<S> for PolicyLayer<P, X> {
    type Service = PolicyService<S, P, X>;

    fn layer(&self, inner: S) -> Self::Service {
        PolicyService::new(inner, self.policy.clone(), self.exchange.clone())
    }
}
