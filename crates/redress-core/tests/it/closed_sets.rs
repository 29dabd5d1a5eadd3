//! The closed sets: each list is whole, in order and without doubles, and each name is one value's
//! alone.
//!
//! That no value is missing from a list is checked by the compiler, where the list is declared.

use std::collections::HashSet;
use std::fmt::Display;
use std::hash::Hash;

use redress_core::breaker::{CircuitState, Mode, TripRule};
use redress_core::observe::{AttemptDecision, CallOutcome, Gate};
use redress_core::policy::Preset;
use redress_core::{Cause, ErrorClass, Event, EventName, SleepDecision, StopReason};

#[track_caller]
fn check<V: Copy + Eq + Hash + Display, const N: usize>(
    all: &'static [V],
    name: fn(V) -> &'static str,
    names: [&str; N],
) {
    assert_eq!(all.iter().map(|value| name(*value)).collect::<Vec<_>>(), names);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), N, "a value comes twice");
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), N, "a name comes twice");
    assert!(all.iter().all(|value| value.to_string() == name(*value)), "shown as it is named");
}

#[test]
fn every_list_is_whole_and_every_name_one_values() {
    let events = [
        "success",
        "retry",
        "permanent_fail",
        "deadline_exceeded",
        "max_attempts_exceeded",
        "max_unknown_attempts_exceeded",
        "no_strategy_configured",
        "budget_exhausted",
        "scheduled",
        "aborted",
        "cancelled",
        "nested",
        "circuit_opened",
        "circuit_half_open",
        "circuit_closed",
        "circuit_rejected",
        "circuit_would_reject",
    ];
    check(EventName::ALL, EventName::as_str, events);
    let classes =
        ["AUTH", "PERMISSION", "PERMANENT", "CONCURRENCY", "RATE_LIMIT", "SERVER_ERROR", "TRANSIENT", "UNKNOWN"];
    check(ErrorClass::ALL, ErrorClass::as_str, classes);
    check(Cause::ALL, Cause::as_str, ["exception", "result", "timeout"]);
    check(CircuitState::ALL, CircuitState::as_str, ["closed", "open", "half_open"]);
    check(Mode::ALL, Mode::as_str, ["enforcing", "forced_open", "forced_closed", "watching"]);
    check(TripRule::ALL, TripRule::as_str, ["class", "count", "in_a_row", "ratio", "hint", "trial"]);
    check(SleepDecision::ALL, SleepDecision::as_str, ["sleep", "defer", "abort"]);
    let decisions = ["success", "retry", "raise", "scheduled", "aborted"];
    check(AttemptDecision::ALL, AttemptDecision::as_str, decisions);
    let outcomes = ["success", "failure", "rejected", "scheduled", "aborted", "cancelled", "panicked"];
    check(CallOutcome::ALL, CallOutcome::as_str, outcomes);
    let presets = ["http", "grpc", "database", "queue", "llm", "interactive", "batch"];
    check(Preset::ALL, Preset::as_str, presets);
}

#[test]
fn every_stop_reason_has_its_name_and_its_event() {
    let rows = [
        ("MAX_ATTEMPTS_GLOBAL", EventName::MaxAttemptsExceeded),
        ("MAX_ATTEMPTS_PER_CLASS", EventName::MaxAttemptsExceeded),
        ("DEADLINE_EXCEEDED", EventName::DeadlineExceeded),
        ("MAX_UNKNOWN_ATTEMPTS", EventName::MaxUnknownAttemptsExceeded),
        ("NON_RETRYABLE_CLASS", EventName::PermanentFail),
        ("NO_STRATEGY", EventName::NoStrategyConfigured),
        ("RETRY_FORBIDDEN", EventName::PermanentFail),
        ("BUDGET_EXHAUSTED", EventName::BudgetExhausted),
        ("SCHEDULED", EventName::Scheduled),
        ("ABORTED", EventName::Aborted),
        ("CIRCUIT_OPEN", EventName::CircuitRejected),
    ];
    check(StopReason::ALL, StopReason::as_str, rows.map(|(name, _)| name));
    assert_eq!(StopReason::ALL.iter().map(|reason| reason.event()).collect::<Vec<_>>(), rows.map(|(_, event)| event));
    let not_terminal = EventName::ALL.iter().filter(|name| !name.is_terminal()).collect::<Vec<_>>();
    use EventName::{CircuitClosed, CircuitHalfOpen, CircuitOpened, CircuitWouldReject, Nested, Retry};
    assert_eq!(not_terminal, [&Retry, &Nested, &CircuitOpened, &CircuitHalfOpen, &CircuitClosed, &CircuitWouldReject]);
}

#[test]
fn every_gate_has_its_name() {
    let names = [
        "max_attempts",
        "nested",
        "class_retries",
        "unknown_retries",
        "class",
        "strategy",
        "forbidden",
        "deadline",
        "deadline_at_start",
        "deadline_cut",
        "deadline_wait",
        "deadline_after_hooks",
        "budget",
        "earned_budget",
        "deferral",
        "caller_abort",
        "operation_abort",
        "sleep_handler_abort",
        "circuit_open",
        "circuit_half_open",
        "circuit_forced_open",
        "attempt_timeout",
    ];
    check(Gate::ALL, Gate::as_str, names);
}

#[test]
fn a_class_is_found_by_its_name_and_knows_whether_it_is_retried() {
    for class in ErrorClass::ALL {
        assert_eq!(ErrorClass::from_name(class.as_str()), Some(*class));
        let is_final = matches!(class, ErrorClass::Auth | ErrorClass::Permission | ErrorClass::Permanent);
        assert_eq!(class.is_retryable(), !is_final, "{class}");
    }
    assert_eq!(ErrorClass::from_name("rate_limit"), None);
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
