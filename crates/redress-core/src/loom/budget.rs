//! Models of the budget's cell.
//!
//! Attacks B1.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::{Timeline, at_once, explore};
use crate::budget::cell::Budget;

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
