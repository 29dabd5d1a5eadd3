//! Which policy a request goes through: one for all, or one chosen for each.
//!
//! Owns the choice. What a policy does is the core's.

use std::fmt;

use redress_core::AsyncPolicy;

/// Something that has a policy for each request: an [`AsyncPolicy`] itself, or a [`PolicyProvider`].
pub trait PolicySource<Req> {
    /// The policies' classifier.
    type Classifier;
    /// The policies' timer.
    type Timer;

    /// The policy for this request. Hand out clones: a policy made anew each time has a breaker that never opens.
    fn policy(&self, request: &Req) -> AsyncPolicy<Self::Classifier, Self::Timer>;
}

impl<Req, C: Clone, Tm: Clone> PolicySource<Req> for AsyncPolicy<C, Tm> {
    type Classifier = C;
    type Timer = Tm;

    fn policy(&self, _: &Req) -> Self {
        self.clone()
    }
}

/// A function that chooses a policy for each request. Made by [`policy_provider`].
#[derive(Clone, Copy)]
pub struct PolicyProvider<F>(F);

/// A [`PolicySource`] that asks `choose` for the policy of each request.
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
pub const fn policy_provider<Req, C, Tm, F>(choose: F) -> PolicyProvider<F>
where
    F: Fn(&Req) -> AsyncPolicy<C, Tm>,
{
    PolicyProvider(choose)
}

impl<Req, C, Tm, F: Fn(&Req) -> AsyncPolicy<C, Tm>> PolicySource<Req> for PolicyProvider<F> {
    type Classifier = C;
    type Timer = Tm;

    fn policy(&self, request: &Req) -> AsyncPolicy<C, Tm> {
        (self.0)(request)
    }
}

impl<F> fmt::Debug for PolicyProvider<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PolicyProvider")
    }
}
