//! Detached attempts, which the call abandons at their timeout while they keep running.
//!
//! The timeout is the real clock's, so these tests wait a few milliseconds; none says how many.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use redress_core::error::Failure;
use redress_core::policy::{PolicyBuilder, RetryBuilder};
use redress_core::{Attempt, CallError, Cause, ErrorClass, Policy, Retry, StopReason, fixed};
use redress_testing::Recorder;

use crate::lab::{Answer, Attempted, ByClass, Failed, GOOD, fails, millis, secs};

fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2)
}

fn builder(retry: RetryBuilder) -> PolicyBuilder<ByClass, redress_core::policy::Blocking> {
    Policy::builder().retry(retry).classifier(ByClass)
}

/// Holds operations until it is dropped.
struct Held(#[expect(dead_code, reason = "it is dropped")] Sender<()>);

/// An operation that hangs while the first value lives; then it succeeds.
fn hanging() -> (Held, impl Fn(Attempt) -> Attempted + Send + Sync) {
    let (sender, receiver) = channel();
    let receiver = Mutex::new(receiver);
    (Held(sender), move |_| {
        let _ = receiver.lock().expect("whole").recv();
        GOOD
    })
}

#[test]
fn a_hung_operation_is_given_up_at_its_timeout() {
    let (_held, operation) = hanging();
    let recorder = Recorder::new();
    let policy = builder(retry()).attempt_timeout(millis(5)).build().expect("valid");
    let outcome = policy.context().observer(recorder.clone()).execute_detached(operation);
    assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::MaxAttempts), 2));
    assert_eq!((outcome.last_class(), outcome.cause()), (Some(ErrorClass::Transient), Some(Cause::Timeout)));
    assert_eq!(outcome.last_failure(), Some(&Failure::Timeout));
    let causes: Vec<_> = recorder.events().iter().map(|event| (event.cause, event.error_type)).collect();
    assert_eq!(causes, [(Some(Cause::Timeout), None); 2]);
}

#[test]
fn a_hung_operation_is_given_up_at_the_deadline_too() {
    let (_held, operation) = hanging();
    let error =
        builder(retry()).deadline(millis(5)).build().expect("valid").call_detached(operation).expect_err("it hangs");
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::DeadlineExceeded, 1));
    assert!(matches!(error, CallError::Exhausted(exhausted) if exhausted.cause == Some(Cause::Timeout)));
}

#[test]
fn the_attempt_after_a_hung_one_may_succeed() {
    let (_held, operation) = hanging();
    let run = move |attempt: Attempt| if attempt.number() == 1 { operation(attempt) } else { GOOD };
    // On a busy machine even an attempt that does not hang may take longer than its time, so there
    // are many.
    let outcome =
        builder(retry().max_attempts(1_000)).attempt_timeout(millis(5)).build().expect("valid").execute_detached(run);
    assert!(outcome.is_ok() && outcome.attempts() > 1);
}

/// Says when it is dropped.
struct Late(Sender<&'static str>);

impl Drop for Late {
    fn drop(&mut self) {
        let _ = self.0.send("dropped");
    }
}

#[test]
fn a_late_result_is_dropped() {
    let (held, operation) = hanging();
    let (sender, results): (_, Receiver<&str>) = channel();
    let sender = Mutex::new(sender);
    let policy = Policy::builder()
        .retry(retry().max_attempts(1))
        .attempt_timeout(millis(5))
        .classifier(|_: &Result<Late, Failed>| -> Option<ErrorClass> { panic!("never classified") })
        .build()
        .expect("valid");
    let outcome = policy.execute_detached(move |attempt| {
        let _ = operation(attempt);
        Ok::<_, Failed>(Late(sender.lock().expect("whole").clone()))
    });
    assert_eq!(outcome.cause(), Some(Cause::Timeout));
    assert!(results.try_recv().is_err(), "it still hangs");
    drop(held);
    assert_eq!(results.recv(), Ok("dropped"));
}

#[test]
fn a_panic_of_the_operation_propagates_with_its_payload() {
    let policy = builder(retry()).build().expect("valid");
    let run = |_| -> Attempted { std::panic::panic_any(7_u32) };
    let payload = catch_unwind(AssertUnwindSafe(|| policy.call_detached(run))).expect_err("it panicked");
    assert_eq!(payload.downcast_ref(), Some(&7_u32));
    let payload = catch_unwind(AssertUnwindSafe(|| policy.execute_detached(run))).map(drop).expect_err("it panicked");
    assert_eq!(payload.downcast_ref(), Some(&7_u32));
}

#[test]
fn results_in_time_go_the_usual_way() {
    let policy = builder(retry()).deadline(secs(3_600)).build().expect("valid");
    let numbers: Arc<Mutex<Vec<u32>>> = Arc::default();
    let noted = Arc::clone(&numbers);
    let here = thread::current().id();
    let outcome = policy.execute_detached(move |attempt| {
        assert_ne!(thread::current().id(), here, "on another thread");
        assert!(attempt.time_left().is_some_and(|left| left <= secs(3_600)));
        noted.lock().expect("whole").push(attempt.number());
        if attempt.number() == 1 { fails(ErrorClass::RateLimit) } else { Ok(Answer::Bad(ErrorClass::Transient)) }
    });
    assert_eq!((outcome.attempts(), outcome.cause()), (2, Some(Cause::Result)));
    assert_eq!(*numbers.lock().expect("whole"), [1, 2]);
    assert!(policy.call_detached(|_| GOOD).is_ok());
    assert_eq!(policy.context().call_detached(|_| fails(ErrorClass::Auth)).expect_err("it fails").attempts(), 1);
}

#[test]
fn without_any_limit_it_waits_for_the_result() {
    let policy = builder(retry()).no_deadline().build().expect("valid");
    let (held, operation) = hanging();
    let (started, start) = channel();
    let started = Mutex::new(started);
    thread::scope(|scope| {
        let call = scope.spawn(|| {
            policy.call_detached(move |attempt| {
                assert_eq!(attempt.time_left(), None);
                started.lock().expect("whole").send(()).expect("the receiver exists");
                operation(attempt)
            })
        });
        start.recv().expect("it starts");
        drop(held);
        assert!(call.join().expect("no panic").is_ok());
    });
}
