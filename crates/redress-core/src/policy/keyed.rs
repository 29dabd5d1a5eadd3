//! [`KeyedPolicies`], a policy for each key, which all share everything except the breaker.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::compiled::Plan;
use super::config_error::{ConfigError, ConfigIssue};
use super::policies::{AsyncPolicy, Policy};
use crate::breaker::{IntoKeyedBreakers, KeyedBreakers};
use crate::drive::timer::Timer;

/// A policy for each key, such as each host, tenant or shard: one policy, with another breaker for
/// each key. Made by [`Policy::keyed`](crate::Policy::keyed) and
/// [`AsyncPolicy::keyed`](crate::AsyncPolicy::keyed).
///
/// The policies share everything except the breaker: settings, budget, observers and the state of
/// adaptive strategies. Their breakers are [`KeyedBreakers`], whose number is bounded, and which
/// say when a breaker is evicted.
///
/// A handle: clones share the breakers.
///
/// ```
/// use std::io::{Error, ErrorKind};
/// use redress::breaker::CircuitState;
/// use redress::{CircuitBreaker, Policy, Retry};
///
/// let policy = Policy::builder().retry(Retry::builder()).build()?;
/// let hosts = policy.keyed(CircuitBreaker::builder().failure_threshold(1))?;
///
/// let down = || Err::<(), _>(Error::from(ErrorKind::PermissionDenied));
/// hosts.for_key("a.example").call(down).unwrap_err();
/// hosts.for_key("b.example").call(|| Ok::<_, Error>(())).unwrap();
/// assert_eq!(hosts.breakers().len(), 2);
/// # Ok::<(), redress::ConfigError>(())
/// ```
pub struct KeyedPolicies<P> {
    shared: Arc<Shared<P>>,
}

struct Shared<P> {
    breakers: KeyedBreakers,
    /// The plan of every key, except for the breaker.
    template: Plan,
    /// For keys that have no breaker.
    unguarded: Arc<Plan>,
    policy: P,
    way: Way<P>,
}

/// What differs between a blocking and an asynchronous policy.
struct Way<P> {
    /// Returns a policy with the other parts of this one, which are its classifier and timer.
    with_plan: fn(&P, Arc<Plan>) -> P,
    now: fn(&P) -> Instant,
}

impl<C: Clone> Policy<C> {
    /// Returns a policy for each key, such as each host, with a breaker for each that has these
    /// settings. The policies share everything else, as with
    /// [`with_circuit_breaker`](Self::with_circuit_breaker).
    ///
    /// # Errors
    ///
    /// Every rule that the breakers' settings break.
    pub fn keyed(&self, breakers: impl IntoKeyedBreakers) -> Result<KeyedPolicies<Self>, ConfigError> {
        let with_plan = |policy: &Self, plan| Self { plan, classifier: policy.classifier.clone() };
        let way = Way { with_plan, now: |policy| policy.plan.clock.now() };
        Ok(KeyedPolicies::new(breakers.into().build()?, &self.plan, self.clone(), way))
    }
}

impl<C: Clone, Tm: Timer + Clone> AsyncPolicy<C, Tm> {
    /// Returns a policy for each key, such as each host, with a breaker for each that has these
    /// settings. The policies share everything else, as with
    /// [`with_circuit_breaker`](Self::with_circuit_breaker).
    ///
    /// # Errors
    ///
    /// Every rule that the breakers' settings break.
    pub fn keyed(&self, breakers: impl IntoKeyedBreakers) -> Result<KeyedPolicies<Self>, ConfigError> {
        let with_plan =
            |policy: &Self, plan| Self { plan, classifier: policy.classifier.clone(), timer: policy.timer.clone() };
        let way = Way { with_plan, now: |policy| policy.timer.now() };
        Ok(KeyedPolicies::new(breakers.into().build()?, &self.plan, self.clone(), way))
    }
}

impl<P> KeyedPolicies<P> {
    fn new(breakers: KeyedBreakers, plan: &Plan, policy: P, way: Way<P>) -> Self {
        let template = plan.with_breaker(breakers.make("").into());
        let unguarded = Arc::new(plan.without_breaker());
        Self { shared: Arc::new(Shared { breakers, template, unguarded, policy, way }) }
    }

    /// Returns the policy of this key. A new key gets a breaker, or, if there is [no place for
    /// it](KeyedBreakers#bound), a policy without one.
    ///
    /// Look the policy up for each call, and do not store it: a stored policy keeps the place of
    /// its breaker. A lookup of a known key allocates nothing, except that of the second policy
    /// that shares the breakers, which allocates its policy each time.
    #[must_use]
    pub fn for_key(&self, key: &str) -> P {
        let Shared { breakers, template, unguarded, policy, way } = &*self.shared;
        let plan = breakers.read(key, |slot| slot.plan(template), || (way.now)(policy));
        (way.with_plan)(policy, plan.unwrap_or_else(|| Arc::clone(unguarded)))
    }

    /// The breakers, for their number and states, for observers, and to share them with another
    /// policy.
    #[must_use]
    pub fn breakers(&self) -> &KeyedBreakers {
        &self.shared.breakers
    }

    /// Warnings about settings that have no effect, or not the one they seem to have.
    #[must_use]
    pub fn warnings(&self) -> &[ConfigIssue] {
        &self.shared.template.warnings
    }
}

impl<P> Clone for KeyedPolicies<P> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<P> fmt::Debug for KeyedPolicies<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedPolicies").field("breakers", self.breakers()).finish_non_exhaustive()
    }
}
