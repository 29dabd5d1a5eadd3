//! The budget: the number of retries that policies sharing it can make in any window.

use std::time::{Duration, Instant};

use redress_core::budget::BudgetSpec;
use redress_core::policy::RetryBuilder;
use redress_core::{Budget, ErrorClass, Retry, SleepDecision, StopReason, fixed};
use redress_testing::VirtualClock;

use crate::lab::{Failed, Lab, TICK, everywhere, failing, fails, on_every_driver, script, secs, stopped};

const WINDOW: Duration = secs(60);

fn budget(clock: &VirtualClock, max_retries: u32) -> Budget {
    Budget::with_clock(max_retries, WINDOW, clock.clone()).expect("valid")
}

fn retry(budget: &Budget) -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3).budget(budget.clone())
}

#[test]
fn a_token_comes_back_one_window_after_it_was_taken() {
    let clock = VirtualClock::new();
    let budget = budget(&clock, 2);
    assert!(budget.consume());
    clock.advance(secs(10));
    assert!(budget.consume());
    clock.advance(secs(50) - TICK);
    assert!(!budget.consume(), "one tick early");
    assert_eq!(budget.remaining(), 0);
    clock.advance(TICK);
    assert_eq!(budget.remaining(), 1, "the first is back");
    assert!(budget.consume() && !budget.consume());
    clock.advance(secs(10));
    assert!(budget.consume() && !budget.consume(), "the second is back");
}

/// One reading decades ahead, the first or a later one: a window of ordinary readings later the
/// budget grants again.
///
/// Attacks B1.
#[test]
fn a_reading_too_far_ahead_does_not_use_it_up_for_good() {
    for is_first in [true, false] {
        for decades in [1, 4, 30] {
            let (start, budget) = (Instant::now(), Budget::new(2, WINDOW).expect("valid"));
            let far = start + secs(315_360_000) * decades;
            if !is_first {
                assert_eq!(budget.remaining_at(start), 2);
            }
            assert!(budget.consume_at(far, 2));
            assert!(!budget.consume_at(start, 1), "what was granted just now counts");
            assert!(!budget.consume_at(start + WINDOW - TICK, 1), "a tick early");
            assert_eq!(budget.remaining_at(start + WINDOW), 2, "{decades} decades, first: {is_first}");
            assert!(budget.consume_at(start + WINDOW, 2) && !budget.consume_at(start + WINDOW, 1));
        }
    }
}

#[test]
fn a_cost_is_paid_whole_or_not_at_all() {
    let clock = VirtualClock::new();
    let budget = budget(&clock, 5);
    let consume = |cost| budget.consume_at(clock.now(), cost);
    assert!(consume(0));
    assert_eq!(budget.remaining(), 5);
    assert!(!consume(6) && !consume(u32::MAX));
    assert!(consume(3));
    assert_eq!(budget.remaining(), 2);
    assert!(!consume(3));
    assert_eq!(budget.remaining(), 2, "nothing was taken");
    clock.advance(secs(1));
    assert!(consume(2) && consume(0) && !consume(1));
    clock.advance(WINDOW - secs(1));
    assert!(!consume(4));
    assert!(consume(3) && !consume(1), "the three are back, the two are not");
}

#[test]
fn a_limit_of_zero_grants_nothing() {
    let clock = VirtualClock::new();
    let budget = budget(&clock, 0);
    assert!(!budget.consume());
    assert!(budget.consume_at(clock.now(), 0));
    clock.advance(WINDOW * 9);
    assert!(!budget.consume());
    assert_eq!(budget.remaining(), 0);
    everywhere(|lab| {
        let policy = lab.retrying(retry(&budget));
        assert_eq!(policy.run(&failing(ErrorClass::Transient)), stopped(StopReason::BudgetExhausted, 1));
    });
}

/// **B1**, over random steps: no window of its length holds more grants than the limit.
#[test]
fn no_window_ever_holds_more_than_the_limit() {
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let clock = VirtualClock::new();
        let limit = random.u32(1..9);
        let budget = budget(&clock, limit);
        let mut granted: Vec<Duration> = Vec::new();
        for _ in 0..300 {
            clock.advance(secs(random.u64(0..25)));
            let now = clock.elapsed();
            granted.retain(|at| now - *at < WINDOW);
            let left = limit as usize - granted.len();
            assert_eq!(budget.remaining() as usize, left, "seed {seed}");
            let cost = random.u32(0..4);
            let fits = cost as usize <= left;
            assert_eq!(budget.consume_at(clock.now(), cost), fits, "seed {seed}: {cost} of {left}");
            granted.extend((0..cost).filter(|_| fits).map(|_| now));
        }
    }
}

#[test]
fn its_own_clock_is_read_and_not_the_callers() {
    let clock = VirtualClock::new();
    let own = budget(&clock, 1);
    assert!(own.consume_at(clock.now(), 1));
    assert!(!own.consume_at(clock.now() + WINDOW, 1));
    assert_eq!(own.remaining_at(clock.now() + WINDOW), 0);
    clock.advance(WINDOW);
    assert_eq!(own.remaining_at(clock.now() - WINDOW), 1);

    let of_caller = Budget::new(1, WINDOW).expect("valid");
    let start = Instant::now();
    assert!(of_caller.consume_at(start, 1) && !of_caller.consume_at(start + WINDOW - TICK, 1));
    assert_eq!(of_caller.remaining_at(start + WINDOW), 1);
    assert!(of_caller.consume_at(start + WINDOW, 1));
}

#[test]
fn a_policy_with_another_clock_leaves_the_budget_its_own() {
    everywhere(|lab| {
        let clock = VirtualClock::new();
        let policy = lab.retrying(retry(&budget(&clock, 2)));
        assert_eq!(policy.run(&failing(ErrorClass::Transient)), stopped(StopReason::MaxAttempts, 3));
        lab.clock.advance(WINDOW);
        assert_eq!(policy.run(&failing(ErrorClass::Transient)), stopped(StopReason::BudgetExhausted, 1));
        clock.advance(WINDOW);
        assert_eq!(policy.run(&failing(ErrorClass::Transient)), stopped(StopReason::MaxAttempts, 3));
    });
}

#[test]
fn policies_and_clones_share_it() {
    everywhere(|lab| {
        let budget = budget(&lab.clock, 3);
        let (one, two) = (lab.retrying(retry(&budget)), lab.retrying(retry(&budget)));
        assert_eq!(one.run(&failing(ErrorClass::Transient)), stopped(StopReason::MaxAttempts, 3));
        assert_eq!(two.run(&failing(ErrorClass::Transient)), stopped(StopReason::BudgetExhausted, 2));
        assert_eq!(budget.clone().remaining(), 0);
    });
}

#[test]
fn a_granted_retry_keeps_its_token_when_it_is_deferred_or_aborted() {
    on_every_driver(|lab: Lab| {
        let budget = budget(&lab.clock, 9);
        let policy = lab.retrying(retry(&budget));
        let transient = || failing(ErrorClass::Transient);
        let mut left = 9;
        let mut spent_one = |reason: Option<StopReason>, expected| {
            left -= 1;
            assert_eq!((reason, budget.remaining()), (Some(expected), left));
        };
        let context = policy.context().sleep_handler(|_, _| SleepDecision::Defer);
        spent_one(context.run(&transient()).reason, StopReason::Scheduled);
        let context = policy.context().sleep_handler(|_, _| SleepDecision::Abort);
        spent_one(context.run(&transient()).reason, StopReason::Aborted);
        let context = policy.context().sleep_handler(|_, delay| match delay {
            Duration::ZERO => SleepDecision::Sleep,
            _ => SleepDecision::Defer,
        });
        spent_one(context.run(&script([fails(ErrorClass::Transient), Err(Failed::Abort)])).reason, StopReason::Aborted);
    });
}

#[test]
fn no_other_gate_costs_a_token() {
    everywhere(|lab| {
        let budget = budget(&lab.clock, 1);
        let retry = || retry(&budget).max_attempts(1);
        let rows = [
            (retry(), ErrorClass::Transient, StopReason::MaxAttempts),
            (retry(), ErrorClass::Auth, StopReason::NonRetryableClass),
            (retry().max_unknown_retries(0), ErrorClass::Unknown, StopReason::MaxUnknownAttempts),
            (retry().max_retries_for(ErrorClass::Transient, 0), ErrorClass::Transient, StopReason::MaxAttemptsPerClass),
            (retry().max_attempts(2).strategy(fixed(secs(60))), ErrorClass::Transient, StopReason::DeadlineExceeded),
        ];
        for (retry, class, reason) in rows {
            assert_eq!(lab.retrying(retry).run(&failing(class)), stopped(reason, 1));
            assert_eq!(budget.remaining(), 1, "{reason}");
        }
    });
}

#[test]
fn it_says_what_it_was_made_with() {
    let budget = Budget::new(7, WINDOW).expect("valid");
    assert_eq!((budget.spec(), budget.remaining()), (BudgetSpec::new(7, WINDOW), 7));
    assert_eq!((budget.capacity(), budget.balance()), (7.0, 7.0));
    assert_eq!(format!("{budget:?}"), "Budget { max_retries: 7, window: 60s, .. }");
}
