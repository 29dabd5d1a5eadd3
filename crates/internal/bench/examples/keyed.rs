//! The cost of keyed breakers: bytes for each key, allocations and nanoseconds of a lookup.
//!
//!     cargo run --release -p redress-bench --example keyed
//!
//! Nanoseconds depend on the machine and on its load: compare them within one run only.

use std::hint::black_box;
use std::time::{Duration, Instant};

use redress_core::breaker::KeyedBreakers;
use redress_core::policy::KeyedPolicies;
use redress_core::{CircuitBreaker, Policy, Retry, fixed};

const LOOKUPS: usize = 400_000;

fn hosts(capacity: usize) -> KeyedPolicies<Policy> {
    let policy = Policy::builder().retry(Retry::builder().strategy(fixed(Duration::ZERO))).build().expect("valid");
    policy.keyed(KeyedBreakers::builder(CircuitBreaker::builder()).capacity(capacity)).expect("valid")
}

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|key| format!("host-{key:07}.example:443")).collect()
}

/// The best of a few rounds, in nanoseconds for each lookup of a thread.
fn nanoseconds(threads: usize, lookups: impl Fn(usize) + Sync) -> f64 {
    let round = || {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let lookups = &lookups;
                scope.spawn(move || lookups(thread));
            }
        });
        start.elapsed().as_nanos() as f64 / LOOKUPS as f64
    };
    (0..7).map(|_| round()).fold(f64::INFINITY, f64::min)
}

fn measure(count: usize) {
    let (hosts, keys) = (hosts(count), keys(count));
    let visit = |key: &str| drop(black_box(hosts.for_key(black_box(key))));
    let made = allocation_counter::measure(|| keys.iter().for_each(|key| visit(key)));
    assert_eq!((hosts.breakers().len(), hosts.breakers().overflowed()), (count, 0));
    let each = |total: i64| total as f64 / count as f64;
    println!(
        "{count} keys: {:.0} bytes and {:.1} allocations a key",
        each(made.bytes_current),
        each(made.count_current)
    );
    let found = allocation_counter::measure(|| keys.iter().take(1_000).for_each(|key| visit(key)));
    println!("{count} keys: {} allocations in 1000 lookups", found.count_total);
    // A step that visits the keys in an order that no prefetcher knows.
    let spread = |thread: usize| {
        for lookup in 0..LOOKUPS {
            visit(&keys[(lookup * 7_368_787 + thread * 104_729) % count]);
        }
    };
    for threads in [1, 2] {
        println!("{count} keys, {threads} thread(s): {:.0} ns a lookup, spread", nanoseconds(threads, spread));
        let hot = |_: usize| (0..LOOKUPS).for_each(|_| visit(&keys[count / 2]));
        println!("{count} keys, {threads} thread(s): {:.0} ns a lookup, one key", nanoseconds(threads, hot));
    }
}

/// Every key is new and evicts another.
fn flood(capacity: usize) {
    let (hosts, keys) = (hosts(capacity), keys(1_000_000));
    let start = Instant::now();
    let made = allocation_counter::measure(|| keys.iter().for_each(|key| drop(black_box(hosts.for_key(key)))));
    let each = start.elapsed().as_nanos() as f64 / keys.len() as f64;
    let (held, overflowed) = (hosts.breakers().len(), hosts.breakers().overflowed());
    println!("1000000 new keys at capacity {capacity}: {each:.0} ns each, {} bytes held", made.bytes_current);
    println!("  {held} breakers, {overflowed} lookups without a place");
}

/// Every key is new, and nothing can be evicted.
fn overflow(capacity: usize) {
    let (hosts, keys) = (hosts(capacity), keys(capacity + 100_000));
    let held: Vec<_> = keys.iter().take(capacity).map(|key| hosts.for_key(key)).collect();
    let start = Instant::now();
    keys.iter().skip(capacity).for_each(|key| drop(black_box(hosts.for_key(key))));
    let each = start.elapsed().as_nanos() as f64 / 100_000.0;
    println!("{} lookups without a place: {each:.0} ns each", hosts.breakers().overflowed());
    drop(held);
}

fn main() {
    measure(1_000);
    measure(1_000_000);
    flood(1_024);
    overflow(1_024);
}
