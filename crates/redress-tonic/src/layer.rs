//! The layer: what it is told about calls, and the channels it makes.
//!
//! Owns the settings and their defaults. Runs nothing; `service.rs` does.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use redress_core::AsyncPolicy;
use redress_http::Head;
use redress_tokio::TokioTimer;
use tower_layer::Layer;

use crate::classifier::GrpcClassifier;
use crate::operation::default_operation;
use crate::service::GrpcService;

/// How much of a request is kept for further attempts, unless told otherwise.
const MAX_REPLAY_BYTES: usize = 64 * 1024;

/// Puts a policy around a tonic channel: each call of a generated client goes through it.
///
/// The policy should be built with [`grpc_classifier`](crate::grpc_classifier), which reads the [`Status`](tonic::Status) that every failed
/// attempt is here; the default classifier would call all of them `Unknown`.
///
/// | setting | default |
/// |---|---|
/// | [`operation`](Self::operation) | [`default_operation`] of the path |
/// | [`skip_if`](Self::skip_if) | no call is skipped |
/// | [`policy_provider`](Self::policy_provider) | the layer's policy for each call |
/// | [`hand_over_at_head`](Self::hand_over_at_head) | no: a response's first message is waited for |
/// | [`max_replay_bytes`](Self::max_replay_bytes) | 65,536 |
///
/// The closures are given the [head](Head) of the request: its path in `uri`, its metadata in `headers`, and whatever the caller put into the
/// [extensions](tonic::Request::extensions_mut) of it.
///
/// An example is on the [crate's page](crate).
pub struct GrpcLayer<C = GrpcClassifier, Tm = TokioTimer> {
    pub(crate) policy: AsyncPolicy<C, Tm>,
    pub(crate) settings: Arc<Settings<C, Tm>>,
}

type OfHead<A> = Arc<dyn Fn(&Head<'_>) -> A + Send + Sync>;

/// What a layer was told about calls, shared by its channels.
pub(crate) struct Settings<C, Tm> {
    operation: Option<OfHead<Cow<'static, str>>>,
    skip_if: Option<OfHead<bool>>,
    policy_provider: Option<OfHead<Option<AsyncPolicy<C, Tm>>>>,
    hand_over_at_head: Option<OfHead<bool>>,
    pub(crate) max_replay_bytes: usize,
}

impl<C, Tm> GrpcLayer<C, Tm> {
    /// A layer of this policy. Breaker and budget are the policy's: whatever the layer makes shares them.
    #[must_use]
    pub fn new(policy: AsyncPolicy<C, Tm>) -> Self {
        let settings = Settings {
            operation: None,
            skip_if: None,
            policy_provider: None,
            hand_over_at_head: None,
            max_replay_bytes: MAX_REPLAY_BYTES,
        };
        Self { policy, settings: Arc::new(settings) }
    }

    /// Names each call for events and metrics. Keep names low-cardinality.
    #[must_use]
    pub fn operation(self, name: impl Fn(&Head<'_>) -> Cow<'static, str> + Send + Sync + 'static) -> Self {
        self.set(|settings| settings.operation = Some(Arc::new(name)))
    }

    /// Lets the calls for which `skip` is true pass by the policy: sent once, with neither breaker nor events, and handed over as it comes. For methods that must
    /// not run twice give [`policy_provider`](Self::policy_provider) a policy without retry instead, so that the breaker still counts.
    #[must_use]
    pub fn skip_if(self, skip: impl Fn(&Head<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.set(|settings| settings.skip_if = Some(Arc::new(skip)))
    }

    /// Chooses a policy for each call; `None` is the layer's own.
    ///
    /// gRPC does not know which methods may run twice. A policy without retry for those that must not, which shares the breaker of
    /// the layer's own, is made with [`circuit_breaker`](redress_core::PolicyBuilder::circuit_breaker).
    #[must_use]
    pub fn policy_provider(
        self,
        choose: impl Fn(&Head<'_>) -> Option<AsyncPolicy<C, Tm>> + Send + Sync + 'static,
    ) -> Self {
        self.set(|settings| settings.policy_provider = Some(Arc::new(choose)))
    }

    /// Hands responses over as soon as their head is there, for the calls for which `early` is true.
    ///
    /// Otherwise the response of a request that can be sent again is handed over with its first message, since until then it can still
    /// be replaced. A server stream that stays silent for long would delay its head as long, and run into an attempt timeout. With this, a
    /// failure after the head is the caller's, and counts as a success for breaker and budget.
    #[must_use]
    pub fn hand_over_at_head(self, early: impl Fn(&Head<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.set(|settings| settings.hand_over_at_head = Some(Arc::new(early)))
    }

    /// How many bytes of a request, as sent, are kept for further attempts. A longer request is sent once.
    #[must_use]
    pub fn max_replay_bytes(self, bytes: usize) -> Self {
        self.set(|settings| settings.max_replay_bytes = bytes)
    }

    fn set(mut self, change: impl FnOnce(&mut Settings<C, Tm>)) -> Self {
        // Channels made before keep what they were told.
        change(Arc::make_mut(&mut self.settings));
        self
    }
}

impl<C, Tm> Settings<C, Tm> {
    pub(crate) fn operation_of(&self, head: &Head<'_>) -> Cow<'static, str> {
        match &self.operation {
            Some(name) => name(head),
            None => default_operation(head.uri.path()).to_owned().into(),
        }
    }

    pub(crate) fn skips(&self, head: &Head<'_>) -> bool {
        self.skip_if.as_ref().is_some_and(|skip| skip(head))
    }

    pub(crate) fn policy_for(&self, head: &Head<'_>) -> Option<AsyncPolicy<C, Tm>> {
        self.policy_provider.as_ref().and_then(|choose| choose(head))
    }

    pub(crate) fn hands_over_at_head(&self, head: &Head<'_>) -> bool {
        self.hand_over_at_head.as_ref().is_some_and(|early| early(head))
    }
}

impl<C, Tm> Clone for Settings<C, Tm> {
    fn clone(&self) -> Self {
        Self {
            operation: self.operation.clone(),
            skip_if: self.skip_if.clone(),
            policy_provider: self.policy_provider.clone(),
            hand_over_at_head: self.hand_over_at_head.clone(),
            max_replay_bytes: self.max_replay_bytes,
        }
    }
}

impl<C: Clone, Tm: Clone> Clone for GrpcLayer<C, Tm> {
    fn clone(&self) -> Self {
        Self { policy: self.policy.clone(), settings: Arc::clone(&self.settings) }
    }
}

impl<C, Tm> fmt::Debug for GrpcLayer<C, Tm> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcLayer").field("max_replay_bytes", &self.settings.max_replay_bytes).finish_non_exhaustive()
    }
}

impl<S, C: Clone, Tm: Clone> Layer<S> for GrpcLayer<C, Tm> {
    type Service = GrpcService<S, C, Tm>;

    fn layer(&self, channel: S) -> Self::Service {
        GrpcService::new(channel, self.clone())
    }
}
