//! [`KeyedBreakers`], a bounded set of breakers with one for each key, and its builder.

use std::fmt;
use std::mem;
use std::sync::{Arc, Weak};
use std::time::Instant;

use super::builder::CircuitBreakerBuilder;
use super::cell::CircuitBreaker;
use super::registry::{OnEvicted, Registry, Slot};
use super::settings::{Base, Settings};
use super::spec::BreakerSpec;
use super::state::CircuitState;
use crate::outcome::circuit_open_error::BreakerName;
use crate::policy::config_error::{Check, ConfigError};
use crate::sync::Mutex;

/// A breaker for each key, such as each host, tenant or shard, so that one that is down does not
/// take the others with it.
///
/// All breakers have the same settings, and each has its key as its name. A key gets its breaker
/// when it is first looked up. For policies, see
/// [`KeyedPolicies`](crate::policy::KeyedPolicies).
///
/// A handle: clones share the breakers.
///
/// # Bound
///
/// There are at most [`capacity`](KeyedBreakersBuilder::capacity) breakers. Beyond that, a new key
/// evicts a breaker that is as good as new: no handle of it is left, it is closed and not forced,
/// and no failure counts. An open circuit that is not called is evicted too, when a whole window
/// has passed since it was due to probe. Of several, one that was not used lately is evicted. A
/// breaker that is in use, or that knows something, is never evicted, and a key never has two
/// breakers: while a handle or a permit of one is left, a lookup returns that one.
///
/// If there is nothing to evict, the set fails open: the new key gets no breaker, and
/// [`overflowed`](Self::overflowed) counts the lookup. A lookup considers up to 64 breakers for
/// eviction, and the next lookup continues after them. So do not store handles: a stored handle
/// keeps its place.
///
/// # Cost
///
/// A lookup of a known key takes the read lock of one of 32 shards and allocates nothing. Only a
/// new key takes a lock that all keys share.
///
/// ```
/// use redress::breaker::{CircuitState, KeyedBreakers};
/// use redress::{CircuitBreaker, ErrorClass};
///
/// let hosts =
/// KeyedBreakers::builder(CircuitBreaker::builder().failure_threshold(1)).capacity(10_000).build()?;
/// if let Some(breaker) = hosts.for_key("a.example") {
/// breaker.try_acquire().expect("closed").failure(ErrorClass::ServerError); }
/// assert_eq!(hosts.state("a.example"), Some(CircuitState::Open));
/// assert_eq!(hosts.for_key("b.example").map(|breaker| breaker.state()), Some(CircuitState::Closed));
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct KeyedBreakers {
    shared: Arc<Shared>,
}

struct Shared {
    registry: Registry,
    base: Arc<Base>,
    /// Written while no key can be added.
    settings: Mutex<Arc<Settings>>,
}

impl KeyedBreakers {
    /// Returns a builder of breakers with these settings, and with the default capacity. The
    /// settings must not contain a name, because each breaker has its key as its name.
    pub const fn builder(settings: CircuitBreakerBuilder) -> KeyedBreakersBuilder {
        KeyedBreakersBuilder { settings, capacity: DEFAULT_CAPACITY }
    }

    /// Returns the breaker of this key, which is made if the key is new. `None` if the key is new
    /// and there is [no place for it](Self#bound): call without a breaker.
    #[must_use]
    pub fn for_key(&self, key: &str) -> Option<CircuitBreaker> {
        self.read(key, |slot| slot.breaker.clone(), Instant::now)
    }

    /// Like [`for_key`](Self::for_key), at `now`, which matters only for the eviction of another
    /// breaker.
    #[must_use]
    pub fn for_key_at(&self, key: &str, now: Instant) -> Option<CircuitBreaker> {
        self.read(key, |slot| slot.breaker.clone(), || now)
    }

    /// Reads the entry of this key, which is made if the key is new. `now` is the policy's clock.
    pub(crate) fn read<R>(&self, key: &str, read: impl Fn(&Slot) -> R, now: impl FnOnce() -> Instant) -> Option<R> {
        let make = || self.make(key);
        self.shared.registry.read_or_add(key, read, || self.shared.base.clock.now_or_else(now), make)
    }

    /// Makes a breaker with this key, outside of the set.
    pub(crate) fn make(&self, key: &str) -> CircuitBreaker {
        let Shared { base, settings, .. } = &*self.shared;
        CircuitBreaker::over(Arc::clone(base), Arc::clone(&settings.lock()), Some(BreakerName::from(key)))
    }

    /// Replaces the configuration of every breaker, as
    /// [`CircuitBreaker::reconfigure`] does for one, and of those that new keys get. Meanwhile no
    /// key is added.
    ///
    /// ```
    /// use redress::CircuitBreaker;
    /// use redress::breaker::{BreakerSpec, KeyedBreakers};
    ///
    /// let hosts = KeyedBreakers::builder(CircuitBreaker::builder()).build()?;
    /// let breaker = hosts.for_key("a.example").expect("there is a place");
    /// let mut spec = BreakerSpec::default();
    /// spec.failure_threshold = Some(10);
    /// hosts.reconfigure(spec)?;
    /// assert_eq!(breaker.spec().threshold(), Some(10));
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// For every rule that the configuration breaks, and if it contains a name. On an error nothing
    /// changes.
    pub fn reconfigure(&self, spec: BreakerSpec) -> Result<(), ConfigError> {
        let builder = CircuitBreaker::from_spec(spec);
        let mut check = Check::default();
        validate(&builder, &mut check);
        check.finish()?;
        let Shared { registry, settings, .. } = &*self.shared;
        let new = Arc::new(Settings::new(builder));
        let replace = || *settings.lock() = Arc::clone(&new);
        registry.change_all(replace, |slot| slot.breaker.adopt(Arc::clone(&new)));
        Ok(())
    }

    /// The state of this key's breaker, if it has one. Unlike a lookup, this does not count as use.
    #[must_use]
    pub fn state(&self, key: &str) -> Option<CircuitState> {
        self.shared.registry.peek(key, |slot| slot.breaker.state())
    }

    /// The name and state of each breaker, in no particular order. Not a snapshot: other threads
    /// may change the set meanwhile.
    ///
    /// ```
    /// use redress::CircuitBreaker;
    /// use redress::breaker::{CircuitState, KeyedBreakers};
    ///
    /// let hosts = KeyedBreakers::builder(CircuitBreaker::builder()).build()?;
    /// let _breaker = hosts.for_key("a.example");
    /// let down = hosts.states().into_iter().filter(|(_, state)| *state != CircuitState::Closed);
    /// assert_eq!((hosts.len(), down.count()), (1, 0));
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    #[must_use]
    pub fn states(&self) -> Vec<(Arc<str>, CircuitState)> {
        let named =
            |slot: &Slot| (slot.breaker.shared_name().unwrap_or_else(|| BreakerName::from("")), slot.breaker.state());
        self.shared.registry.read_all(named)
    }

    /// How many keys have a breaker.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.registry.len()
    }

    /// Whether no key has a breaker.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The most breakers that the set holds.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.shared.registry.capacity()
    }

    /// How many lookups found no place for a new key, and returned no breaker. If this grows, raise
    /// the capacity, or use fewer keys.
    #[must_use]
    pub fn overflowed(&self) -> u64 {
        self.shared.registry.overflowed()
    }

    /// Returns a handle that does not keep the breakers alive. For observers: the breakers of
    /// [`KeyedPolicies`](crate::policy::KeyedPolicies) keep the policy's observers alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakKeyedBreakers {
        WeakKeyedBreakers(Arc::downgrade(&self.shared))
    }

    /// Adds a function that is called with the key of each breaker that is evicted, by the thread
    /// whose lookup evicted it. A panic in it is caught. For observers.
    pub fn on_evicted(&self, hook: impl Fn(&str) + Send + Sync + 'static) {
        let hook: OnEvicted = Arc::new(hook);
        self.shared.registry.on_evicted(hook);
    }
}

impl fmt::Debug for KeyedBreakers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedBreakers")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("overflowed", &self.overflowed())
            .finish_non_exhaustive()
    }
}

/// A handle of [`KeyedBreakers`] that does not keep them alive. Returned by
/// [`downgrade`](KeyedBreakers::downgrade).
#[derive(Clone)]
pub struct WeakKeyedBreakers(Weak<Shared>);

impl WeakKeyedBreakers {
    /// Returns the breakers, if another handle keeps them alive.
    #[must_use]
    pub fn upgrade(&self) -> Option<KeyedBreakers> {
        self.0.upgrade().map(|shared| KeyedBreakers { shared })
    }
}

impl fmt::Debug for WeakKeyedBreakers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakKeyedBreakers")
    }
}

const DEFAULT_CAPACITY: usize = 1_024;

/// Configures and builds [`KeyedBreakers`].
///
/// ```
/// use redress::CircuitBreaker;
/// use redress::breaker::KeyedBreakers;
///
/// let tenants = KeyedBreakers::builder(CircuitBreaker::builder().failure_threshold(10)).build()?;
/// assert_eq!(tenants.capacity(), 1_024);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called or a policy takes it"]
pub struct KeyedBreakersBuilder {
    settings: CircuitBreakerBuilder,
    capacity: usize,
}

impl KeyedBreakersBuilder {
    /// Sets the most breakers that the set holds. At least 1. Default: 1,024.
    ///
    /// A breaker with the default settings takes about 370 bytes with its policy. Choose more
    /// than the number of keys that are down or in use at the same time.
    pub const fn capacity(mut self, breakers: usize) -> Self {
        self.capacity = breakers;
        self
    }

    /// Builds the set, which is empty.
    ///
    /// # Errors
    ///
    /// If the capacity is 0, if the breaker's settings contain a name, and for every rule that they
    /// break.
    pub fn build(self) -> Result<KeyedBreakers, ConfigError> {
        let mut check = Check::default();
        check.that(self.capacity >= 1, "keyed_breakers.capacity", self.capacity, "be at least 1");
        validate(&self.settings, &mut check);
        check.finish()?;
        let Self { mut settings, capacity } = self;
        let base = Arc::new(Base::new(mem::take(&mut settings.clock), true));
        let settings = Mutex::new(Arc::new(Settings::new(settings)));
        Ok(KeyedBreakers { shared: Arc::new(Shared { registry: Registry::new(capacity), base, settings }) })
    }
}

fn validate(settings: &CircuitBreakerBuilder, check: &mut Check) {
    if let Some(name) = &settings.spec.name {
        check.that(
            false,
            "circuit_breaker.name",
            format!("{name:?}"),
            "be left out, because each breaker has its key as its name",
        );
    }
    settings.validate(check);
}

/// Keyed breakers or their configuration, converted for a policy.
#[derive(Debug)]
pub struct KeyedBreakersSource(Source);

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one, while a policy is built")]
enum Source {
    Builder(KeyedBreakersBuilder),
    Built(KeyedBreakers),
}

impl KeyedBreakersSource {
    /// Builds the breakers, or returns those that are built already.
    pub(crate) fn build(self) -> Result<KeyedBreakers, ConfigError> {
        match self.0 {
            Source::Builder(builder) => builder.build(),
            Source::Built(breakers) => Ok(breakers),
        }
    }
}

/// The types that a policy accepts as keyed breakers: the settings of one as a
/// [`CircuitBreakerBuilder`], a [`KeyedBreakersBuilder`], or [`KeyedBreakers`], which policies may
/// share.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a configuration of keyed breakers",
    label = "neither `KeyedBreakers` nor a builder",
    note = "write the settings of one breaker: `.keyed(CircuitBreaker::builder().failure_threshold(..))`",
    note = "one built `CircuitBreaker` cannot serve several keys"
)]
pub trait IntoKeyedBreakers: Into<KeyedBreakersSource> {}

#[diagnostic::do_not_recommend]
impl<B: Into<KeyedBreakersSource>> IntoKeyedBreakers for B {}

impl From<CircuitBreakerBuilder> for KeyedBreakersSource {
    fn from(settings: CircuitBreakerBuilder) -> Self {
        KeyedBreakers::builder(settings).into()
    }
}

impl From<KeyedBreakersBuilder> for KeyedBreakersSource {
    fn from(builder: KeyedBreakersBuilder) -> Self {
        Self(Source::Builder(builder))
    }
}

impl From<KeyedBreakers> for KeyedBreakersSource {
    fn from(breakers: KeyedBreakers) -> Self {
        Self(Source::Built(breakers))
    }
}

impl From<&KeyedBreakers> for KeyedBreakersSource {
    fn from(breakers: &KeyedBreakers) -> Self {
        breakers.clone().into()
    }
}
