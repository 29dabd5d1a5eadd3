//! Measures keyed breakers: the memory of each key, and a lookup on one thread and on two.

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use redress_core::breaker::KeyedBreakers;
use redress_core::policy::KeyedPolicies;
use redress_core::{CircuitBreaker, Policy, Retry, fixed};

use crate::allocations::uncounted;

/// What a number of keys cost.
pub(crate) struct Keyed {
    pub(crate) keys: usize,
    /// Bytes live for each key.
    pub(crate) bytes: f64,
    /// Allocations live for each key.
    pub(crate) allocations: f64,
    /// Allocations of a lookup of a known key.
    pub(crate) of_a_lookup: f64,
    pub(crate) times: Option<Lookups>,
}

/// Nanoseconds for each lookup of a thread.
pub(crate) struct Lookups {
    /// One key, again and again, on one thread and on each of two.
    pub(crate) one_key: [f64; 2],
    /// All keys, in an order that no prefetcher knows.
    pub(crate) spread: [f64; 2],
}

/// Nanoseconds of lookups at capacity.
pub(crate) struct Full {
    /// A new key that evicts another.
    pub(crate) evicts: f64,
    /// A new key while every place is in use.
    pub(crate) finds_no_place: f64,
}

const LOOKUPS: usize = 400_000;

/// The best of so many is the figure: a lookup does nothing that could make one faster.
const ROUNDS: usize = 7;

/// The default capacity.
const CAPACITY: usize = 1_024;

pub(crate) fn keyed(is_timed: bool) -> Vec<Keyed> {
    [1_000, 1_000_000].into_iter().map(|count| of(count, is_timed)).collect()
}

pub(crate) fn full() -> Full {
    uncounted(|| Full { evicts: flood(), finds_no_place: overflow() })
}

fn hosts(capacity: usize) -> KeyedPolicies<Policy> {
    let policy = Policy::builder().retry(Retry::builder().strategy(fixed(Duration::ZERO))).build();
    let breakers = KeyedBreakers::builder(CircuitBreaker::builder()).capacity(capacity);
    policy.expect("a valid policy").keyed(breakers).expect("valid breakers")
}

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|key| format!("host-{key:07}.example:443")).collect()
}

fn of(count: usize, is_timed: bool) -> Keyed {
    let (hosts, keys) = (hosts(count), keys(count));
    let visit = |key: &str| drop(black_box(hosts.for_key(black_box(key))));
    let made = allocation_counter::measure(|| keys.iter().for_each(|key| visit(key)));
    assert_eq!((hosts.breakers().len(), hosts.breakers().overflowed()), (count, 0), "each key has a breaker");
    let found = allocation_counter::measure(|| keys.iter().take(1_000).for_each(|key| visit(key)));
    let one_key = |_: usize| (0..LOOKUPS).for_each(|_| visit(&keys[count / 2]));
    let spread = |thread: usize| {
        for lookup in 0..LOOKUPS {
            visit(&keys[(lookup * 7_368_787 + thread * 104_729) % count]);
        }
    };
    let times = is_timed.then(|| Lookups {
        one_key: [1, 2].map(|threads| nanoseconds(threads, one_key)),
        spread: [1, 2].map(|threads| nanoseconds(threads, spread)),
    });
    let each = |total: i64| total as f64 / count as f64;
    Keyed {
        keys: count,
        bytes: each(made.bytes_current),
        allocations: each(made.count_current),
        of_a_lookup: found.count_total as f64 / 1_000.0,
        times,
    }
}

fn nanoseconds(threads: usize, lookups: impl Fn(usize) + Sync) -> f64 {
    let round = || {
        let started = Instant::now();
        thread::scope(|scope| {
            for index in 0..threads {
                let lookups = &lookups;
                scope.spawn(move || uncounted(|| lookups(index)));
            }
        });
        started.elapsed().as_nanos() as f64 / LOOKUPS as f64
    };
    (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min)
}

fn flood() -> f64 {
    let (hosts, keys) = (hosts(CAPACITY), keys(1_000_000));
    let started = Instant::now();
    keys.iter().for_each(|key| drop(black_box(hosts.for_key(key))));
    let took = started.elapsed();
    assert_eq!(hosts.breakers().overflowed(), 0, "each new key evicts another");
    took.as_nanos() as f64 / keys.len() as f64
}

fn overflow() -> f64 {
    const NEW: usize = 100_000;
    let (hosts, keys) = (hosts(CAPACITY), keys(CAPACITY + NEW));
    let held: Vec<_> = keys.iter().take(CAPACITY).map(|key| hosts.for_key(key)).collect();
    let started = Instant::now();
    keys.iter().skip(CAPACITY).for_each(|key| drop(black_box(hosts.for_key(key))));
    let took = started.elapsed();
    drop(held);
    took.as_nanos() as f64 / NEW as f64
}
