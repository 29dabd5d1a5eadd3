//! Models of the budgets' cells.
//!
//! Attacks B1, B2, B3, B4.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::{Timeline, at_once, explore};
use crate::budget::cell::Budget;
use crate::budget::earned::Earned;
use crate::budget::{EarnedBudgetSpec, Priority};
use crate::classify::class::ErrorClass;
use crate::stripes::Stripes;

fn budget(max_retries: u32) -> Budget {
    Budget::new(max_retries, Duration::from_secs(10)).expect("valid")
}

/// Withdraws these numbers of tokens at these instants, concurrently. Returns which were granted,
/// in the order given.
fn withdraw(budget: &Budget, withdrawals: &[(Instant, u32)]) -> Vec<bool> {
    let granted: Vec<_> = withdrawals.iter().map(|_| Arc::new(AtomicU32::new(0))).collect();
    let callers: Vec<_> = withdrawals
        .iter()
        .zip(&granted)
        .map(|(&(now, cost), granted)| {
            let (budget, granted) = (budget.clone(), Arc::clone(granted));
            move || {
                if budget.consume_at(now, cost) {
                    granted.fetch_add(1, Ordering::Relaxed);
                }
            }
        })
        .collect();
    at_once(|| (), callers);
    granted.iter().map(|granted| granted.load(Ordering::Relaxed) == 1).collect()
}

fn granted_among(granted: &[bool]) -> usize {
    granted.iter().filter(|granted| **granted).count()
}

#[test]
fn as_many_as_the_limit_are_granted_and_no_more() {
    for limit in 0..=3 {
        explore(&format!("budget of {limit}, three callers"), move || {
            let (time, budget) = (Timeline::new(), budget(limit));
            let granted = withdraw(&budget, &[(time.at(0), 1); 3]);
            assert_eq!(granted_among(&granted), limit as usize);
            assert_eq!(budget.remaining_at(time.at(0)), 0);
            assert_eq!(budget.remaining_at(time.at(10)), limit, "all come back together");
        });
    }
}

#[test]
fn a_withdrawal_of_several_is_whole_or_not_at_all() {
    explore("budget of 3, withdrawals of 2, 2 and 1", || {
        let (time, budget) = (Timeline::new(), budget(3));
        let costs = [2, 2, 1];
        let granted = withdraw(&budget, &costs.map(|cost| (time.at(0), cost)));
        let taken: u32 = costs.iter().zip(&granted).filter(|(_, granted)| **granted).map(|(cost, _)| cost).sum();
        assert_eq!(taken, 3, "one of two and the one: {granted:?}");
        assert_eq!(budget.remaining_at(time.at(0)), 0);
    });
}

#[test]
fn instants_that_arrive_out_of_order_free_nothing_early() {
    explore("budget of 1, callers 0, 9 and 10 seconds in", || {
        let (time, budget) = (Timeline::new(), budget(1));
        let granted = withdraw(&budget, &[(time.at(0), 1), (time.at(9), 1), (time.at(10), 1)]);
        // Those 10 seconds apart may both be granted, in that order; no others are in different
        // windows.
        match granted[..] {
            [true, false, true] | [true, false, false] | [false, true, false] | [false, false, true] => {}
            _ => panic!("more than one within a window: {granted:?}"),
        }
    });
}

#[test]
fn what_remains_never_reads_as_more_than_the_limit_or_as_what_was_not() {
    explore("budget of 2, two callers and a reader", || {
        let (time, budget) = (Timeline::new(), budget(2));
        let caller = |budget: Budget| move || assert!(budget.consume_at(time.at(0), 1));
        let readings = at_once(
            || [budget.remaining_at(time.at(0)), budget.remaining_at(time.at(0))],
            vec![caller(budget.clone()), caller(budget.clone())],
        );
        assert!(readings[0] >= readings[1] && readings[0] <= 2, "{readings:?}");
        assert_eq!(budget.remaining_at(time.at(0)), 0);
    });
}

/// An earned budget of 2 tokens, of which each success adds a half.
fn earned(own: usize) -> Budget {
    let mut spec = EarnedBudgetSpec::new(0.5);
    spec.capacity = 2.0;
    Budget::of_earned(Earned::over(spec, Stripes::new(own, 1)))
}

/// Counts so many successes.
fn earns(budget: &Budget, successes: u32) -> Box<dyn FnOnce()> {
    let budget = budget.clone();
    Box::new(move || (0..successes).for_each(|_| budget.deposit()))
}

/// Attacks B2, B3.
#[test]
fn two_earners_and_a_spender_lose_no_success() {
    for own in [0, 1, 3] {
        explore(&format!("two earners and a spender, own stripes: {own}"), move || {
            let budget = earned(own);
            assert!(budget.consume() && budget.consume());
            let spends = || {
                let before = budget.balance();
                let granted = budget.withdraw(ErrorClass::Transient, Priority::Background).is_some();
                let after = budget.balance();
                assert!(before >= 0.0 && after <= 1.5, "before {before}, after {after}");
                assert!(granted || before <= after, "{before} and {after}");
                granted
            };
            let granted = at_once(spends, vec![earns(&budget, 2), earns(&budget, 1)]);
            // A background call needs more than half: it is granted only if it saw all three.
            assert_eq!(budget.balance(), if granted { 0.5 } else { 1.5 });
        });
    }
}

/// Attacks B2, B4.
#[test]
fn a_price_that_comes_back_comes_back_once() {
    explore("a price given back beside an earner and a spender", || {
        let budget = earned(2);
        let returns = |budget: Budget| -> Box<dyn FnOnce()> {
            Box::new(move || {
                if let Some(retry) = budget.withdraw(ErrorClass::Transient, Priority::Critical) {
                    retry.give_back();
                }
            })
        };
        let granted = at_once(
            || (0..2).filter(|_| budget.withdraw(ErrorClass::Transient, Priority::Background).is_some()).count(),
            vec![returns(budget.clone()), earns(&budget, 2)],
        );
        // Two tokens, and one that two successes earned; the capacity may have cut it off.
        let left = budget.balance();
        assert!(left <= 2.0 && (granted as f64 + left) <= 3.0, "granted {granted}, left {left}");
        assert!(granted as f64 + left >= 2.0, "granted {granted}, left {left}");
    });
}

#[test]
fn no_more_is_granted_than_the_capacity() {
    explore("an earned budget of 2, three callers", || {
        let budget = earned(1);
        let granted = Arc::new(AtomicU32::new(0));
        let callers = (0..3).map(|_| {
            let (budget, granted) = (budget.clone(), Arc::clone(&granted));
            move || {
                if budget.withdraw(ErrorClass::Transient, Priority::Normal).is_some() {
                    granted.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        at_once(|| (), callers.collect());
        assert_eq!((granted.load(Ordering::Relaxed), budget.balance()), (2, 0.0));
    });
}
