//! Keyed breakers and policies: a breaker for each key, the bound on their number, and what is
//! evicted.
//!
//! Attacks K1, K2.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

use std::io::{Error, ErrorKind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redress_core::breaker::{CircuitBreakerBuilder, CircuitState, KeyedBreakers};
use redress_core::error::ConfigIssue;
use redress_core::{Budget, CircuitBreaker, ErrorClass, Policy, Retry, fixed};
use redress_testing::VirtualClock;

use crate::lab::secs;

const WINDOW: Duration = secs(60);
const RECOVERY: Duration = secs(30);
const TICK: Duration = Duration::from_nanos(1);

fn settings() -> CircuitBreakerBuilder {
    CircuitBreaker::builder().failure_threshold(2).window(WINDOW).recovery_timeout(RECOVERY)
}

fn keyed(capacity: usize) -> KeyedBreakers {
    KeyedBreakers::builder(settings()).capacity(capacity).build().expect("valid")
}

fn fail(breakers: &KeyedBreakers, key: &str, now: Instant) {
    let breaker = breakers.for_key_at(key, now).expect("there is room");
    let permit = breaker.try_acquire_at(now).expect("admitted");
    let _ = permit.failure_at(ErrorClass::ServerError, now);
}

/// Whether the key has a breaker, which a lookup would also make.
fn has(breakers: &KeyedBreakers, key: &str) -> bool {
    breakers.state(key).is_some()
}

/// Looks the key up and drops the handle. Returns whether there was room.
fn visit(breakers: &KeyedBreakers, key: &str, now: Instant) -> bool {
    breakers.for_key_at(key, now).is_some()
}

#[test]
fn a_key_has_one_breaker_with_its_name_and_the_settings() {
    let (breakers, now) = (keyed(10), Instant::now());
    fail(&breakers, "a", now);
    fail(&breakers, "b", now);
    assert_eq!([breakers.state("a"), breakers.state("b")], [Some(CircuitState::Closed); 2]);
    fail(&breakers, "a", now);
    assert_eq!(breakers.state("a"), Some(CircuitState::Open), "at the second failure");
    assert_eq!((breakers.state("b"), breakers.state("c")), (Some(CircuitState::Closed), None));
    let breaker = breakers.for_key("a").expect("known");
    assert_eq!((breaker.name(), breaker.spec().recovery_timeout), (Some("a"), RECOVERY));
    assert_eq!(breaker.try_acquire_at(now).unwrap_err().to_string(), "circuit breaker a is open");
    assert_eq!((breakers.len(), breakers.is_empty(), keyed(1).is_empty()), (2, false, true));
    let mut states = breakers.states();
    states.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(states, [("a".into(), CircuitState::Open), ("b".into(), CircuitState::Closed)]);
}

#[test]
fn a_new_key_evicts_a_blank_breaker_and_no_other() {
    let (breakers, now) = (keyed(3), Instant::now());
    fail(&breakers, "counted", now);
    for _ in 0..2 {
        fail(&breakers, "open", now);
    }
    for key in ["blank", "new", "newer", "newest"] {
        assert!(visit(&breakers, key, now), "{key}");
        assert_eq!(breakers.len(), 3);
        assert!(has(&breakers, "counted") && has(&breakers, "open") && has(&breakers, key), "{key}");
    }
    assert_eq!(breakers.overflowed(), 0);
}

#[test]
fn a_breaker_that_was_not_used_lately_goes_first() {
    let (breakers, now) = (keyed(3), Instant::now());
    for key in ["a", "b", "c"] {
        visit(&breakers, key, now);
    }
    for key in ["a", "c"] {
        visit(&breakers, key, now);
    }
    visit(&breakers, "d", now);
    assert_eq!(["a", "b", "c", "d"].map(|key| has(&breakers, key)), [true, false, true, true]);
    // The hand has passed `a`, and stands before `c`, which was used.
    visit(&breakers, "e", now);
    assert_eq!(["a", "c", "d", "e"].map(|key| has(&breakers, key)), [false, true, true, true]);
}

#[test]
fn hot_keys_survive_a_flood_of_new_ones() {
    let (breakers, now) = (keyed(128), Instant::now());
    let hot: Vec<String> = (0..40).map(|key| format!("hot-{key}")).collect();
    let evicted = Arc::new(Mutex::new(Vec::new()));
    breakers.on_evicted({
        let evicted = Arc::clone(&evicted);
        move |key| evicted.lock().unwrap().push(key.to_owned())
    });
    for key in 0..5_000 {
        visit(&breakers, &format!("cold-{key}"), now);
        if key % 10 == 0 {
            hot.iter().for_each(|key| assert!(visit(&breakers, key, now)));
        }
    }
    assert_eq!((breakers.len(), breakers.overflowed()), (128, 0));
    let evicted = evicted.lock().unwrap();
    assert_eq!(evicted.iter().filter(|key| key.starts_with("hot")).count(), 0);
    assert_eq!(evicted.len(), 5_040 - 128);
}

#[test]
fn a_failure_keeps_its_breaker_for_a_window() {
    let (breakers, start) = (keyed(1), Instant::now());
    fail(&breakers, "a", start);
    assert!(!visit(&breakers, "b", start + WINDOW - TICK));
    assert!(has(&breakers, "a"));
    assert!(visit(&breakers, "b", start + WINDOW));
    assert!(!has(&breakers, "a"));
}

#[test]
fn a_failure_of_a_class_with_a_separate_threshold_counts_as_well() {
    let settings = settings().class_threshold(ErrorClass::RateLimit, 5);
    let (breakers, start) = (KeyedBreakers::builder(settings).capacity(1).build().unwrap(), Instant::now());
    let limited = breakers.for_key_at("a", start).unwrap();
    let _ = limited.try_acquire_at(start).unwrap().failure_at(ErrorClass::RateLimit, start);
    drop(limited);
    assert!(!visit(&breakers, "b", start + WINDOW - TICK));
    assert!(visit(&breakers, "b", start + WINDOW));
}

#[test]
fn an_open_circuit_stays_until_it_is_out_of_date() {
    let (breakers, start) = (keyed(1), Instant::now());
    for _ in 0..2 {
        fail(&breakers, "a", start);
    }
    for wait in [Duration::ZERO, RECOVERY, RECOVERY + WINDOW - TICK] {
        assert!(!visit(&breakers, "b", start + wait), "after {wait:?}");
    }
    assert_eq!(breakers.state("a"), Some(CircuitState::Open));
    assert!(visit(&breakers, "b", start + RECOVERY + WINDOW));
}

#[test]
fn a_half_open_circuit_stays_until_its_last_probe_is_out_of_date() {
    let (breakers, start) = (keyed(1), Instant::now());
    for _ in 0..2 {
        fail(&breakers, "a", start);
    }
    let probed = start + secs(500);
    let breaker = breakers.for_key_at("a", start).unwrap();
    drop(breaker.try_acquire_at(probed).expect("it has recovered"));
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    drop(breaker);
    assert!(!visit(&breakers, "b", probed + RECOVERY + WINDOW - TICK), "the lease, and a window");
    assert!(visit(&breakers, "b", probed + RECOVERY + WINDOW));
}

#[test]
fn without_a_lease_the_recovery_time_counts() {
    let settings = settings().no_probe_lease();
    let (breakers, start) = (KeyedBreakers::builder(settings).capacity(1).build().unwrap(), Instant::now());
    for _ in 0..2 {
        fail(&breakers, "a", start);
    }
    let breaker = breakers.for_key_at("a", start).unwrap();
    drop(breaker.try_acquire_at(start + RECOVERY).expect("it has recovered"));
    drop(breaker);
    assert!(!visit(&breakers, "b", start + RECOVERY + WINDOW - TICK));
    assert!(visit(&breakers, "b", start + RECOVERY + WINDOW));
}

#[test]
fn a_closed_circuit_is_blank_again() {
    let (breakers, start) = (keyed(1), Instant::now());
    for _ in 0..2 {
        fail(&breakers, "a", start);
    }
    let breaker = breakers.for_key_at("a", start).unwrap();
    let clock = start + RECOVERY;
    let probe = breaker.try_acquire_at(clock).expect("it has recovered");
    let _ = probe.failure_at(ErrorClass::Permanent, clock);
    assert_eq!(breaker.state(), CircuitState::Closed);
    drop(breaker);
    assert!(visit(&breakers, "b", clock));
}

#[test]
fn a_handle_or_a_permit_keeps_its_breaker() {
    let (breakers, now) = (keyed(1), Instant::now());
    let breaker = breakers.for_key_at("a", now).unwrap();
    assert!(!visit(&breakers, "b", now));
    let clone = breaker.clone();
    drop(breaker);
    let permit = clone.try_acquire_at(now).unwrap();
    assert!(!visit(&breakers, "b", now));
    let _ = permit.failure_at(ErrorClass::ServerError, now);
    fail(&breakers, "a", now);
    assert_eq!(clone.state(), CircuitState::Open, "there is one breaker for the key");
    assert_eq!(breakers.overflowed(), 2);
}

#[test]
fn if_nothing_is_blank_a_new_key_gets_no_breaker() {
    let (breakers, now) = (keyed(2), Instant::now());
    fail(&breakers, "a", now);
    fail(&breakers, "b", now);
    for _ in 0..3 {
        assert!(breakers.for_key_at("c", now).is_none());
    }
    assert_eq!((breakers.len(), breakers.overflowed(), breakers.state("c")), (2, 3, None));
    assert!(visit(&breakers, "a", now), "known keys are found");
    assert_eq!(breakers.overflowed(), 3);
    assert!(format!("{breakers:?}").contains("len: 2, capacity: 2, overflowed: 3"));
}

#[test]
fn a_lookup_considers_a_few_breakers_and_the_next_one_continues() {
    let (breakers, now) = (keyed(100), Instant::now());
    for key in 0..100 {
        let key = key.to_string();
        if key == "99" { assert!(visit(&breakers, &key, now)) } else { fail(&breakers, &key, now) }
    }
    assert!(!visit(&breakers, "new", now), "the first 64 know something");
    assert!(visit(&breakers, "new", now), "the last one does not");
    assert!(!has(&breakers, "99"));
    assert_eq!(breakers.overflowed(), 1);
}

#[test]
fn evictions_are_announced_without_a_lock() {
    let (breakers, now) = (keyed(1), Instant::now());
    let seen = Arc::new(Mutex::new(Vec::new()));
    breakers.on_evicted(|_| panic!("a hook that panics changes nothing"));
    breakers.on_evicted({
        let (seen, breakers) = (Arc::clone(&seen), breakers.clone());
        move |key| {
            // A lookup and another eviction would wait for ever for a lock that is held here.
            let states = breakers.states().len();
            seen.lock().unwrap().push((key.to_owned(), breakers.state("b").is_some(), states));
        }
    });
    visit(&breakers, "a", now);
    assert!(seen.lock().unwrap().is_empty());
    visit(&breakers, "b", now);
    assert_eq!(*seen.lock().unwrap(), [("a".to_owned(), true, 1)]);
}

#[test]
fn bad_settings_are_refused_together() {
    let settings = CircuitBreaker::builder().name("orders").failure_threshold(0);
    let refused = KeyedBreakers::builder(settings.clone()).capacity(0).build().unwrap_err();
    let fields: Vec<_> = refused.issues().iter().map(ConfigIssue::field).collect();
    assert_eq!(fields, ["keyed_breakers.capacity", "circuit_breaker.name", "circuit_breaker.failure_threshold"]);
    assert!(refused.to_string().contains("circuit_breaker.name = \"orders\" must be left out"), "{refused}");
    let policy = Policy::builder().build().unwrap();
    assert_eq!(policy.keyed(settings).unwrap_err().issues().len(), 2);
}

fn reset() -> Error {
    Error::from(ErrorKind::ConnectionReset)
}

fn policy(clock: &VirtualClock) -> Policy {
    let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2);
    let retry = retry.budget(Budget::new(3, secs(60)).unwrap());
    Policy::builder().name("images").retry(retry).deadline(secs(5)).clock(clock.clone()).build().unwrap()
}

#[test]
fn policies_share_everything_except_the_breaker() {
    let clock = VirtualClock::new();
    let hosts = policy(&clock).keyed(settings().failure_threshold(1)).unwrap();
    hosts.for_key("a").call(|| Err::<(), _>(reset())).unwrap_err();
    let (down, up) = (hosts.for_key("a"), hosts.for_key("b"));
    assert_eq!((down.circuit_state(), up.circuit_state()), (Some(CircuitState::Open), Some(CircuitState::Closed)));
    assert_eq!([down.budget(), up.budget()].map(|budget| budget.unwrap().remaining()), [2, 2]);
    assert_eq!([down.name(), up.name()], [Some("images"); 2]);
    assert_eq!(down.execute(|| Ok::<_, Error>(())).rejection().unwrap().to_string(), "circuit breaker a is open");
    up.call(|| Ok::<_, Error>(())).unwrap();
    let spec = up.spec().to_string();
    assert!(spec.contains("breaker b: opens at 1 failures in 1 min"), "{spec}");
    assert!(hosts.warnings().is_empty());
}

#[test]
fn warnings_are_those_of_the_policy_with_a_breaker() {
    let policy = Policy::builder().build().unwrap();
    let alone = policy.with_circuit_breaker(settings().trip_on([])).unwrap();
    let keyed = policy.keyed(settings().trip_on([])).unwrap();
    assert_eq!(keyed.warnings(), alone.warnings());
    assert_eq!(keyed.for_key("a").warnings(), alone.warnings());
    assert_eq!(alone.warnings().len(), 2);
}

#[test]
fn without_a_place_a_call_is_admitted_without_a_breaker() {
    let clock = VirtualClock::new();
    let guarded = policy(&clock).with_circuit_breaker(CircuitBreaker::builder()).unwrap();
    let hosts = guarded.keyed(KeyedBreakers::builder(settings().failure_threshold(1)).capacity(1)).unwrap();
    hosts.for_key("a").call(|| Err::<(), _>(reset())).unwrap_err();
    for _ in 0..3 {
        hosts.for_key("b").call(|| Err::<(), _>(reset())).unwrap_err();
        assert_eq!(hosts.for_key("b").circuit_state(), None);
    }
    assert_eq!((hosts.breakers().overflowed(), hosts.breakers().len()), (6, 1));
    clock.advance(RECOVERY + WINDOW);
    assert_eq!(hosts.for_key("b").circuit_state(), Some(CircuitState::Closed), "on the policy's clock");
}

#[test]
fn the_breakers_clock_counts_if_it_has_one() {
    let (clock, own) = (VirtualClock::new(), VirtualClock::new());
    let settings = settings().failure_threshold(1).clock(own.clone());
    let hosts = policy(&clock).keyed(KeyedBreakers::builder(settings).capacity(1)).unwrap();
    hosts.for_key("a").call(|| Err::<(), _>(reset())).unwrap_err();
    clock.advance(RECOVERY + WINDOW);
    assert_eq!(hosts.for_key("b").circuit_state(), None);
    assert!(hosts.breakers().for_key("b").is_none());
    own.advance(RECOVERY + WINDOW);
    assert!(hosts.breakers().for_key("b").is_some());
}

#[test]
fn a_policy_in_use_keeps_its_breaker() {
    let clock = VirtualClock::new();
    let hosts = policy(&clock).keyed(KeyedBreakers::builder(settings()).capacity(1)).unwrap();
    hosts
        .for_key("a")
        .call(|| {
            assert_eq!(hosts.for_key("b").circuit_state(), None);
            Ok::<_, Error>(())
        })
        .unwrap();
    assert_eq!(hosts.for_key("b").circuit_state(), Some(CircuitState::Closed));
    let stored = hosts.for_key("b");
    assert_eq!(hosts.for_key("c").circuit_state(), None);
    drop(stored);
    assert_eq!(hosts.for_key("c").circuit_state(), Some(CircuitState::Closed));
}

#[test]
fn a_policy_clone_unshared_keeps_its_breaker() {
    let clock = VirtualClock::new();
    let policy = redress::AsyncPolicy::builder().timer(clock.timer()).build().unwrap();
    let hosts = policy.keyed(KeyedBreakers::builder(settings()).capacity(1)).unwrap();
    let apart = hosts.for_key("a").clone_unshared();
    assert_eq!(hosts.for_key("b").circuit_state(), None);
    clock.block_on(apart.call(|| async { Ok::<_, Error>(()) })).unwrap();
    drop(apart);
    assert_eq!(hosts.for_key("b").circuit_state(), Some(CircuitState::Closed));
    let down = hosts.for_key("b");
    for _ in 0..2 {
        let _ = clock.block_on(down.call(|| async { Err::<(), _>(reset()) }));
    }
    drop(down);
    clock.advance(RECOVERY + WINDOW - TICK);
    assert_eq!(hosts.for_key("c").circuit_state(), None, "on the timer's clock");
    clock.advance(TICK);
    assert_eq!(hosts.for_key("c").circuit_state(), Some(CircuitState::Closed));
}

#[test]
fn two_policies_may_share_their_keyed_breakers() {
    let (clock, breakers) = (VirtualClock::new(), keyed(1));
    let reads = policy(&clock).keyed(&breakers).unwrap();
    let writes = Policy::builder().name("writes").clock(clock.clone()).build().unwrap().keyed(&breakers).unwrap();
    for _ in 0..2 {
        assert_eq!([reads.for_key("a").name(), writes.for_key("a").name()], [Some("images"), Some("writes")]);
        writes.for_key("a").call(|| Err::<(), _>(reset())).unwrap_err();
    }
    assert_eq!(reads.for_key("a").circuit_state(), Some(CircuitState::Open));
    assert_eq!(breakers.len(), 1);
    clock.advance(RECOVERY + WINDOW);
    let held = writes.for_key("a");
    assert_eq!(reads.for_key("b").circuit_state(), None, "a policy of the other kind is in use");
    drop(held);
    assert_eq!(reads.for_key("b").circuit_state(), Some(CircuitState::Closed));
}

#[test]
fn policies_with_budgets_apart_may_share_their_keyed_breakers() {
    let (clock, breakers) = (VirtualClock::new(), keyed(1));
    let all = policy(&clock);
    let poor = all.with_budget(Budget::new(1, secs(60)).unwrap());
    let [all, poor] = [all, poor].map(|policy| policy.keyed(&breakers).unwrap());
    for (policy, retries) in [(&all, 3), (&poor, 1), (&all, 3)] {
        assert_eq!(policy.for_key("a").budget().map(Budget::remaining), Some(retries));
    }
}

#[test]
fn a_hook_runs_once_for_each_eviction() {
    let clock = VirtualClock::new();
    let hosts = policy(&clock).keyed(KeyedBreakers::builder(settings()).capacity(2)).unwrap();
    let evictions = Arc::new(AtomicUsize::new(0));
    hosts.breakers().on_evicted({
        let evictions = Arc::clone(&evictions);
        move |_| {
            evictions.fetch_add(1, Ordering::Relaxed);
        }
    });
    for key in 0..100 {
        hosts.for_key(&key.to_string()).call(|| Ok::<_, Error>(())).unwrap();
    }
    assert_eq!(evictions.load(Ordering::Relaxed), 98);
}

#[test]
fn a_weak_handle_keeps_nothing_alive() {
    let breakers = keyed(1);
    let weak = breakers.downgrade();
    visit(&breakers, "a", Instant::now());
    assert_eq!(weak.upgrade().map(|breakers| breakers.len()), Some(1));
    drop(breakers);
    assert!(weak.upgrade().is_none());
}
