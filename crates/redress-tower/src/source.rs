//! Which policy a request goes through: one for all, or one chosen for each.
//!
//! Owns the choice. What a policy does is the core's.

use std::fmt;

use redress_core::AsyncPolicy;

/// Something that has a policy for each request: an [`AsyncPolicy`] itself, or a
/// [`PolicyProviderFn`].
pub trait PolicyProvider<Req> {
    /// The policies' classifier.
    type Classifier;
    /// The policies' timer.
    type Timer;

    /// The policy for this request. Hand out clones: a policy made anew each time has a breaker
    /// that never opens.
    fn policy(&self, request: &Req) -> AsyncPolicy<Self::Classifier, Self::Timer>;

    /// Called once by each clone of a service that is called more than once: the place to take a
    /// handle that clones on other threads do not [count](AsyncPolicy::counted_apart). Default:
    /// nothing.
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
        *self = self.counted_apart();
    }
}

/// A function that chooses a policy for each request. Made by [`policy_provider`].
#[derive(Clone, Copy)]
pub struct PolicyProviderFn<F>(F);

/// A [`PolicyProvider`] that asks `choose` for the policy of each request.
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
