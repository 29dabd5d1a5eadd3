//! The layer that puts a policy around a service, and its settings.

use std::borrow::Cow;
use std::sync::Arc;

use redress_core::policy::CallDeadline;
use redress_core::{AbortHandle, CallContext};
use tower_layer::Layer;

use crate::protocol::{CloneRequest, ContextFor, Once};
use crate::service::PolicyService;

/// Puts a policy around a service. See [`PolicyService`] for what the result does.
///
/// The layer and its services share the policy's breaker, budget and strategy state. Cloning the
/// layer or applying it again, as a server that rebuilds its services does, keeps that state.
///
/// | setting | default |
/// |---|---|
/// | [`protocol`](Self::protocol) | [`CloneRequest`]: requests are cloned |
/// | [`operation`](Self::operation) | the [protocol's name](crate::Protocol::operation) for a request, if it has one |
/// | [`deadline`](Self::deadline), [`abort_on`](Self::abort_on) | the policy's alone |
/// | [`context_for`](Self::context_for) | nothing more is set for a call |
///
/// `P` is an `AsyncPolicy` of a runtime's crate, or a [`policy_provider`](crate::policy_provider);
/// `X` is the [`Protocol`](crate::Protocol), which decides how requests are replayed.
#[derive(Clone, Debug)]
pub struct PolicyLayer<P, X = CloneRequest> {
    policy: P,
    protocol: X,
    for_all: ForAll,
}

/// Settings that apply to every call.
pub(crate) type ForAll = Option<Arc<CallContext<'static, ()>>>;

impl<P> PolicyLayer<P> {
    /// Creates a layer for requests that are `Clone`.
    pub const fn new(policy: P) -> Self {
        Self { policy, protocol: CloneRequest, for_all: None }
    }

    /// Creates a layer that sends every request once, even if the policy allows more attempts.
    /// Requests need not be `Clone`. For a policy that only has a breaker or an attempt timeout.
    pub const fn once(policy: P) -> PolicyLayer<P, Once> {
        PolicyLayer { policy, protocol: Once, for_all: None }
    }
}

impl<P, X> PolicyLayer<P, X> {
    /// Sets how requests and responses are handled. Default: requests are cloned.
    pub fn protocol<Y>(self, protocol: Y) -> PolicyLayer<P, Y> {
        PolicyLayer { policy: self.policy, protocol, for_all: self.for_all }
    }

    /// Names the operation of every call in events and metrics. Overrides the protocol's name; a
    /// name set by [`context_for`](Self::context_for) overrides this one.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress::AbortHandle;
    /// use redress::runtime::tokio::AsyncPolicy;
    /// use redress::integration::tower::PolicyLayer;
    ///
    /// let shutdown = AbortHandle::new();
    /// let layer = PolicyLayer::new(AsyncPolicy::builder().build()?)
    ///     .operation("rules")
    ///     .deadline(Duration::from_secs(2))
    ///     .abort_on(&shutdown);
    /// # let _ = layer;
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    #[must_use]
    pub fn operation(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.set_for_all(|context| context.operation(name))
    }

    /// Gives every call this deadline in addition to the policy's. The earlier of the two ends the
    /// call.
    #[must_use]
    pub fn deadline(self, deadline: impl Into<CallDeadline>) -> Self {
        self.set_for_all(|context| context.deadline(deadline))
    }

    /// Ends every call when this handle is aborted. A wait or a running attempt ends at once, see
    /// [`AbortHandle`]. Handles add up: several calls of this method and the policy's own handles
    /// all apply.
    #[must_use]
    pub fn abort_on(self, handle: &AbortHandle) -> Self {
        self.set_for_all(|context| context.abort_on(handle))
    }

    /// Chooses the policies in another way. The other settings stay.
    #[cfg(feature = "http")]
    pub(crate) fn map_policy<Q>(self, map: impl FnOnce(P) -> Q) -> PolicyLayer<Q, X> {
        PolicyLayer { policy: map(self.policy), protocol: self.protocol, for_all: self.for_all }
    }

    fn set_for_all(mut self, set: impl FnOnce(CallContext<'static, ()>) -> CallContext<'static, ()>) -> Self {
        let context = self.for_all.take().map_or_else(CallContext::new, Arc::unwrap_or_clone);
        self.for_all = Some(Arc::new(set(context)));
        self
    }

    /// Sets the [`CallContext`] of each request's call, such as a deadline or an abort handle that
    /// the request carries. Settings for all calls apply as well. Call this after
    /// [`protocol`](Self::protocol), which replaces it.
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
        PolicyLayer {
            policy: self.policy,
            protocol: ContextFor { protocol: self.protocol, context },
            for_all: self.for_all,
        }
    }
}

impl<S, P: Clone, X: Clone> Layer<S> for PolicyLayer<P, X> {
    type Service = PolicyService<S, P, X>;

    fn layer(&self, inner: S) -> Self::Service {
        PolicyService::new(inner, self.policy.clone(), self.protocol.clone(), self.for_all.clone())
    }
}
