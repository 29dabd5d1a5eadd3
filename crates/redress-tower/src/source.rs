//! The choice of a policy for each request.

use std::fmt;

use redress_core::AsyncPolicy;

/// Returns the policy for each request. Implemented by [`AsyncPolicy`], which returns itself, and
/// by [`PolicyProviderFn`].
///
/// ```
/// use redress::classify::DefaultClassifier;
/// use redress::integration::tower::{PolicyLayer, PolicyProvider};
/// use redress::runtime::tokio::{AsyncPolicy, TokioTimer};
///
/// struct Order {
///     is_urgent: bool,
/// }
///
/// #[derive(Clone)]
/// struct ByUrgency {
///     urgent: AsyncPolicy,
///     other: AsyncPolicy,
/// }
///
/// impl PolicyProvider<Order> for ByUrgency {
///     type Classifier = DefaultClassifier;
///     type Timer = TokioTimer;
///
///     fn policy(&self, order: &Order) -> AsyncPolicy {
///         if order.is_urgent { self.urgent.clone() } else { self.other.clone() }
///     }
/// }
///
/// let policies = ByUrgency { urgent: AsyncPolicy::builder().build()?, other: AsyncPolicy::default() };
/// let layer = PolicyLayer::new(policies);
/// # drop(layer);
/// # Ok::<(), redress::ConfigError>(())
/// ```
pub trait PolicyProvider<Req> {
    /// The policies' classifier.
    type Classifier;
    /// The policies' timer.
    type Timer;

    /// Returns the policy for this request. Return clones of one policy: the breaker of a policy
    /// that is built for each request never opens.
    fn policy(&self, request: &Req) -> AsyncPolicy<Self::Classifier, Self::Timer>;

    /// Called before the second call of a service clone. Take a [separately
    /// counted](AsyncPolicy::clone_unshared) policy handle here. Default: does nothing.
    fn settle(&mut self) {}
}

impl<Req, C: Clone, Tm: Clone> PolicyProvider<Req> for AsyncPolicy<C, Tm> {
    type Classifier = C;
    type Timer = Tm;

    #[inline]
    fn policy(&self, _: &Req) -> Self {
        self.clone()
    }

    fn settle(&mut self) {
        *self = self.clone_unshared();
    }
}

/// A function that chooses a policy for each request. Made by [`policy_provider`].
#[derive(Clone, Copy)]
pub struct PolicyProviderFn<F>(F);

/// Creates a [`PolicyProvider`] that calls `choose` for the policy of each request.
///
/// ```
/// use std::time::Duration;
/// use redress::{Retry, fixed};
/// use redress::runtime::tokio::AsyncPolicy;
/// use redress::integration::tower::{PolicyLayer, policy_provider};
///
/// let once = AsyncPolicy::builder().build()?;
/// let retry = Retry::builder().strategy(fixed(Duration::from_millis(50)));
/// let often = AsyncPolicy::builder().retry(retry).build()?;
/// let layer = PolicyLayer::new(policy_provider(move |request: &String| {
///     if request.starts_with("read") { often.clone() } else { once.clone() }
/// }));
/// # let _ = layer;
/// # Ok::<(), redress::ConfigError>(())
/// ```
pub const fn policy_provider<Req, C, Tm, F>(choose: F) -> PolicyProviderFn<F>
where
    F: Fn(&Req) -> AsyncPolicy<C, Tm>,
{
    PolicyProviderFn(choose)
}

impl<Req, C, Tm, F: Fn(&Req) -> AsyncPolicy<C, Tm>> PolicyProvider<Req> for PolicyProviderFn<F> {
    type Classifier = C;
    type Timer = Tm;

    fn policy(&self, request: &Req) -> AsyncPolicy<C, Tm> {
        (self.0)(request)
    }
}

impl<F> fmt::Debug for PolicyProviderFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PolicyProviderFn")
    }
}
