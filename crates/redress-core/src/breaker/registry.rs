//! The bounded map behind keyed breakers: shards for lookups, and one ring of keys for eviction by
//! second chance.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::fence;
use std::time::Instant;

use super::cell::CircuitBreaker;
use crate::policy::compiled::Plan;
use crate::policy::hooks::contained;
use crate::sync::{AtomicU64, Mutex, OnceLock, Ordering, RwLock};

/// Keeps threads that look up different keys apart. A power of two.
#[cfg(not(all(test, loom)))]
const SHARDS: usize = 32;
/// Which keys share a shard depends on a random seed, and a model must be the same in every run.
#[cfg(all(test, loom))]
const SHARDS: usize = 1;

/// How many entries a new key considers for eviction, so that its time does not grow with the
/// capacity. The next key continues where this one stopped.
const CONSIDERED: usize = 64;

/// A function that receives the key of an evicted breaker.
pub(crate) type OnEvicted = Arc<dyn Fn(&str) + Send + Sync>;

/// What a key has: its breaker, and the policy over it, made when it is first needed.
pub(crate) struct Slot {
    pub(crate) breaker: CircuitBreaker,
    plan: OnceLock<Arc<Plan>>,
    /// 1 if it was looked up since the hand of the ring last passed.
    used: AtomicU64,
}

impl Slot {
    fn new(breaker: CircuitBreaker) -> Self {
        Self { breaker, plan: OnceLock::new(), used: AtomicU64::new(0) }
    }

    /// The policy over this breaker with the settings of `template`.
    pub(crate) fn plan(&self, template: &Plan) -> Arc<Plan> {
        let make = || Arc::new(template.guarded_by(&self.breaker));
        let plan = self.plan.get_or_init(make);
        // Keyed policies with other settings may share these breakers. Theirs are not kept.
        if plan.has_settings_of(template) { Arc::clone(plan) } else { make() }
    }

    fn is_named(&self, key: &str) -> bool {
        self.breaker.name() == Some(key)
    }

    fn touch(&self) {
        // Read first, so that threads that look up one key do not contend for the line.
        if self.used.load(Ordering::Relaxed) == 0 {
            self.used.store(1, Ordering::Relaxed);
        }
    }

    /// Whether nothing is lost with it: no handle is out, and a new breaker would act like it.
    fn is_expendable(&self, now: Instant) -> bool {
        let plan = self.plan.get();
        let policy_is_held = plan.is_some_and(|plan| Arc::strong_count(plan) > 1);
        // ORDER: a policy may have given another handle of the breaker before it was dropped, so
        // the breaker's handles are counted afterwards.
        fence(Ordering::Acquire);
        !policy_is_held && !self.breaker.is_held_beyond(1 + usize::from(plan.is_some())) && self.breaker.is_blank(now)
    }
}

/// The line that a lock shares with nothing else: two lines of 64 bytes are fetched together.
#[repr(align(128))]
#[derive(Default)]
struct Shard(RwLock<HashMap<u64, Slot, BuildHasherDefault<Hashed>>>);

/// Breakers by key.
///
/// **Invariant K1**: there are never more than `capacity` entries. **Invariant K2**: an evicted
/// breaker has no handle outside, and so no permit, and a new breaker would act like it. So there
/// is never a second breaker for a key while a handle of the first is out.
pub(crate) struct Registry {
    hasher: RandomState,
    shards: Box<[Shard]>,
    /// Locked while a key is added, before the lock of a shard.
    ring: Mutex<Ring>,
    capacity: usize,
    /// Written under the lock of the ring.
    overflowed: AtomicU64,
    on_evicted: RwLock<Vec<OnEvicted>>,
}

/// The hashes of all keys that have an entry.
#[derive(Default)]
struct Ring {
    hashes: Vec<u64>,
    hand: usize,
}

impl Registry {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            ring: Mutex::default(),
            capacity,
            overflowed: AtomicU64::new(0),
            on_evicted: RwLock::default(),
        }
    }

    /// Reads the entry of this key, which gets a breaker from `make` if it has none. `None` if it
    /// has none and there is no place for one. `now` is called only for a new key.
    pub(crate) fn read_or_add<R>(
        &self,
        key: &str,
        read: impl Fn(&Slot) -> R,
        now: impl FnOnce() -> Instant,
        make: impl FnOnce() -> CircuitBreaker,
    ) -> Option<R> {
        let hash = self.hasher.hash_one(key);
        self.read_used(hash, key, &read).or_else(|| self.add(hash, key, &read, now(), make))
    }

    /// Reads the entry of this key, if it has one. Does not count as use.
    pub(crate) fn peek<R>(&self, key: &str, read: impl FnOnce(&Slot) -> R) -> Option<R> {
        let hash = self.hasher.hash_one(key);
        self.shard(hash).read().get(&hash).filter(|slot| slot.is_named(key)).map(read)
    }

    /// Reads every entry, in no particular order.
    pub(crate) fn read_all<R>(&self, read: impl Fn(&Slot) -> R) -> Vec<R> {
        let mut all = Vec::new();
        for shard in &self.shards {
            all.extend(shard.0.read().values().map(&read));
        }
        all
    }

    /// Changes what new entries are made of by `replace`, and then every entry. No entry is added
    /// meanwhile, so none is missed.
    pub(crate) fn change_all(&self, replace: impl FnOnce(), change: impl Fn(&Slot)) {
        let _ring = self.ring.lock();
        replace();
        for shard in &self.shards {
            shard.0.read().values().for_each(&change);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ring.lock().hashes.len()
    }

    pub(crate) const fn capacity(&self) -> usize {
        self.capacity
    }

    pub(crate) fn overflowed(&self) -> u64 {
        self.overflowed.load(Ordering::Relaxed)
    }

    /// Adds a function that is called after each eviction, without a lock held.
    pub(crate) fn on_evicted(&self, hook: OnEvicted) {
        self.on_evicted.write().push(hook);
    }

    fn shard(&self, hash: u64) -> &RwLock<HashMap<u64, Slot, BuildHasherDefault<Hashed>>> {
        // The maps use the lowest and the highest bits.
        let index = (hash >> 32) as usize & (SHARDS - 1);
        &self.shards[index].0
    }

    fn read_used<R>(&self, hash: u64, key: &str, read: impl FnOnce(&Slot) -> R) -> Option<R> {
        let shard = self.shard(hash).read();
        let slot = shard.get(&hash).filter(|slot| slot.is_named(key))?;
        slot.touch();
        Some(read(slot))
    }

    /// `now` is read by the caller, because a custom clock must not run under the locks.
    #[cold]
    #[inline(never)]
    fn add<R>(
        &self,
        hash: u64,
        key: &str,
        read: impl Fn(&Slot) -> R,
        now: Instant,
        make: impl FnOnce() -> CircuitBreaker,
    ) -> Option<R> {
        let mut ring = self.ring.lock();
        // Another thread may have added it.
        if let Some(found) = self.read_used(hash, key, &read) {
            return Some(found);
        }
        let Some(evicted) = self.make_room(&mut ring, hash, now) else {
            self.overflowed.store(self.overflowed() + 1, Ordering::Relaxed);
            return None;
        };
        let slot = Slot::new(make());
        let answer = read(&slot);
        self.shard(hash).write().insert(hash, slot);
        drop(ring);
        if let Some(slot) = evicted {
            self.notify(&slot);
        }
        Some(answer)
    }

    /// Gives `hash` a place in the ring. Returns the entry that had to go, if any, or `None` if
    /// there is no place.
    fn make_room(&self, ring: &mut Ring, hash: u64, now: Instant) -> Option<Option<Slot>> {
        // Two keys with equal hashes of 64 bits: the second has no place.
        if self.shard(hash).read().contains_key(&hash) {
            return None;
        }
        if ring.hashes.len() < self.capacity {
            ring.hashes.push(hash);
            return Some(None);
        }
        let considered = self.capacity.min(CONSIDERED);
        let first = ring.hand;
        // The second round takes an entry that was spared in the first.
        for step in 0..2 * considered {
            let place = (first + step % considered) % self.capacity;
            ring.hand = (place + 1) % self.capacity;
            if let Some(slot) = self.evict(ring.hashes[place], now, step < considered) {
                ring.hashes[place] = hash;
                return Some(Some(slot));
            }
        }
        None
    }

    /// Removes this entry if it is expendable, and unless it is spared because it was used.
    fn evict(&self, hash: u64, now: Instant, spares: bool) -> Option<Slot> {
        // ORDER: with the lock held no new handle can be given out, so what is not held now is not
        // held until the entry is removed.
        let mut shard = self.shard(hash).write();
        let slot = shard.get(&hash)?;
        let was_used = slot.used.load(Ordering::Relaxed) == 1;
        slot.used.store(0, Ordering::Relaxed);
        if (was_used && spares) || !slot.is_expendable(now) {
            return None;
        }
        shard.remove(&hash)
    }

    fn notify(&self, slot: &Slot) {
        let hooks = self.on_evicted.read().clone();
        for hook in hooks {
            contained(|| hook(slot.breaker.name().unwrap_or_default()));
        }
    }
}

/// Passes on a key that is a hash already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = self.0.rotate_left(5) ^ hash;
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::time::Instant;

    use super::{CircuitBreaker, Registry, Slot};

    #[test]
    fn of_two_keys_with_one_hash_the_second_has_no_place() {
        let registry = Registry::new(10);
        let add = |key: &'static str| {
            let make = || CircuitBreaker::builder().name(key).build().expect("valid");
            let name = |slot: &Slot| slot.breaker.name().map(str::to_owned);
            registry.add(7, key, name, Instant::now(), make).flatten()
        };
        assert_eq!(add("a").as_deref(), Some("a"));
        assert_eq!((add("b"), add("a").as_deref()), (None, Some("a")));
        assert_eq!((registry.len(), registry.overflowed()), (1, 1));
    }
}
