//! The layer: a policy on its way around a service.
//!
//! Owns nothing but the pieces. Runs nothing; `service.rs` does.

use std::borrow::Cow;
use std::sync::Arc;

use redress_core::policy::Deadline;
use redress_core::{AbortHandle, CallContext};
use tower_layer::Layer;

use crate::protocol::{CloneRequest, ContextFor, Once};
use crate::service::PolicyService;

/// Puts a policy around a service, see [`PolicyService`].
///
/// Breaker, budget and what strategies have learned are in the policy's handle, which the layer and
/// everything it makes share. It may be cloned and applied as often as a server likes to rebuild
/// its services: the breaker still opens.
///
/// | setting | default |
/// |---|---|
/// | [`protocol`](Self::protocol) | [`CloneRequest`]: requests are cloned |
/// | [`operation`](Self::operation) | the [protocol's name](crate::Protocol::operation) for a request, if it has one |
/// | [`deadline`](Self::deadline), [`abort_on`](Self::abort_on) | the policy's alone |
/// | [`context_for`](Self::context_for) | nothing more is set for a call |
///
/// `P` is an `AsyncPolicy` of a runtime's crate, or a [`policy_provider`](crate::policy_provider);
/// `X` says how requests are copied.
#[derive(Clone, Debug)]
pub struct PolicyLayer<P, X = CloneRequest> {
    policy: P,
    protocol: X,
    for_all: ForAll,
}

/// What every call is given.
pub(crate) type ForAll = Option<Arc<CallContext<'static, ()>>>;

impl<P> PolicyLayer<P> {
    /// A layer for requests that are `Clone`.
    pub const fn new(policy: P) -> Self {
        Self { policy, protocol: CloneRequest, for_all: None }
    }

    /// A layer that sends every request once, whatever the policy allows, and so takes requests of
    /// any kind: for a breaker or an attempt timeout alone.
    pub const fn once(policy: P) -> PolicyLayer<P, Once> {
        PolicyLayer { policy, protocol: Once, for_all: None }
    }
}

impl<P, X> PolicyLayer<P, X> {
    /// Sets how requests and responses are handled. Default: requests are cloned.
    pub fn protocol<Y>(self, protocol: Y) -> PolicyLayer<P, Y> {
        PolicyLayer { policy: self.policy, protocol, for_all: self.for_all }
    }

    /// Names the operation of every call in events and metrics, instead of the protocol. A name in
    /// [`context_for`](Self::context_for) comes before it.
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

    /// Gives every call this deadline, beside the policy's: whichever is earlier ends the call.
    #[must_use]
    pub fn deadline(self, deadline: impl Into<Deadline>) -> Self {
        self.set_for_all(|context| context.deadline(deadline))
    }

    /// Ends every call when this handle is aborted: a wait or an attempt under way at once, see
    /// [`AbortHandle`]. Several may be added, and the policy's own hold too.
    #[must_use]
    pub fn abort_on(self, handle: &AbortHandle) -> Self {
        self.set_for_all(|context| context.abort_on(handle))
    }

    fn set_for_all(mut self, set: impl FnOnce(CallContext<'static, ()>) -> CallContext<'static, ()>) -> Self {
        let context = self.for_all.take().map_or_else(CallContext::new, Arc::unwrap_or_clone);
        self.for_all = Some(Arc::new(set(context)));
        self
    }

    /// Sets what the call of each request sets for itself: whatever a [`CallContext`] can, such as
    /// a deadline or an abort handle that came along with the request. What is set for all calls
    /// holds beside it. Call it after [`protocol`](Self::protocol), which starts over.
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
