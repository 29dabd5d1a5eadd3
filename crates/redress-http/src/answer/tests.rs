//! The table of statuses, row by row, and real calls for each ending.

use std::io;

use redress_core::breaker::CircuitState;
use redress_core::classify::error_classifier;
use redress_core::error::{CircuitOpenError, Failure};
use redress_core::{
    Budget, CircuitBreaker, Classification, Classifier, Policy, Retry, RetryOutcome, SleepDecision, fixed,
};
use redress_testing::VirtualClock;

use super::*;

const BAD_GATEWAY: u16 = 502;
const UNAVAILABLE: u16 = 503;
const TIMED_OUT: u16 = 504;

type Outcome = RetryOutcome<(), io::Error>;

/// The status and the seconds of `Retry-After`, from the summary and from the error alike.
fn answered(outcome: Outcome) -> (u16, Option<u64>) {
    let of_summary = Answer::unless_ok(outcome.summary()).expect_err("the call failed");
    let answer = Answer::from(outcome.into_result().expect_err("the call failed"));
    assert_eq!(answer, of_summary);
    (answer.status().as_u16(), answer.retry_after_seconds())
}

fn failed(reason: StopReason, class: ErrorClass, failure: Failure<(), io::Error>) -> u16 {
    answered(RetryOutcome::from_failure(reason, 3, class, failure)).0
}

fn error() -> io::Error {
    io::Error::other("password=hunter2")
}

/// Fails with this classification, in virtual time.
fn policy(
    classification: Classification,
    retry: redress_core::policy::RetryBuilder,
) -> redress_core::policy::PolicyBuilder<impl Classifier<(), io::Error>, redress_core::policy::Blocking> {
    let clock = VirtualClock::new();
    let classifier = error_classifier(move |_: &io::Error| classification.clone());
    Policy::builder().classifier(classifier).retry(retry).clock(clock.clone()).sleep_with(clock.sleeper())
}

#[test]
fn a_failure_is_answered_by_its_class() {
    let rows = [
        (ErrorClass::Auth, BAD_GATEWAY),
        (ErrorClass::Permission, BAD_GATEWAY),
        (ErrorClass::Permanent, BAD_GATEWAY),
        (ErrorClass::Concurrency, UNAVAILABLE),
        (ErrorClass::RateLimit, UNAVAILABLE),
        (ErrorClass::ServerError, BAD_GATEWAY),
        (ErrorClass::Transient, BAD_GATEWAY),
        (ErrorClass::Unknown, BAD_GATEWAY),
    ];
    assert_eq!(rows.len(), ErrorClass::ALL.len());
    let reasons = [
        StopReason::MaxAttempts,
        StopReason::MaxAttemptsPerClass,
        StopReason::MaxUnknownAttempts,
        StopReason::NonRetryableClass,
        StopReason::NoStrategy,
        StopReason::RetryForbidden,
    ];
    for (class, status) in rows {
        let alone = Answer::from(class);
        assert_eq!((alone.status().as_u16(), alone.stop_reason(), alone.last_class()), (status, None, Some(class)));
        for reason in reasons {
            assert_eq!(failed(reason, class, Failure::Error(error())), status, "{reason} {class}");
            assert_eq!(failed(reason, class, Failure::Result(())), status, "{reason} {class}");
            assert_eq!(failed(reason, class, Failure::Timeout), TIMED_OUT, "{reason} {class}");
        }
    }
}

#[test]
fn other_endings_are_answered_alike_for_every_class() {
    let rows = [
        (StopReason::DeadlineExceeded, TIMED_OUT),
        (StopReason::BudgetExhausted, UNAVAILABLE),
        (StopReason::Scheduled, UNAVAILABLE),
        (StopReason::Aborted, UNAVAILABLE),
        (StopReason::CircuitOpen, UNAVAILABLE),
    ];
    for (reason, status) in rows {
        for class in ErrorClass::ALL {
            assert_eq!(failed(reason, *class, Failure::Error(error())), status, "{reason} {class}");
            assert_eq!(failed(reason, *class, Failure::Timeout), status, "{reason} {class}");
        }
    }
}

#[test]
fn a_rejection_says_when_to_call_again_in_whole_seconds_rounded_up() {
    let rows = [
        (None, None),
        (Some(Duration::ZERO), Some(1)),
        (Some(Duration::from_nanos(1)), Some(1)),
        (Some(Duration::from_secs(1)), Some(1)),
        (Some(Duration::from_nanos(1_000_000_001)), Some(2)),
        (Some(Duration::from_secs(30)), Some(30)),
        (Some(Duration::from_millis(29_001)), Some(30)),
    ];
    for (wait, seconds) in rows {
        for state in [CircuitState::Open, CircuitState::HalfOpen] {
            let outcome = Outcome::from_rejection(CircuitOpenError::new(state, wait));
            assert_eq!(answered(outcome), (UNAVAILABLE, seconds), "{wait:?}");
        }
    }
}

#[test]
fn the_longest_wait_does_not_overflow() {
    let answer = Answer {
        status: StatusCode::SERVICE_UNAVAILABLE,
        retry_in: Some(Duration::MAX),
        stop_reason: Some(StopReason::CircuitOpen),
        last_class: None,
        operation: None,
    };
    assert_eq!(answer.retry_after_seconds(), Some(u64::MAX));
}

#[test]
fn a_breaker_answers_until_its_probe() {
    let clock = VirtualClock::new();
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(Duration::from_secs(30));
    let breaker = breaker.clock(clock.clone()).build().expect("valid");
    breaker.try_acquire().expect("closed").failure(ErrorClass::Transient);
    clock.advance(Duration::from_millis(500));
    let policy = Policy::builder().circuit_breaker(breaker).build().expect("valid");
    assert_eq!(answered(policy.execute(|| Err(error()))), (UNAVAILABLE, Some(30)));
}

#[test]
fn a_hint_that_does_not_fit_the_deadline_is_passed_on() {
    let retry = || Retry::builder().strategy(fixed(Duration::from_secs(1)));
    let limited = Classification::new(ErrorClass::RateLimit).with_retry_after(Duration::from_secs(60));
    let hinted = policy(limited, retry()).deadline(Duration::from_secs(10)).build().expect("valid");
    assert_eq!(answered(hinted.execute(|| Err(error()))), (UNAVAILABLE, Some(60)));

    let unhinted = policy(ErrorClass::ServerError.into(), retry().max_attempts(100)).deadline(Duration::from_secs(10));
    let outcome = unhinted.build().expect("valid").execute(|| Err(error()));
    assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded));
    assert_eq!(answered(outcome), (TIMED_OUT, None));
}

#[test]
fn a_spent_budget_and_a_deferral_are_answered_with_503() {
    let retry = Retry::builder().strategy(fixed(Duration::from_secs(7)));
    let spent = Budget::new(1, Duration::from_secs(60)).expect("valid");
    let policy = policy(ErrorClass::ServerError.into(), retry.budget(spent)).build().expect("valid");

    let deferred = policy.context().sleep_handler(|_, _| SleepDecision::Defer).execute(|| Err(error()));
    assert_eq!(deferred.stop_reason(), Some(StopReason::Scheduled));
    assert_eq!(answered(deferred), (UNAVAILABLE, Some(7)));

    let outcome = policy.execute(|| Err(error()));
    assert_eq!(outcome.stop_reason(), Some(StopReason::BudgetExhausted));
    assert_eq!(answered(outcome), (UNAVAILABLE, None));
}

#[test]
fn an_abort_before_and_after_a_failure_is_answered_with_503() {
    let policy = policy(ErrorClass::Transient.into(), Retry::builder()).build().expect("valid");
    let before = policy.context().abort_if(|| true).execute(|| Err(error()));
    assert_eq!(before.attempts(), 0);
    assert_eq!(answered(before), (UNAVAILABLE, None));
    let after = policy.context().sleep_handler(|_, _| SleepDecision::Abort).execute(|| Err(error()));
    assert_eq!((after.attempts(), after.stop_reason()), (1, Some(StopReason::Aborted)));
    assert_eq!(answered(after), (UNAVAILABLE, None));
}

#[test]
fn a_success_has_no_answer() {
    assert_eq!(Answer::unless_ok(Outcome::from_value(()).summary()), Ok(()));
}

#[test]
fn an_answer_keeps_reason_class_and_operation() {
    let policy = policy(ErrorClass::Permission.into(), Retry::builder()).build().expect("valid");
    let answer = Answer::from(policy.operation("load").call(|| Err::<(), _>(error())).expect_err("it fails"));
    assert_eq!(answer.stop_reason(), Some(StopReason::NonRetryableClass));
    assert_eq!(answer.last_class(), Some(ErrorClass::Permission));
    assert_eq!(answer.operation(), Some("load"));
    assert!(!format!("{answer:?}").contains("hunter2"));
}

#[test]
fn retry_after_goes_with_503_and_429_alone() {
    let rejected = CircuitOpenError::new(CircuitState::Open, Some(Duration::from_secs(7)));
    let answer = Answer::from(CallError::<io::Error>::CircuitOpen(rejected));
    let rows = [(429, Some(7)), (500, None), (502, None), (503, Some(7)), (504, None)];
    for (status, seconds) in rows {
        let answer = answer.clone().with_status(StatusCode::from_u16(status).expect("a status"));
        assert_eq!((answer.status().as_u16(), answer.retry_after_seconds()), (status, seconds));
    }
}
