//! Assertions that hold, and the messages of those that fail.

use std::io;
use std::panic::{AssertUnwindSafe, set_hook, take_hook};
use std::sync::{Arc, Mutex};
use std::thread;

use redress_core::{Cause, ErrorClass, EventName, Policy, Retry, RetryOutcome, RetryTimeline, StopReason, fixed};
use redress_testing::{
    BreakerDecision, FakeCircuitBreaker, OutcomeAssertion, Script, VirtualClock, assert_outcome, assert_timeline,
};

use crate::{panic_message, reset, secs};

fn policy(clock: &VirtualClock) -> Policy {
    Policy::builder()
        .retry(Retry::builder().strategy(fixed(secs(2))).max_attempts(3))
        .clock(clock.clone())
        .sleep_with(clock.sleeper())
        .build()
        .expect("a valid configuration")
}

fn failed() -> RetryOutcome<u32, io::Error> {
    let script = Script::new().forever(|| Err(reset()));
    policy(&VirtualClock::new()).context().capture_timeline().execute(script.run())
}

fn succeeded() -> RetryOutcome<u32, io::Error> {
    let script = Script::new().err(reset()).ok(7);
    policy(&VirtualClock::new()).context().capture_timeline().execute(script.run())
}

type Assertion<'a> = OutcomeAssertion<'a, u32, io::Error>;

fn complaint(outcome: &RetryOutcome<u32, io::Error>, assert: impl FnOnce(Assertion<'_>) -> Assertion<'_>) -> String {
    panic_message(AssertUnwindSafe(|| {
        assert(assert_outcome(outcome));
    }))
}

/// Returns the lines with the expected and actual values.
fn difference(message: &str) -> [&str; 3] {
    let lines: Vec<_> = message.lines().map(str::trim).collect();
    [lines[0], lines[1], lines[2]]
}

#[test]
fn what_holds_is_silent() {
    assert_outcome(&failed())
        .stopped_for(StopReason::MaxAttempts)
        .after_attempts(3)
        .with_class(ErrorClass::Transient)
        .with_cause(Cause::Error)
        .in_time(secs(4))
        .within(secs(4))
        .has_events([EventName::Retry, EventName::Retry, EventName::MaxAttemptsExceeded])
        .has_sleeps([secs(2), secs(2)])
        .timeline()
        .has_times([secs(0), secs(2), secs(4)]);
    assert_outcome(&succeeded()).is_ok().has_value(7).has_events([EventName::Retry, EventName::Success]);
}

#[test]
fn a_complaint_shows_the_difference_the_outcome_and_the_timeline() {
    let message = complaint(&failed(), |it| it.stopped_for(StopReason::DeadlineExceeded));
    assert_eq!(
        message,
        "the outcome's stop reason is not as expected
  expected: Some(DeadlineExceeded)
    actual: Some(MaxAttempts)
   outcome: stopped for MaxAttempts, attempts: 3, elapsed: 4s, last class: Transient, cause: Error
  timeline:
        0.000s  #1 retry TRANSIENT (exception) wait 2.000s
        2.000s  #2 retry TRANSIENT (exception) wait 2.000s
        4.000s  #3 max_attempts_exceeded TRANSIENT (exception) -> MAX_ATTEMPTS_GLOBAL"
    );
}

#[test]
fn every_assertion_names_its_subject() {
    let (failed, succeeded) = (failed(), succeeded());
    let complaints = [
        (complaint(&failed, |it| it.is_ok()), "stop reason is", "None", "Some(MaxAttempts)"),
        (complaint(&failed, |it| it.has_value(7)), "value is", "Some(7)", "None"),
        (complaint(&succeeded, |it| it.has_value(8)), "value is", "Some(8)", "Some(7)"),
        (complaint(&succeeded, |it| it.stopped_for(StopReason::Aborted)), "stop reason is", "Some(Aborted)", "None"),
        (complaint(&failed, |it| it.after_attempts(2)), "number of attempts is", "2", "3"),
        (complaint(&failed, |it| it.with_class(ErrorClass::Auth)), "last class is", "Some(Auth)", "Some(Transient)"),
        (complaint(&failed, |it| it.with_cause(Cause::Timeout)), "cause is", "Some(Timeout)", "Some(Error)"),
        (complaint(&failed, |it| it.in_time(secs(5))), "elapsed time is", "5s", "4s"),
        (complaint(&failed, |it| it.within(secs(3))), "elapsed time is", "at most 3s", "4s"),
        (complaint(&failed, |it| it.deferred_for(secs(1))), "next delay is", "Some(1s)", "None"),
    ];
    for (message, subject, expected, actual) in &complaints {
        let header = format!("the outcome's {subject} not as expected");
        assert_eq!(
            difference(message),
            [&*header, &format!("expected: {expected}"), &format!("actual: {actual}")],
            "{message}"
        );
        assert!(message.contains("#1 retry TRANSIENT"), "{message}");
    }
}

#[test]
fn a_timeline_complaint_shows_the_timeline() {
    let outcome = failed();
    let message = complaint(&outcome, |it| it.has_events([EventName::Success]));
    assert_eq!(
        difference(&message),
        [
            "the timeline's events are not as expected",
            "expected: [Success]",
            "actual: [Retry, Retry, MaxAttemptsExceeded]"
        ]
    );
    assert!(message.contains("#3 max_attempts_exceeded"), "{message}");
    let message = complaint(&outcome, |it| it.has_sleeps([secs(1)]));
    assert_eq!(
        difference(&message),
        ["the timeline's delays are not as expected", "expected: [1s]", "actual: [2s, 2s]"]
    );
    let message = panic_message(AssertUnwindSafe(|| {
        assert_outcome(&outcome).timeline().has_times([]);
    }));
    assert_eq!(
        difference(&message),
        ["the timeline's times are not as expected", "expected: []", "actual: [0ns, 2s, 4s]"]
    );
}

#[test]
fn a_timeline_of_several_calls_is_asserted_by_itself() {
    let timeline = RetryTimeline::new();
    let message = panic_message(AssertUnwindSafe(|| {
        assert_timeline(&timeline).has_events([EventName::Success]);
    }));
    assert!(message.ends_with("timeline: no events"), "{message}");

    let policy = policy(&VirtualClock::new());
    let context = policy.context().capture_timeline_into(&timeline);
    let script = Script::<_, io::Error>::new().ok(1).ok(2);
    assert!(context.call(script.run()).is_ok() && context.call(script.run()).is_ok());
    assert_timeline(&timeline).has_events([EventName::Success, EventName::Success]).has_sleeps([]);
}

#[test]
fn a_complaint_without_a_timeline_says_how_to_get_one() {
    let outcome = policy(&VirtualClock::new()).execute(Script::new().ok(7).run());
    let message = complaint(&outcome, |it| it.after_attempts(9));
    assert!(message.contains("outcome: success, attempts: 1, elapsed: 0ns\n"), "{message}");
    assert!(message.contains("timeline: not captured; make the call through `policy.context().capture_timeline()`"));
    let message = complaint(&outcome, |it| it.has_events([]));
    assert!(message.starts_with("the outcome has no timeline\n   outcome: success"), "{message}");
    assert!(message.contains("capture_timeline()"), "{message}");
}

#[test]
fn a_complaint_about_a_rejected_call_shows_the_rejection() {
    let breaker = FakeCircuitBreaker::new().otherwise(BreakerDecision::reject_for(secs(30)));
    let policy = Policy::builder().circuit_breaker(Arc::new(breaker)).build().expect("a valid configuration");
    let message = complaint(&policy.execute(Script::new().run()), |it| it.is_ok());
    assert!(message.contains("circuit breaker is open, next probe in 30s"), "{message}");
}

#[test]
fn a_complaint_points_at_the_test() {
    let outcome = failed();
    let files = Arc::new(Mutex::new(Vec::new()));
    record_panics_of_this_thread(&files);
    let assertions: [fn(Assertion<'_>) -> Assertion<'_>; 4] = [
        |it| it.is_ok(),
        |it| it.has_value(7),
        |it| it.has_events([]),
        |it| {
            it.timeline().has_times([]);
            it
        },
    ];
    for assertion in assertions {
        complaint(&outcome, assertion);
    }
    // Restores the default hook.
    drop(take_hook());
    let files = files.lock().expect("no panic while it is held");
    assert_eq!(files.len(), 4);
    assert!(files.iter().all(|file| file.ends_with("it/assertions.rs")), "{files:?}");
}

/// Tests run in parallel, so panics of other threads still go to the default hook.
fn record_panics_of_this_thread(files: &Arc<Mutex<Vec<String>>>) {
    let (files, this_thread, previous) = (Arc::clone(files), thread::current().id(), take_hook());
    set_hook(Box::new(move |panic| match panic.location() {
        Some(location) if thread::current().id() == this_thread => {
            files.lock().expect("no panic while it is held").push(location.file().to_owned());
        }
        _ => previous(panic),
    }));
}
