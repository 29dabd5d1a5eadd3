//! Defects of what surrounds a call: hooks that change it, limits that mean something else, and
//! ends that do not say why.

use std::error::Error;
use std::fmt;
use std::panic::resume_unwind;

use redress_core::driver::NoTimer;
use redress_core::observe::AttemptDecision;
use redress_core::policy::RetryBuilder;
use redress_core::{
    AsyncPolicy, Cause, Classification, Classifier, ErrorClass, EventName, Policy, Retry, StopReason, fixed,
};
use redress_testing::{Recorder, VirtualClock};

use crate::lab::{
    Answer, Attempted, ByClass, Counter, Failed, GOOD, everywhere, failing, fails, ok_after, on_every_driver, script,
    secs, stopped, succeeding,
};

fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(secs(0))).max_attempts(3)
}

/// As a panic, without its message.
fn explode() -> ! {
    resume_unwind(Box::new("in a hook"))
}

/// redress-py R2: an `on_attempt_end` hook that raises after a success runs the operation a second
/// time and reports success with 2 attempts. resilience4j 228.
///
/// Attacks R1, R3.
#[test]
fn a_hook_that_panics_after_a_success_does_not_run_the_operation_again() {
    everywhere(|lab| {
        let policy = lab.retrying(retry());
        let contexts = [
            policy.context().on_attempt_end(|_| explode()),
            policy.context().on_attempt_start(|_| explode()),
            policy.context().on_metric(|_| explode()),
            policy.context().on_log(|_| explode()),
        ];
        for context in contexts {
            assert_eq!(context.run(&succeeding()), ok_after(1));
            assert_eq!(context.run(&script([fails(ErrorClass::Transient), GOOD])), ok_after(2));
        }
    });
}

/// Counts the results it classifies.
struct Counting(Counter);

impl Classifier<Answer, Failed> for Counting {
    fn classify(&self, result: &Attempted) -> Option<Classification> {
        self.0.note();
        ByClass.classify(result)
    }
}

/// Stands for redress-py's R11, double classification: of two readings of one failure the second
/// may be another.
#[test]
fn an_attempt_is_classified_once() {
    let (clock, asked) = (VirtualClock::new(), Counter::default());
    let steps = || script([fails(ErrorClass::Transient), Ok(Answer::Bad(ErrorClass::ServerError)), GOOD]);
    let all = |counted: u32| assert_eq!(asked.get(), counted, "once for each attempt");
    let breaker = redress_core::CircuitBreaker::builder;

    let policy = Policy::builder().retry(retry()).circuit_breaker(breaker()).observer(Recorder::new());
    let policy = policy.classifier(Counting(asked.clone())).build().expect("valid");
    assert!(policy.call(steps().run()).is_ok());
    all(3);
    assert!(policy.context().capture_timeline().execute(steps().run()).is_ok());
    all(6);
    assert!(policy.call(failing(ErrorClass::Transient).run()).is_err());
    all(9);

    let policy = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).retry(retry()).circuit_breaker(breaker());
    let policy = policy.observer(Recorder::new()).classifier(Counting(asked.clone())).build().expect("valid");
    assert!(clock.block_on(policy.call(steps().run_async())).is_ok());
    all(12);
    assert!(clock.block_on(policy.context().capture_timeline().execute(steps().run_async())).is_ok());
    all(15);
    assert!(clock.block_on(policy.call(failing(ErrorClass::Transient).run_async())).is_err());
    all(18);
}

/// Stands for redress-py's R8, limit wording: `max_unknown_attempts=2` allows three attempts. Here
/// the name says which of the two it counts.
///
/// Attacks R1.
#[test]
fn the_limits_count_what_their_names_say() {
    everywhere(|lab| {
        for limit in 0..4 {
            let attempts = limit as usize;
            let wide = || retry().max_attempts(9);
            let policy = lab.retrying(wide().max_unknown_retries(limit));
            let unknown = stopped(StopReason::MaxUnknownAttempts, attempts + 1);
            assert_eq!(policy.run(&failing(ErrorClass::Unknown)), unknown, "{limit} retries");
            let policy = lab.retrying(wide().max_retries_for(ErrorClass::Transient, limit));
            let of_class = stopped(StopReason::MaxAttemptsPerClass, attempts + 1);
            assert_eq!(policy.run(&failing(ErrorClass::Transient)), of_class, "{limit} retries");
            let policy = lab.retrying(wide().max_attempts(limit + 1));
            let global = stopped(StopReason::MaxAttempts, attempts + 1);
            assert_eq!(policy.run(&failing(ErrorClass::Transient)), global, "{} attempts", limit + 1);
        }
    });
}

const SECRET: &str = "user 4711 of tenant 42";

/// An error whose text is different every time.
#[derive(Debug)]
struct Chatty;

impl fmt::Display for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SECRET)
    }
}

impl Error for Chatty {}

/// tidb 68351: the text of an error became a label of a metric. Stands for redress-py's R6 and R7,
/// telemetry.
#[test]
fn events_carry_no_text_of_the_error() {
    let recorder = Recorder::new();
    let policy = Policy::builder().retry(retry().max_unknown_retries(1)).observer(recorder.clone());
    let policy = policy.build().expect("valid");
    let outcome = policy.operation("lookup").capture_timeline().execute(|| Err::<(), _>(Chatty));
    assert_eq!(recorder.event_names(), [EventName::Retry, EventName::MaxUnknownAttemptsExceeded]);
    let told = format!("{:?}{:?}{:?}", recorder.events(), recorder.attempts(), outcome.timeline());
    assert!(!told.contains(SECRET), "{told}");
    assert!(recorder.events().iter().all(|event| event.error_type.is_some_and(|name| name.ends_with("Chatty"))));
}

/// Stands for redress-py's R6 and R7, telemetry: hooks and events do not depend on which way a call
/// is made.
///
/// Attacks R3.
#[test]
fn call_and_execute_tell_the_same() {
    on_every_driver(|lab| {
        let calls = [
            || script([GOOD]),
            || script([fails(ErrorClass::Transient), GOOD]),
            || script([fails(ErrorClass::Auth)]),
            || script([fails(ErrorClass::Transient), Err(Failed::Abort)]),
            || {
                script([
                    Ok(Answer::Bad(ErrorClass::Transient)),
                    fails(ErrorClass::Unknown),
                    fails(ErrorClass::RateLimit),
                ])
            },
        ];
        for steps in calls {
            let recorder = Recorder::new();
            let policy = lab.policy().retry(retry()).observer(recorder.clone()).build();
            let _ = policy.call(&steps());
            let of_call = (recorder.events(), recorder.attempts());
            recorder.clear();
            let _ = policy.execute(&steps());
            assert_eq!((recorder.events(), recorder.attempts()), of_call);
            assert_eq!(of_call.0.iter().filter(|event| event.name.is_terminal()).count(), 1);
        }
    });
}

/// resilience4j 978 and 1433: no events when a result, not an exception, was the failure.
#[test]
fn a_failing_value_has_the_events_of_an_error() {
    on_every_driver(|lab| {
        let told = |failure: Attempted| {
            let recorder = Recorder::new();
            let policy = lab.policy().retry(retry()).observer(recorder.clone()).build();
            policy.run(&script([failure.clone(), failure, GOOD]));
            let causes: Vec<_> = recorder.events().iter().map(|event| event.cause).collect();
            (recorder.event_names(), recorder.decisions(), causes)
        };
        let (names, decisions, causes) = told(fails(ErrorClass::Transient));
        assert_eq!(names, [EventName::Retry, EventName::Retry, EventName::Success]);
        assert_eq!(decisions, [AttemptDecision::Retry, AttemptDecision::Retry, AttemptDecision::Success]);
        assert_eq!(causes, [Some(Cause::Error), Some(Cause::Error), None]);
        let of_value = (names, decisions, vec![Some(Cause::Result), Some(Cause::Result), None]);
        assert_eq!(told(Ok(Answer::Bad(ErrorClass::Transient))), of_value);
    });
}

/// backon 242, ihrwein/backoff 63, reqwest-middleware 159: the caller cannot see whether a success
/// took retries, or why a call stopped.
#[test]
fn an_outcome_says_whether_it_took_retries_and_why_it_stopped() {
    on_every_driver(|lab| {
        let policy = lab.retrying(retry());
        let outcome = policy.execute(&script([fails(ErrorClass::Transient), GOOD]));
        assert_eq!((outcome.is_ok(), outcome.attempts(), outcome.stop_reason()), (true, 2, None));
        let outcome = policy.execute(&failing(ErrorClass::RateLimit));
        assert_eq!((outcome.attempts(), outcome.stop_reason()), (3, Some(StopReason::MaxAttempts)));
        assert_eq!((outcome.last_class(), outcome.cause()), (Some(ErrorClass::RateLimit), Some(Cause::Error)));
    });
}

/// tower 794 and tenacity 24: the error comes back in a wrapper, or without its type.
#[test]
fn the_error_comes_back_as_it_was() {
    on_every_driver(|lab| {
        let policy = lab.retrying(retry());
        let error = policy.call(&failing(ErrorClass::Transient)).expect_err("it fails");
        assert_eq!(error.source().and_then(|source| source.downcast_ref()), Some(&Failed::Of(ErrorClass::Transient)));
        assert_eq!(error.into_error(), Some(Failed::Of(ErrorClass::Transient)));
    });
}
