//! Models of keyed breakers: a lookup, a permit and the eviction of the same breaker, at once.
//!
//! Attacks K1, K2, C5.

use std::time::Duration;

use super::{Timeline, at_once, explore};
use crate::breaker::{CircuitState, KeyedBreakers};
use crate::classify::class::ErrorClass;
use crate::{CircuitBreaker, breaker::Transition};

/// One failure opens a circuit.
fn keyed(capacity: usize) -> KeyedBreakers {
    let settings = CircuitBreaker::builder().failure_threshold(1).window(Duration::from_secs(60));
    KeyedBreakers::builder(settings).capacity(capacity).build().expect("valid")
}

/// Looks the key up and fails through its breaker. Returns whether it got one.
fn fails(breakers: &KeyedBreakers, key: &str, time: Timeline) -> bool {
    let Some(breaker) = breakers.for_key_at(key, time.at(0)) else { return false };
    if let Ok(permit) = breaker.try_acquire_at(time.at(0)) {
        assert_eq!(permit.failure_at(ErrorClass::ServerError, time.at(0)), Some(Transition::Opened));
    }
    true
}

/// A key that has a breaker for one thread, and a new key on another, with room for one. A failure
/// that was reported is not forgotten by an eviction.
///
/// Attacks K1, K2.
#[test]
fn an_eviction_beside_a_lookup_forgets_no_failure() {
    explore("a lookup and a report beside an eviction", || {
        let (time, breakers) = (Timeline::new(), keyed(1));
        drop(breakers.for_key_at("a", time.at(0)).expect("there is room"));
        let others = breakers.clone();
        let evicts = at_once(
            || breakers.for_key_at("b", time.at(0)).is_some(),
            vec![move || {
                if fails(&others, "a", time) {
                    assert_eq!(others.state("a"), Some(CircuitState::Open));
                }
            }],
        );
        assert_eq!(breakers.len(), 1);
        let left = [breakers.state("a"), breakers.state("b")];
        assert!(matches!(left, [Some(CircuitState::Open), None] | [None, Some(CircuitState::Closed)]), "{left:?}");
        assert!(evicts || left[1].is_none());
        assert_eq!(breakers.states().len(), 1);
    });
}

/// A permit that is out before the eviction begins.
///
/// Attacks K2, C4.
#[test]
fn a_permit_keeps_its_breaker() {
    for reports in [true, false] {
        explore(&format!("a permit beside an eviction, reported: {reports}"), move || {
            let (time, breakers) = (Timeline::new(), keyed(1));
            let breaker = breakers.for_key_at("a", time.at(0)).expect("there is room");
            let others = breakers.clone();
            // The number of handles is no access for the checker. The lock of the shard is, and the
            // states are read under it before and after the permit.
            let holder = move || {
                assert_eq!(others.state("a"), Some(CircuitState::Closed));
                let permit = breaker.try_acquire_at(time.at(0)).expect("closed");
                if reports {
                    let _ = permit.failure_at(ErrorClass::ServerError, time.at(0));
                } else {
                    drop(permit);
                }
                drop(breaker);
                let _ = others.state("a");
            };
            let evicts = at_once(|| breakers.for_key_at("b", time.at(0)).is_some(), vec![holder]);
            assert!(!(reports && evicts), "a breaker that had been reported to was evicted");
            let kept = breakers.state("a");
            assert_eq!(kept.is_some(), !evicts);
            assert_eq!(breakers.overflowed(), u64::from(!evicts));
            assert!(!reports || kept == Some(CircuitState::Open));
        });
    }
}

/// Three threads, of which two look up the same new key.
///
/// Attacks K1, K2.
#[test]
fn a_new_key_gets_one_breaker() {
    for capacity in [1, 2] {
        explore(&format!("two lookups of one new key beside another, capacity {capacity}"), move || {
            let (time, breakers) = (Timeline::new(), keyed(capacity));
            let caller = |key: &'static str| {
                let breakers = breakers.clone();
                move || {
                    let breaker = breakers.for_key_at(key, time.at(0));
                    assert!(breakers.len() <= capacity);
                    // While a handle is out, a lookup returns the same breaker.
                    if let Some(breaker) = breaker {
                        let again = breakers.for_key_at(key, time.at(0)).expect("it is in use");
                        if let Ok(permit) = breaker.try_acquire_at(time.at(0)) {
                            let _ = permit.failure_at(ErrorClass::ServerError, time.at(0));
                        }
                        assert_eq!(again.state(), CircuitState::Open);
                    }
                }
            };
            at_once(|| caller("a")(), vec![caller("a"), caller("b")]);
            assert!((1..=capacity).contains(&breakers.len()));
            assert!(breakers.states().iter().all(|(_, state)| *state == CircuitState::Open));
        });
    }
}
