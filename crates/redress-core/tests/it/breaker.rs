//! The circuit breaker in a policy: the reports of calls, and its rejections.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use redress_core::breaker::{CircuitBreakerBuilder, CircuitState};
use redress_core::error::CircuitOpenError;
use redress_core::policy::RetryBuilder;
use redress_core::{CallError, CircuitBreaker, ErrorClass, EventName, Retry, SleepDecision, StopReason, fixed};
use redress_testing::{BreakerDecision, FakeCircuitBreaker, Recorder, VirtualClock};

use crate::lab::{
    Answer, Failed, GOOD, Lab, Subject, TICK, everywhere, failing, fails, ok_after, on_every_driver, script, secs,
    stopped, succeeding,
};

const RECOVERY: Duration = secs(30);

/// Opens at the first failure.
fn touchy() -> CircuitBreakerBuilder {
    CircuitBreaker::builder().failure_threshold(1).recovery_timeout(RECOVERY)
}

fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3)
}

fn guarded(lab: &Lab, breaker: impl Into<redress_core::breaker::BreakerSource>) -> Subject {
    lab.policy().retry(retry()).circuit_breaker(breaker).build()
}

#[test]
fn a_call_counts_once_however_many_attempts_it_made() {
    everywhere(|lab| {
        let policy = guarded(&lab, touchy().failure_threshold(2));
        let failing = failing(ErrorClass::Transient);
        assert_eq!(policy.run(&failing), stopped(StopReason::MaxAttempts, 3));
        assert_eq!(policy.circuit_state(), Some(CircuitState::Closed));
        assert_eq!(policy.run(&failing), stopped(StopReason::MaxAttempts, 3));
        assert_eq!(policy.circuit_state(), Some(CircuitState::Open));
    });
}

#[test]
fn the_class_of_the_last_failure_counts() {
    everywhere(|lab| {
        let policy = guarded(&lab, touchy());
        let ends_well_known = [ErrorClass::Transient, ErrorClass::Transient, ErrorClass::Permanent];
        assert_eq!(policy.run(&script(ends_well_known.map(fails))), stopped(StopReason::NonRetryableClass, 3));
        assert_eq!(policy.circuit_state(), Some(CircuitState::Closed));
        assert_eq!(policy.run(&script([fails(ErrorClass::Transient), GOOD])), ok_after(2));
        assert_eq!(policy.circuit_state(), Some(CircuitState::Closed), "the call succeeded");
        let ends_badly = [ErrorClass::RateLimit, ErrorClass::RateLimit, ErrorClass::ServerError];
        assert_eq!(policy.run(&script(ends_badly.map(fails))), stopped(StopReason::MaxAttempts, 3));
        assert_eq!(policy.circuit_state(), Some(CircuitState::Open));
    });
}

#[test]
fn every_reason_but_abort_reports_the_failure() {
    type Change = fn(RetryBuilder) -> RetryBuilder;
    let rows: [(Change, ErrorClass, StopReason); 7] = [
        (|retry| retry, ErrorClass::Transient, StopReason::MaxAttempts),
        (|retry| retry.max_retries_for(ErrorClass::Transient, 0), ErrorClass::Transient, {
            StopReason::MaxAttemptsPerClass
        }),
        (|retry| retry, ErrorClass::Auth, StopReason::NonRetryableClass),
        (|retry| retry, ErrorClass::Unknown, StopReason::MaxUnknownAttempts),
        (|retry| retry.strategy(fixed(secs(61))), ErrorClass::Transient, StopReason::DeadlineExceeded),
        (
            |_| Retry::builder().strategy_for(ErrorClass::RateLimit, fixed(Duration::ZERO)),
            ErrorClass::Transient,
            StopReason::NoStrategy,
        ),
        (
            |retry| retry.budget(redress_core::Budget::new(0, secs(1)).expect("valid")),
            ErrorClass::Transient,
            StopReason::BudgetExhausted,
        ),
    ];
    everywhere(|lab| {
        for (change, class, reason) in rows {
            let breaker = Arc::new(FakeCircuitBreaker::new());
            let retry = change(retry().max_unknown_retries(0));
            let policy = lab.policy().retry(retry).circuit_breaker(Arc::clone(&breaker)).build();
            assert_eq!(policy.run(&failing(class)).reason, Some(reason));
            assert_eq!(breaker.failures(), [class], "{reason}");
            assert_eq!((breaker.successes(), breaker.releases(), breaker.pending()), (0, 0, 0), "{reason}");
        }
    });
}

#[test]
fn a_deferred_call_is_a_failure() {
    on_every_driver(|lab| {
        let policy = guarded(&lab, touchy());
        let outcome =
            policy.context().sleep_handler(|_, _| SleepDecision::Defer).execute(&failing(ErrorClass::Transient));
        assert_eq!(outcome.stop_reason(), Some(StopReason::Scheduled));
        assert_eq!(policy.circuit_state(), Some(CircuitState::Open));
    });
}

#[test]
fn a_policy_without_retry_reports_its_one_attempt() {
    everywhere(|lab| {
        let policy = lab.policy().circuit_breaker(touchy().failure_threshold(2)).build();
        for state in [CircuitState::Closed, CircuitState::Open] {
            assert_eq!(policy.run(&failing(ErrorClass::Transient)), stopped(StopReason::MaxAttempts, 1));
            assert_eq!(policy.circuit_state(), Some(state));
        }
        assert_eq!(policy.run(&succeeding()), stopped(StopReason::CircuitOpen, 0));
    });
}

#[test]
fn a_failing_value_is_a_failure_like_an_error() {
    everywhere(|lab| {
        let policy = lab.policy().circuit_breaker(touchy()).build();
        assert_eq!(policy.run(&script([Ok(Answer::Bad(ErrorClass::ServerError))])).attempts, 1);
        assert_eq!(policy.circuit_state(), Some(CircuitState::Open));
    });
}

#[test]
fn a_rejected_call_makes_no_attempt_and_says_when_to_come_back() {
    on_every_driver(|lab| {
        let policy = guarded(&lab, touchy());
        policy.run(&failing(ErrorClass::Transient));
        lab.clock.advance(secs(12));
        let steps = succeeding();
        let expected = CircuitOpenError::new(CircuitState::Open, Some(secs(18)));

        let outcome = policy.execute(&steps);
        assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::CircuitOpen), 0));
        assert_eq!(outcome.rejection().as_ref(), Some(&expected));
        assert_eq!((outcome.last_class(), outcome.cause(), outcome.next_delay()), (None, None, None));
        assert_eq!((outcome.retry_in(), outcome.summary().retry_in()), (Some(secs(18)), Some(secs(18))));
        assert!(outcome.last_failure().is_none() && outcome.abort_error().is_none());

        let error = policy.call(&steps).expect_err("rejected");
        assert_eq!((error.stop_reason(), error.attempts()), (StopReason::CircuitOpen, 0));
        assert_eq!((error.retry_in(), error.last_class()), (Some(secs(18)), None));
        assert!(matches!(error, CallError::CircuitOpen(rejection) if rejection == expected));
        assert_eq!(steps.calls(), 0);

        lab.clock.advance(secs(18));
        assert_eq!(policy.run(&steps), ok_after(1));
        assert_eq!(policy.circuit_state(), Some(CircuitState::Closed));
    });
}

#[test]
fn a_call_rejected_during_a_probe_reports_the_rest_of_the_lease() {
    on_every_driver(|lab| {
        for (builder, left) in [(touchy(), Some(secs(18))), (touchy().no_probe_lease(), None)] {
            let breaker = builder.clock(lab.clock.clone()).build().expect("valid");
            let policy = guarded(&lab, &breaker);
            policy.run(&failing(ErrorClass::Transient));
            lab.clock.advance(RECOVERY);
            let probe = breaker.try_acquire().expect("recovered");
            lab.clock.advance(secs(12));
            let outcome = policy.execute(&succeeding());
            assert_eq!(outcome.rejection(), Some(CircuitOpenError::new(CircuitState::HalfOpen, left)));
            assert_eq!(policy.call(&succeeding()).expect_err("rejected").retry_in(), left);
            drop(probe);
            assert_eq!(policy.run(&succeeding()), ok_after(1));
        }
    });
}

/// Attacks C3, C5.
#[test]
fn a_call_supersedes_a_probe_that_is_kept_for_ever() {
    everywhere(|lab| {
        let breaker = touchy().probe_lease(secs(10)).build().expect("valid");
        let recorder = Recorder::new();
        let policy = lab.policy().circuit_breaker(&breaker).observer(recorder.clone()).build();
        policy.run(&failing(ErrorClass::Transient));
        lab.clock.advance(RECOVERY);
        let kept = breaker.try_acquire_at(lab.clock.now()).expect("recovered");
        lab.clock.advance(secs(10) - TICK);
        assert_eq!(policy.run(&succeeding()), stopped(StopReason::CircuitOpen, 0), "a tick early");
        lab.clock.advance(TICK);
        recorder.clear();
        assert_eq!(policy.run(&succeeding()), ok_after(1));
        assert_eq!(
            recorder.event_names(),
            [EventName::Success, EventName::CircuitClosed],
            "half-open was heard before"
        );
        assert_eq!(kept.failure_at(ErrorClass::Transient, lab.clock.now()), None);
        assert_eq!(breaker.state(), CircuitState::Closed);
    });
}

/// tower-resilience: its breaker's clock does not follow the clock of its sleeps, so that a test in
/// virtual time never recovers.
#[test]
fn the_policys_clock_is_the_breakers_unless_it_has_its_own() {
    everywhere(|lab| {
        let own = VirtualClock::new();
        for (breaker, its, not_its) in [(touchy(), &lab.clock, &own), (touchy().clock(own.clone()), &own, &lab.clock)] {
            let policy = guarded(&lab, breaker);
            policy.run(&failing(ErrorClass::Transient));
            not_its.advance(RECOVERY);
            assert_eq!(policy.run(&succeeding()), stopped(StopReason::CircuitOpen, 0));
            its.advance(RECOVERY);
            assert_eq!(policy.run(&succeeding()), ok_after(1));
        }
    });
}

#[test]
fn policies_share_a_breaker_they_were_given() {
    everywhere(|lab| {
        let breaker = touchy().build().expect("valid");
        let (one, two) = (guarded(&lab, &breaker), lab.policy().circuit_breaker(breaker.clone()).build());
        one.run(&failing(ErrorClass::Transient));
        assert_eq!(two.circuit_state(), Some(CircuitState::Open));
        assert_eq!(two.run(&succeeding()), stopped(StopReason::CircuitOpen, 0));
        lab.clock.advance(RECOVERY);
        assert_eq!(two.run(&succeeding()), ok_after(1));
        assert_eq!(one.run(&succeeding()), ok_after(1));
    });
}

#[test]
fn a_builder_makes_every_policy_a_breaker_of_its_own() {
    everywhere(|lab| {
        let (one, two) = (guarded(&lab, touchy()), guarded(&lab, touchy()));
        one.run(&failing(ErrorClass::Transient));
        assert_eq!((one.circuit_state(), two.circuit_state()), (Some(CircuitState::Open), Some(CircuitState::Closed)));
    });
}

#[test]
fn a_probe_may_retry_before_it_decides() {
    everywhere(|lab| {
        let policy = guarded(&lab, touchy());
        policy.run(&failing(ErrorClass::Transient));
        lab.clock.advance(RECOVERY);
        assert_eq!(policy.run(&script([fails(ErrorClass::Transient), GOOD])), ok_after(2));
        assert_eq!(policy.circuit_state(), Some(CircuitState::Closed));
    });
}

/// resilience4j 544, Polly 311, smallrye-fault-tolerance 320: an outcome that is neither success
/// nor failure is taken for one of them.
///
/// Attacks C1, C3.
#[test]
fn an_aborted_probe_gives_its_place_back() {
    everywhere(|lab| {
        let recorder = Recorder::new();
        let policy = lab.policy().retry(retry()).circuit_breaker(touchy()).observer(recorder.clone()).build();
        policy.run(&failing(ErrorClass::Transient));
        lab.clock.advance(RECOVERY);
        recorder.clear();

        assert_eq!(policy.run(&script([Err(Failed::Abort)])), stopped(StopReason::Aborted, 1));
        let after_failure = || script([fails(ErrorClass::Transient), Err(Failed::Abort)]);
        assert_eq!(policy.run(&after_failure()), stopped(StopReason::Aborted, 2));
        let aborting = policy.context().sleep_handler(|_, _| SleepDecision::Abort);
        assert_eq!(aborting.run(&failing(ErrorClass::Transient)), stopped(StopReason::Aborted, 1));
        assert_eq!(policy.circuit_state(), Some(CircuitState::HalfOpen));
        assert_eq!(policy.run(&succeeding()), ok_after(1));
        assert_eq!(policy.circuit_state(), Some(CircuitState::Closed));

        let of_breaker = |name: &EventName| matches!(name, EventName::CircuitHalfOpen | EventName::CircuitClosed);
        let heard: Vec<_> = recorder.event_names().into_iter().filter(of_breaker).collect();
        assert_eq!(heard, [EventName::CircuitHalfOpen, EventName::CircuitClosed], "half-open is announced once");
    });
}

/// **C4**, through a policy: the admission of a call is reported or released once, for every kind
/// of end.
#[test]
fn every_admission_is_reported_or_released_once() {
    everywhere(|lab| {
        let breaker = Arc::new(FakeCircuitBreaker::new());
        let policy = guarded(&lab, Arc::clone(&breaker));
        let ends = [
            (succeeding(), (1, 0, 0)),
            (failing(ErrorClass::Transient), (0, 1, 0)),
            (script([fails(ErrorClass::Transient), GOOD]), (1, 0, 0)),
            (script([Err(Failed::Abort)]), (0, 0, 1)),
            (script([]).panics("it happens"), (0, 0, 1)),
        ];
        let mut expected = (0, 0, 0);
        for (steps, (succeeded, failed, released)) in ends {
            let _ = catch_unwind(AssertUnwindSafe(|| policy.run(&steps)));
            expected = (expected.0 + succeeded, expected.1 + failed, expected.2 + released);
            let account = (breaker.successes(), breaker.failures().len(), breaker.releases());
            assert_eq!((account, breaker.pending()), (expected, 0));
        }
        breaker.push_decision(BreakerDecision::reject_for(secs(1)));
        assert_eq!(policy.run(&succeeding()), stopped(StopReason::CircuitOpen, 0));
        assert_eq!((breaker.successes(), breaker.releases(), breaker.pending()), (expected.0, expected.2, 0));
    });
}
