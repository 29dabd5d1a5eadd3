//! Properties of a budget alone: what its window counts, on a clock that goes where it likes.
//!
//! They use the public API with plain data, without a policy.

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::{Just, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::Config;
use redress_core::Budget;

use crate::doubt::Events;

fn config() -> Config {
    super::config(concat!(env!("CARGO_MANIFEST_DIR"), "/regressions/budget.txt"))
}

proptest! {
    #![proptest_config(config())]

    /// Every grant ever, and which of them are within the window; the clock goes where it likes.
    ///
    /// Attacks B1.
    #[test]
    fn a_budget_counts_what_was_granted_within_the_window(
        limit in 0_u32..6,
        window in 1_u64..12,
        steps in vec((prop_oneof![4 => 0_u64..30, 1 => 1_000_u64..1_030, 1 => 0_u64..1_100], 0_u32..4), 0..60),
    ) {
        let budget = Budget::new(limit, Duration::from_nanos(window)).expect("valid");
        let origin = Instant::now();
        let mut grants = Events::new(Duration::from_nanos(window));
        for (at, cost) in steps {
            let shown = Duration::from_nanos(at);
            grants.observe(shown);
            // After a step back, grants that had left are within the window again, beside those
            // that took their place.
            let live = (grants.count(shown) as u32).min(limit);
            let instant = origin + shown;
            prop_assert_eq!(budget.remaining_at(instant), limit - live, "at {}", at);
            prop_assert_eq!(budget.consume_at(instant, cost), live + cost <= limit, "{} at {}", cost, at);
            if live + cost <= limit {
                (0..cost).for_each(|_| grants.push(shown));
            }
        }
    }

    /// Time passes, and the clock may lose more than passed: what was granted within any window of
    /// the real time.
    ///
    /// Attacks B1.
    #[test]
    fn a_clock_that_steps_back_never_gives_a_token_back_sooner(
        limit in 1_u32..5,
        window in 1_u64..12,
        steps in vec((0_u64..9, prop_oneof![4 => Just(0_u64), 1 => 0_u64..12, 1 => 0_u64..2_000], 1_u32..3), 0..80),
    ) {
        let budget = Budget::new(limit, Duration::from_nanos(window)).expect("valid");
        let (origin, mut real, mut lost) = (Instant::now() + Duration::from_secs(1), 0, 0);
        let mut grants: Vec<u64> = Vec::new();
        for (passes, loses, cost) in steps {
            (real, lost) = (real + passes, lost + loses);
            let shown = origin + Duration::from_nanos(real) - Duration::from_nanos(lost);
            if budget.consume_at(shown, cost) {
                grants.extend((0..cost).map(|_| real));
            }
            let live = grants.iter().filter(|granted| real - **granted < window).count();
            prop_assert!(live <= limit as usize, "{live} within {window} up to {real}");
        }
    }

    /// Callers that looked at the clock up to a window before they ask: by the instants they show,
    /// no window has more.
    ///
    /// Attacks B1.
    #[test]
    fn instants_up_to_a_window_late_grant_no_more(
        limit in 1_u32..5,
        window in 1_u64..12,
        steps in vec((0_u64..9, 0_u64..12, 1_u32..3), 0..80),
    ) {
        let budget = Budget::new(limit, Duration::from_nanos(window)).expect("valid");
        let (origin, mut now) = (Instant::now(), 0);
        let mut grants: Vec<u64> = Vec::new();
        for (passes, late, cost) in steps {
            now += passes;
            let shown = now.saturating_sub(late.min(window));
            if budget.consume_at(origin + Duration::from_nanos(shown), cost) {
                grants.extend((0..cost).map(|_| shown));
            }
        }
        for from in &grants {
            let within = grants.iter().filter(|at| (*from..from + window).contains(*at)).count();
            prop_assert!(within <= limit as usize, "{within} from {from}: {grants:?}");
        }
    }

    /// Readings too far ahead, each between ordinary ones: a window after the last of them the
    /// budget is whole.
    #[test]
    fn a_reading_too_far_ahead_does_not_use_a_budget_up(
        limit in 1_u32..5,
        window in 1_u64..12,
        steps in vec((0_u64..9, prop_oneof![2 => Just(0_u64), 1 => 1_000_u64..(1 << 61)], 0_u32..3), 0..40),
    ) {
        let budget = Budget::new(limit, Duration::from_nanos(window)).expect("valid");
        let (origin, mut now) = (Instant::now(), 0);
        for (passes, ahead, cost) in steps {
            now += passes;
            let _ = budget.consume_at(origin + Duration::from_nanos(now + ahead), cost);
        }
        let [last, later] = [now, now + window].map(|at| origin + Duration::from_nanos(at));
        let _ = budget.remaining_at(last);
        prop_assert_eq!(budget.remaining_at(later), limit);
        prop_assert!(budget.consume_at(later, limit));
    }
}
