//! Models of the stripes that threads count in, and of the tally over them.
//!
//! Attacks T1, T3.

use loom::sync::Arc;
use loom::thread;

use super::{at_once, explore};
use crate::breaker::tally::Tally;
use crate::stripes::Stripes;

const WINDOW: u64 = 160;
const NOW: u64 = 1 << 62;

fn tally(own: usize, shared: usize) -> Arc<Tally> {
    Arc::new(Tally::over(WINDOW, 0, Stripes::new(own, shared)))
}

fn counts(tally: &Arc<Tally>, successes: u64, era: u64) -> impl FnOnce() + 'static {
    let tally = Arc::clone(tally);
    move || (0..successes).for_each(|_| tally.success(NOW, era))
}

/// Readings only grow, end at the total, and count nothing twice.
fn readings_grow(tally: &Arc<Tally>, counters: Vec<impl FnOnce() + 'static>, total: u64) {
    let readings = at_once(|| [tally.sum(NOW).calls, tally.sum(NOW).calls], counters);
    assert!(readings[0] <= readings[1] && readings[1] <= total, "{readings:?}");
    assert_eq!(tally.sum(NOW).calls, total);
}

#[test]
fn a_reader_beside_an_owner_counts_nothing_twice() {
    explore("an own stripe beside a reader", || {
        let tally = tally(2, 1);
        readings_grow(&tally, vec![counts(&tally, 2, 0)], 2);
    });
}

#[test]
fn threads_of_a_shared_stripe_lose_no_count() {
    explore("two threads of a shared stripe beside a reader", || {
        let tally = tally(0, 1);
        readings_grow(&tally, vec![counts(&tally, 2, 0), counts(&tally, 1, 0)], 3);
    });
}

/// The second thread takes the number of the first if that has ended.
#[test]
fn a_number_from_a_thread_that_ended_brings_its_counts_along() {
    explore("a number that two threads have had", || {
        let tally = tally(1, 1);
        readings_grow(&tally, vec![counts(&tally, 1, 0), counts(&tally, 2, 0)], 3);
    });
}

#[test]
fn a_thread_started_by_an_ending_one_may_take_its_number() {
    explore("a number that is handed on", || {
        let tally = tally(1, 1);
        let (first, second) = (counts(&tally, 1, 0), counts(&tally, 1, 0));
        let started = thread::spawn(move || {
            first();
            thread::spawn(second)
        });
        started.join().expect("no panic").join().expect("no panic");
        assert_eq!(tally.sum(NOW).calls, 2);
    });
}

#[test]
fn a_success_beside_a_change_of_era_counts_in_its_own_at_most() {
    for own in [0, 2] {
        explore(&format!("a change of era beside a success, own stripes: {own}"), move || {
            let tally = tally(own, 1);
            let changes = || {
                tally.begin(1, NOW, WINDOW);
                tally.success(NOW, 1);
                tally.sum(NOW).calls
            };
            assert_eq!(at_once(changes, vec![counts(&tally, 2, 0)]), 1);
            assert_eq!(tally.sum(NOW).calls, 1);
        });
    }
}

#[test]
fn a_success_beside_a_new_window_counts_in_its_own_era_at_most() {
    explore("a new window beside a success", || {
        let tally = tally(2, 1);
        let changes = || {
            tally.begin(1, NOW, 16 * WINDOW);
            tally.success(NOW, 1);
            tally.sum(NOW).calls
        };
        assert_eq!(at_once(changes, vec![counts(&tally, 2, 0)]), 1);
        assert_eq!(tally.sum(NOW).calls, 1);
    });
}

#[test]
fn a_second_change_of_era_forgets_the_successes_of_the_first() {
    explore("two changes of era beside a success", || {
        let tally = tally(2, 1);
        tally.begin(1, NOW, WINDOW);
        let successes = at_once(
            || {
                let before = tally.sum(NOW).calls;
                tally.begin(2, NOW, WINDOW);
                before
            },
            vec![counts(&tally, 1, 1)],
        );
        assert!(successes <= 1);
        assert_eq!(tally.sum(NOW).calls, 0);
        tally.success(NOW, 2);
        assert_eq!((tally.bad(NOW), tally.sum(NOW).calls), (1, 2));
    });
}
