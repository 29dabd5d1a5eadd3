//! The closed sets: each list is whole, in order and without doubles, and each name is one value's
//! alone.
//!
//! That no value is missing from a list is checked by the compiler, where the list is declared.

use std::collections::HashSet;
use std::fmt::Display;
use std::hash::Hash;

use redress_core::breaker::CircuitState;
use redress_core::observe::{AttemptDecision, CallOutcome};
use redress_core::{Cause, ErrorClass, Event, EventName, SleepDecision, StopReason};

#[track_caller]
fn check<V: Copy + Eq + Hash + Display>(all: &'static [V], count: usize, name: fn(V) -> &'static str) {
    assert_eq!(all.len(), count);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), count, "a value comes twice");
    assert_eq!(all.iter().map(|value| name(*value)).collect::<HashSet<_>>().len(), count, "a name comes twice");
    assert!(all.iter().all(|value| value.to_string() == name(*value)), "shown as it is named");
}

#[test]
fn every_list_is_whole_and_every_name_one_values() {
    check(EventName::ALL, 15, EventName::as_str);
    check(StopReason::ALL, 11, StopReason::as_str);
    check(ErrorClass::ALL, 8, ErrorClass::as_str);
    check(Cause::ALL, 3, Cause::as_str);
    check(CircuitState::ALL, 3, CircuitState::as_str);
    check(SleepDecision::ALL, 3, SleepDecision::as_str);
    check(AttemptDecision::ALL, 5, AttemptDecision::as_str);
    check(CallOutcome::ALL, 7, CallOutcome::as_str);
}

#[test]
fn an_event_says_an_outcome_if_and_only_if_it_ends_the_call() {
    for name in EventName::ALL {
        assert_eq!(Event::new(*name).outcome().is_some(), name.is_terminal(), "{name}");
    }
    let outcome = |reason: StopReason| Event::new(reason.event()).outcome();
    for reason in StopReason::ALL {
        let expected = match reason {
            StopReason::CircuitOpen => CallOutcome::Rejected,
            StopReason::Scheduled => CallOutcome::Scheduled,
            StopReason::Aborted => CallOutcome::Aborted,
            _ => CallOutcome::Failure,
        };
        assert_eq!(outcome(*reason), Some(expected), "{reason}");
    }
    assert_eq!(Event::new(EventName::Success).outcome(), Some(CallOutcome::Success));
    assert_eq!(Event::new(EventName::Cancelled).outcome(), Some(CallOutcome::Cancelled));
}

#[test]
fn what_ends_unfinished_is_cancelled_unless_the_thread_unwinds() {
    struct Dropped<'d>(&'d mut Option<CallOutcome>);
    impl Drop for Dropped<'_> {
        fn drop(&mut self) {
            *self.0 = Some(CallOutcome::of_unfinished());
        }
    }
    let mut outcome = None;
    drop(Dropped(&mut outcome));
    assert_eq!(outcome, Some(CallOutcome::Cancelled));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _dropped = Dropped(&mut outcome);
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    assert_eq!(outcome, Some(CallOutcome::Panicked));
}

#[test]
fn after_one_attempt_no_text_says_that_something_was_used_up() {
    for reason in StopReason::ALL {
        assert_eq!(reason.description_after(2), reason.description(), "{reason}");
        let of_budget = *reason == StopReason::BudgetExhausted;
        assert!(of_budget || !reason.description_after(1).contains("used up"), "{reason}");
    }
}
