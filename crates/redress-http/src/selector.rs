//! The choice of a policy by a request's head, for blocking and for asynchronous policies.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use redress_core::policy::KeyedPolicies;

use crate::head::Head;
use crate::host::HostKey;
use crate::rules::OfHead;

/// The default policy of a client or a layer, with a function that may choose another one for a
/// request, such as one for each host. `P` is a [`Policy`](redress_core::Policy) or an
/// [`AsyncPolicy`](redress_core::AsyncPolicy).
///
/// ```
/// use http::Request;
/// use redress::Policy;
/// use redress::integration::http::{Head, PolicySelector};
///
/// let (own, writes) = (Policy::default(), Policy::builder().build()?);
/// let selector = PolicySelector::new(own).policy_provider(move |head| (head.method == "POST").then(|| writes.clone()));
///
/// let request = Request::post("http://localhost/orders").body(()).unwrap();
/// assert_eq!(selector.select(&Head::from_request(&request)).max_attempts(), 1);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct PolicySelector<P> {
    policy: P,
    provider: Option<OfHead<Option<P>>>,
}

impl<P> PolicySelector<P> {
    /// Creates a selector that uses this policy for every request.
    #[must_use]
    pub const fn new(policy: P) -> Self {
        Self { policy, provider: None }
    }

    /// Calls `choose` for the policy of each request; `None` means the [default
    /// policy](Self::policy). Return clones of one policy: the breaker of a policy that is built
    /// for each request never opens.
    #[must_use]
    pub fn policy_provider(mut self, choose: impl Fn(&Head<'_>) -> Option<P> + Send + Sync + 'static) -> Self {
        self.provider = Some(Arc::new(choose));
        self
    }

    /// Chooses the policy of each request's host, which has a breaker for it. The key is a
    /// [`HostKey`]: host and port. A request without a host in its URI goes through the [default
    /// policy](Self::policy). Replaces a [`policy_provider`](Self::policy_provider).
    ///
    /// ```
    /// use redress::{CircuitBreaker, Policy};
    /// use redress::integration::http::PolicySelector;
    ///
    /// let policy = Policy::default();
    /// let hosts = policy.keyed(CircuitBreaker::builder().failure_threshold(5))?;
    /// let selector = PolicySelector::new(policy).per_host(&hosts);
    /// # drop(selector);
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    #[must_use]
    pub fn per_host(self, policies: &KeyedPolicies<P>) -> Self
    where
        P: Send + Sync + 'static,
    {
        let policies = policies.clone();
        self.policy_provider(move |head| Some(policies.for_key(&HostKey::of(head.uri)?)))
    }

    /// Chooses the policy of each request by a key of its head, such as a tenant; `None` means the
    /// [default policy](Self::policy). The keys become names in events and metrics, so they must
    /// not be secret. Replaces a [`policy_provider`](Self::policy_provider).
    ///
    /// ```
    /// use redress::{CircuitBreaker, Policy};
    /// use redress::integration::http::PolicySelector;
    ///
    /// let policy = Policy::default();
    /// let tenants = policy.keyed(CircuitBreaker::builder().failure_threshold(5))?;
    /// let selector = PolicySelector::new(policy)
    ///     .per_key(&tenants, |head| Some(head.headers.get("x-tenant")?.to_str().ok()?.into()));
    /// # drop(selector);
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    #[must_use]
    pub fn per_key(
        self,
        policies: &KeyedPolicies<P>,
        key: impl for<'h> Fn(&Head<'h>) -> Option<Cow<'h, str>> + Send + Sync + 'static,
    ) -> Self
    where
        P: Send + Sync + 'static,
    {
        let policies = policies.clone();
        self.policy_provider(move |head| Some(policies.for_key(&key(head)?)))
    }

    /// Whether a function chooses by the head. If not, [`select`](Self::select) does not read it,
    /// and an integration that would have to make one can pass any.
    #[must_use]
    pub const fn reads_heads(&self) -> bool {
        self.provider.is_some()
    }

    /// Returns the policy of requests for which no other policy is chosen.
    pub const fn policy(&self) -> &P {
        &self.policy
    }

    /// Returns that policy by mutable reference.
    pub const fn policy_mut(&mut self) -> &mut P {
        &mut self.policy
    }

    /// Returns the policy of this request.
    pub fn select(&self, head: &Head<'_>) -> SelectedPolicy<'_, P> {
        let provided = self.provider.as_ref().and_then(|choose| choose(head));
        provided.map_or(SelectedPolicy::Own(&self.policy), SelectedPolicy::Provided)
    }
}

impl<P: fmt::Debug> fmt::Debug for PolicySelector<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicySelector").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// The policy of a request. Dereferences to the policy.
#[derive(Clone, Debug)]
pub enum SelectedPolicy<'s, P> {
    /// The default policy.
    Own(&'s P),
    /// A policy chosen for the request.
    Provided(P),
}

impl<P> Deref for SelectedPolicy<'_, P> {
    type Target = P;

    fn deref(&self) -> &P {
        match self {
            Self::Own(policy) => policy,
            Self::Provided(policy) => policy,
        }
    }
}

impl<P: Clone> SelectedPolicy<'_, P> {
    /// Returns the policy by value.
    #[must_use]
    pub fn into_owned(self) -> P {
        match self {
            Self::Own(policy) => policy.clone(),
            Self::Provided(policy) => policy,
        }
    }
}
