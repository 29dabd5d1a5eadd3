//! The rules of a breaker through a policy: successes are counted, attempts timed, and each attempt
//! is judged if the policy asks for it.

use std::future::pending;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use redress_core::breaker::{CircuitState, Mode, Transition, TripRule};
use redress_core::driver::NoTimer;
use redress_core::{
    AbortHandle, AsyncPolicy, Budget, CallError, CircuitBreaker, ErrorClass, EventName, Policy, Retry, SleepDecision,
    StopReason, fixed,
};
use redress_testing::{FakeCircuitBreaker, Recorder, Script, VirtualClock};

use crate::lab::{
    Failed, GOOD, everywhere, failing, fails, ok_after, on_every_driver, script, secs, stopped, succeeding,
};

fn retry() -> redress_core::policy::RetryBuilder {
    Retry::builder().strategy(fixed(secs(1))).max_attempts(4)
}

#[test]
fn successes_count_in_the_ratio_on_every_driver() {
    everywhere(|lab| {
        let breaker = CircuitBreaker::builder().failure_ratio(0.5).min_calls(4).build().expect("valid");
        let policy = lab.policy().circuit_breaker(&breaker).build();
        for _ in 0..3 {
            assert_eq!(policy.run(&succeeding()), ok_after(1));
        }
        for (failures, state) in [(1, CircuitState::Closed), (2, CircuitState::Closed), (3, CircuitState::Open)] {
            policy.run(&failing(ErrorClass::Transient));
            assert_eq!(breaker.state(), state, "3 successes, {failures} failures");
        }
        let trip = breaker.last_trip().expect("it opened");
        assert_eq!((trip.rule, trip.bad, trip.calls), (TripRule::Ratio, 3, Some(6)));
    });
}

#[test]
fn a_success_ends_a_row_on_every_driver() {
    everywhere(|lab| {
        let breaker = CircuitBreaker::builder().consecutive_failures(2).build().expect("valid");
        let policy = lab.policy().circuit_breaker(&breaker).build();
        let bad = || policy.run(&failing(ErrorClass::Transient));
        bad();
        policy.run(&succeeding());
        bad();
        assert_eq!(breaker.state(), CircuitState::Closed);
        bad();
        assert_eq!(breaker.state(), CircuitState::Open);
    });
}

#[test]
fn each_attempt_asks_and_reports() {
    everywhere(|lab| {
        let breaker = Arc::new(FakeCircuitBreaker::new());
        let at_once = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(4);
        let policy = lab.policy().retry(at_once).circuit_breaker(Arc::clone(&breaker)).judge_attempts().build();
        let steps = script([fails(ErrorClass::Transient), fails(ErrorClass::ServerError), GOOD]);
        assert_eq!(policy.run(&steps), ok_after(3));
        assert_eq!(breaker.failures(), [ErrorClass::Transient, ErrorClass::ServerError]);
        assert_eq!((breaker.admit_calls(), breaker.successes(), breaker.pending()), (3, 1, 0));
        assert_eq!(policy.run(&failing(ErrorClass::Transient)), stopped(StopReason::MaxAttempts, 4));
        assert_eq!((breaker.admit_calls(), breaker.failures().len(), breaker.pending()), (7, 6, 0));
    });
}

#[test]
fn a_circuit_that_shuts_ends_the_call_before_the_wait_and_takes_no_token() {
    on_every_driver(|lab| {
        let budget = Budget::with_clock(5, secs(60), lab.clock.clone()).expect("valid");
        let breaker = CircuitBreaker::builder().failure_threshold(2).recovery_timeout(secs(30)).build().expect("valid");
        let recorder = Recorder::new();
        let policy = lab.policy().retry(retry().budget(budget.clone())).circuit_breaker(&breaker);
        let policy = policy.judge_attempts().observer(recorder.clone()).build();
        let began = lab.clock.elapsed();
        let error = policy.call(&failing(ErrorClass::Transient)).expect_err("the circuit opens");
        assert_eq!((error.stop_reason(), error.attempts()), (StopReason::CircuitOpen, 2));
        assert!(matches!(error, CallError::Failed(_)), "it has the error of the last attempt: {error:?}");
        assert_eq!(error.retry_in(), Some(secs(30)));
        assert_eq!((lab.clock.elapsed() - began, budget.remaining()), (secs(1), 4));
        let names = recorder.event_names();
        assert_eq!(names, [EventName::Retry, EventName::CircuitOpened, EventName::CircuitRejected]);
    });
}

#[test]
fn a_circuit_that_shuts_during_the_wait_rejects_the_next_attempt() {
    let clock = VirtualClock::new();
    let breaker = CircuitBreaker::builder().failure_threshold(2).recovery_timeout(secs(30)).build().expect("valid");
    let (other, sleeping) = (breaker.clone(), clock.clone());
    let policy = Policy::builder().retry(retry()).circuit_breaker(&breaker).judge_attempts().clock(clock.clone());
    let policy = policy.build().expect("valid");
    let sleeper = move |wait: Duration| {
        sleeping.advance(wait);
        if let Ok(permit) = other.try_acquire_at(sleeping.now()) {
            permit.failure_at(ErrorClass::Transient, sleeping.now());
        }
    };
    let outcome =
        policy.context().sleep_with(sleeper).execute(|| Err::<(), _>(io::Error::from(io::ErrorKind::TimedOut)));
    assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::CircuitOpen), 1));
    assert!(outcome.last_failure().is_some() && outcome.rejection().is_none());
}

#[test]
fn a_slow_answer_is_bad_by_the_time_of_its_attempt() {
    let clock = VirtualClock::new();
    let breaker = CircuitBreaker::builder().failure_threshold(1).slow_call(secs(3)).build().expect("valid");
    let policy =
        Policy::builder().retry(retry()).circuit_breaker(&breaker).clock(clock.clone()).build().expect("valid");
    let mut attempts = 0;
    let context = policy.context().sleep_with({
        let clock = clock.clone();
        move |wait: Duration| clock.advance(wait)
    });
    let done = context.call(|| {
        attempts += 1;
        clock.advance(secs(2));
        if attempts < 3 { Err(io::Error::from(io::ErrorKind::TimedOut)) } else { Ok(()) }
    });
    assert!(done.is_ok() && breaker.state() == CircuitState::Closed, "8 s in all, but each attempt took 2 s");
    assert!(
        policy
            .call(|| {
                clock.advance(secs(3));
                Ok::<_, io::Error>(())
            })
            .is_ok()
    );
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[test]
fn a_call_dropped_after_a_slow_attempt_opens_the_circuit() {
    for (ran, state) in [(2, CircuitState::Closed), (3, CircuitState::Open)] {
        let clock = VirtualClock::new();
        let breaker = CircuitBreaker::builder().failure_threshold(1).slow_call(secs(3)).build().expect("valid");
        let recorder = Recorder::new();
        let policy = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer());
        let policy = policy.circuit_breaker(&breaker).observer(recorder.clone());
        let policy = policy.build().expect("valid");
        {
            let mut call = pin!(policy.call(pending::<Result<(), io::Error>>));
            assert!(matches!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
            clock.advance(secs(ran));
        }
        assert_eq!(breaker.state(), state, "dropped after {ran} s");
        let opened = recorder.event_names().contains(&EventName::CircuitOpened);
        assert_eq!(opened, state == CircuitState::Open);
    }
}

#[test]
fn a_watching_breaker_lets_calls_through_and_says_so() {
    on_every_driver(|lab| {
        let breaker = CircuitBreaker::builder().failure_threshold(1).build().expect("valid");
        breaker.set_mode(Mode::Watching);
        let recorder = Recorder::new();
        let policy = lab.policy().circuit_breaker(&breaker).observer(recorder.clone()).build();
        policy.run(&failing(ErrorClass::Transient));
        recorder.clear();
        assert_eq!(policy.run(&succeeding()), ok_after(1));
        assert_eq!(recorder.event_names(), [EventName::CircuitWouldReject, EventName::Success]);
        assert_eq!(breaker.state(), CircuitState::Open);
    });
}

#[test]
fn a_forced_breaker_rejects_or_admits_everything() {
    everywhere(|lab| {
        let breaker = CircuitBreaker::builder().failure_threshold(1).build().expect("valid");
        let policy = lab.policy().circuit_breaker(&breaker).build();
        breaker.set_mode(Mode::ForcedOpen);
        assert_eq!(policy.run(&succeeding()), stopped(StopReason::CircuitOpen, 0));
        breaker.set_mode(Mode::ForcedClosed);
        for _ in 0..3 {
            policy.run(&failing(ErrorClass::Transient));
        }
        assert_eq!(policy.run(&succeeding()), ok_after(1));
        breaker.set_mode(Mode::Enforcing);
        assert_eq!(breaker.state(), CircuitState::Closed);
    });
}

/// The policy's longest hint bounds its waits. The breaker has a longest hint of its own.
#[test]
fn a_breaker_is_told_the_whole_hint_of_a_quiet_call_and_of_an_observed_one() {
    everywhere(|lab| {
        for is_observed in [false, true] {
            let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(secs(1));
            let breaker = breaker.honour_retry_after(secs(60)).build().expect("valid");
            let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(1).max_retry_after(secs(2));
            let policy = lab.policy().retry(retry).circuit_breaker(&breaker);
            let policy = if is_observed { policy.observer(Recorder::new()) } else { policy };
            let hinted = || Err(Failed::Hinted(ErrorClass::Transient, secs(20)));
            policy.build().run(&Script::new().forever(hinted));
            assert_eq!(breaker.last_trip().map(|trip| trip.wait), Some(secs(20)), "observed: {is_observed}");
        }
    });
}

/// A breaker's own clock may be at another place than the policy's.
#[test]
fn successes_count_on_the_breakers_own_clock() {
    let (own, clock) = (VirtualClock::new(), VirtualClock::new());
    clock.advance(secs(1_000));
    let breaker = CircuitBreaker::builder().failure_ratio(0.5).min_calls(2).window(secs(16)).clock(own.clone());
    let breaker = breaker.build().expect("valid");
    let policy = Policy::builder().circuit_breaker(&breaker).clock(clock.clone()).build().expect("valid");
    let call = |is_good: bool| {
        let _ = policy.call(|| if is_good { Ok(()) } else { Err(io::Error::from(io::ErrorKind::ConnectionReset)) });
    };
    (0..3).for_each(|_| call(true));
    call(false);
    call(false);
    assert_eq!(breaker.state(), CircuitState::Closed, "two of five");
    own.advance(secs(16));
    call(false);
    call(false);
    assert_eq!(breaker.state(), CircuitState::Open, "the successes have left the window");
}

#[test]
fn a_circuit_on_its_own_clock_may_admit_after_the_wait() {
    let clock = VirtualClock::new();
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(secs(5)).clock(clock.clone());
    let breaker = breaker.build().expect("valid");
    let policy = Policy::builder().retry(Retry::builder().strategy(fixed(secs(5))).max_attempts(2));
    let policy = policy.circuit_breaker(&breaker).judge_attempts().clock(clock.clone()).sleep_with(clock.sleeper());
    let policy = policy.build().expect("valid");
    let mut attempts = 0;
    let answer = policy.call(|| {
        attempts += 1;
        if attempts == 2 { Ok(()) } else { Err(io::Error::from(io::ErrorKind::ConnectionReset)) }
    });
    assert!(answer.is_ok(), "{answer:?}");
}

/// A success that took its time leaves the window by the begin of its call.
#[test]
fn a_calls_success_counts_from_its_begin() {
    on_every_driver(|lab| {
        let breaker = CircuitBreaker::builder().failure_ratio(0.7).min_calls(2).window(secs(16));
        let breaker = breaker.build().expect("valid");
        let policy = lab.policy().circuit_breaker(&breaker).build();
        let clock = lab.clock.clone();
        let slow = Script::new().forever(move || {
            clock.advance(secs(5));
            GOOD
        });
        policy.run(&slow);
        policy.run(&slow);
        policy.run(&failing(ErrorClass::Transient));
        assert_eq!(breaker.state(), CircuitState::Closed, "one of three");
        lab.clock.advance(secs(11));
        policy.run(&failing(ErrorClass::Transient));
        assert_eq!(breaker.state(), CircuitState::Open, "two of two: both calls began 16 s ago or earlier");
    });
}

#[test]
fn a_judged_attempts_success_counts_from_the_begin_of_the_attempt() {
    on_every_driver(|lab| {
        let breaker = CircuitBreaker::builder().failure_ratio(0.5).min_calls(3).window(secs(16));
        let breaker = breaker.build().expect("valid");
        let retry = Retry::builder().strategy(fixed(secs(10))).max_attempts(2);
        let policy = lab.policy().retry(retry).circuit_breaker(&breaker).judge_attempts().build();
        assert_eq!(policy.run(&script([fails(ErrorClass::Transient), GOOD])), ok_after(2));
        lab.clock.advance(secs(10));
        let now = lab.clock.now();
        let fail = || breaker.try_acquire_at(now).expect("closed").failure_at(ErrorClass::Transient, now);
        assert_eq!((fail(), fail()), (None, Some(Transition::Opened)), "two of three: the first failure has left");
    });
}

#[test]
fn the_event_of_an_opening_says_what_the_breaker_saw() {
    everywhere(|lab| {
        let (recorder, breaker) = (Recorder::new(), CircuitBreaker::builder().consecutive_failures(2).build());
        let breaker = breaker.expect("valid");
        let policy = lab.policy().circuit_breaker(&breaker).observer(recorder.clone()).build();
        policy.run(&failing(ErrorClass::Transient));
        policy.run(&failing(ErrorClass::Transient));
        let events = recorder.events();
        let trips: Vec<_> = events.iter().filter_map(|event| Some((event.name, event.trip?))).collect();
        let seen = breaker.last_trip().expect("it opened");
        assert_eq!((trips, seen.rule, seen.bad), (vec![(EventName::CircuitOpened, seen)], TripRule::InARow, 2));
    });
}

/// An attempt that an abort handle cuts is judged by the time that it ran, like a dropped one.
#[test]
fn an_attempt_that_an_abort_cuts_is_judged_by_its_time() {
    for (ran, state) in [(2, CircuitState::Closed), (3, CircuitState::Open)] {
        let (clock, handle) = (VirtualClock::new(), AbortHandle::new());
        let breaker = CircuitBreaker::builder().failure_threshold(1).slow_call(secs(3)).build().expect("valid");
        let policy = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).circuit_breaker(&breaker);
        let policy = policy.abort_on(&handle).build().expect("valid");
        let mut call = pin!(policy.call(pending::<Result<(), io::Error>>));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(call.as_mut().poll(&mut cx).is_pending());
        clock.advance(secs(ran));
        handle.abort();
        assert!(matches!(call.as_mut().poll(&mut cx), Poll::Ready(Err(CallError::Aborted(_)))));
        assert_eq!(breaker.state(), state, "cut after {ran} s");
    }
}

/// A deferred retry waits elsewhere, so the circuit is not asked about it.
#[test]
fn a_shut_circuit_does_not_keep_a_retry_from_being_deferred() {
    on_every_driver(|lab| {
        let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(secs(60)).build().expect("valid");
        let policy = lab.policy().retry(retry()).circuit_breaker(&breaker).judge_attempts().deadline(secs(1));
        let policy = policy.sleep_handler(|_, _| SleepDecision::Defer).build();
        let error = policy.call(&failing(ErrorClass::Transient)).expect_err("it is deferred");
        assert_eq!((error.stop_reason(), error.attempts()), (StopReason::Scheduled, 1));
    });
}
