//! Calls within calls: retries that multiply are counted, told of, or left to one of the calls.

use std::cell::Cell;
use std::io::{Error, ErrorKind};
use std::sync::Mutex;
use std::time::Duration;

use redress_core::classify::DefaultClassifier;
use redress_core::driver::Frame;
use redress_core::error::ConfigIssue;
use redress_core::observe::Nesting;
use redress_core::policy::{Blocking, Nested, PolicyBuilder};
use redress_core::{
    CallError, CircuitBreaker, Classification, ErrorClass, Event, EventName, Policy, Retry, RetryOutcome,
    SleepDecision, StopReason, fixed,
};
use redress_testing::{Recorder, VirtualClock};

type Builder = PolicyBuilder<DefaultClassifier, Blocking>;

fn attempts(number: u32) -> Builder {
    Policy::builder().retry(Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(number))
}

fn reset() -> Error {
    ErrorKind::ConnectionReset.into()
}

/// Runs an operation that always fails through both policies, one within the other. Returns the
/// outcome of the outer call, and how often the operation ran.
fn through(outer: &Policy, inner: &Policy) -> (RetryOutcome<(), CallError<Error>>, u32) {
    let ran = Cell::new(0);
    let outcome = outer.execute(|| {
        inner.call(|| {
            ran.set(ran.get() + 1);
            Err::<(), _>(reset())
        })
    });
    (outcome, ran.get())
}

#[test]
fn one_of_two_calls_that_may_retry_does() {
    // Each row: what the two policies say, and how often the operation runs.
    let rows = [
        (None, None, 12),
        (None, Some(Nested::RetryOutermost), 12),
        (Some(Nested::Warn), None, 12),
        (Some(Nested::Allow), Some(Nested::Allow), 12),
        (Some(Nested::Warn), Some(Nested::Warn), 12),
        (Some(Nested::RetryOutermost), Some(Nested::RetryOutermost), 4),
        (Some(Nested::Allow), Some(Nested::RetryOutermost), 4),
        (Some(Nested::RetryInnermost), Some(Nested::RetryInnermost), 3),
        (Some(Nested::RetryInnermost), Some(Nested::Allow), 3),
        // Each leaves the retries to the other: the outer one has, when the inner one begins.
        (Some(Nested::RetryInnermost), Some(Nested::RetryOutermost), 3),
        // Each retries: the inner one does not know that the outer one is there to leave them to.
        (Some(Nested::RetryOutermost), Some(Nested::RetryInnermost), 12),
    ];
    for (outer, inner, expected) in rows {
        let build = |number, nested: Option<Nested>| {
            nested.map_or_else(|| attempts(number), |nested| attempts(number).nested(nested)).build().expect("valid")
        };
        let (outcome, ran) = through(&build(4, outer), &build(3, inner));
        assert_eq!(ran, expected, "{outer:?} around {inner:?}");
        assert!(!outcome.is_ok());
    }
}

#[test]
fn a_call_that_makes_one_attempt_leaves_the_retries_where_they_are() {
    for nested in [Nested::RetryOutermost, Nested::RetryInnermost] {
        for (outer, inner, expected) in [(1, 3, 3), (4, 1, 4), (1, 1, 1)] {
            let build = |number| attempts(number).nested(nested).build().expect("valid");
            assert_eq!(through(&build(outer), &build(inner)).1, expected, "{nested}: {outer} around {inner}");
        }
    }
}

#[test]
fn of_three_calls_one_retries_and_the_one_between_passes_it_on() {
    for (nested, middle, expected) in [
        (Nested::RetryOutermost, 3, 4),
        (Nested::RetryOutermost, 1, 4),
        (Nested::RetryInnermost, 3, 2),
        (Nested::RetryInnermost, 1, 2),
        (Nested::Warn, 3, 24),
    ] {
        let [outer, middle, inner] =
            [4, middle, 2].map(|number| attempts(number).nested(nested).build().expect("valid"));
        let ran = Cell::new(0);
        let operation = || {
            ran.set(ran.get() + 1);
            Err::<(), _>(reset())
        };
        assert!(outer.call(|| middle.call(|| inner.call(operation))).is_err());
        assert_eq!(ran.get(), expected, "{nested}");
    }
}

#[test]
fn the_call_that_leaves_retries_to_another_says_so() {
    let recorder = Recorder::new();
    let build = |number, nested| attempts(number).nested(nested).observer(recorder.clone()).build().expect("valid");
    let inner = build(3, Nested::RetryOutermost);
    let outer = attempts(1 + 1).nested(Nested::Allow).build().expect("valid");
    let reasons = Mutex::new(Vec::new());
    let _ = outer.call(|| {
        let outcome = inner.execute(|| Err::<(), _>(reset()));
        reasons.lock().expect("whole").push((outcome.stop_reason(), outcome.attempts()));
        outcome.into_result()
    });
    assert_eq!(reasons.into_inner().expect("whole"), [(Some(StopReason::MaxAttempts), 1); 2]);

    let (outcome, ran) = through(&build(4, Nested::RetryInnermost), &build(3, Nested::Allow));
    assert_eq!((outcome.stop_reason(), outcome.attempts(), ran), (Some(StopReason::RetryForbidden), 1, 3));
    assert_eq!(outcome.retry_forbidden(), Some("retried_inside"));
}

#[test]
fn a_failure_that_forbids_its_retry_keeps_its_reason() {
    let forbids = |result: &Result<(), CallError<Error>>| {
        result.is_err().then(|| Classification::new(ErrorClass::Transient).forbid_retry("body"))
    };
    let outer = attempts(4).nested(Nested::RetryInnermost).classifier(forbids).build().expect("valid");
    let inner = attempts(3).nested(Nested::Warn).build().expect("valid");
    let outcome = outer.execute(|| inner.call(|| Err::<(), _>(reset())));
    assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (1, Some("body")));
}

#[test]
fn a_timeline_has_the_steps_of_its_call_alone() {
    let outer = attempts(4).nested(Nested::Warn).build().expect("valid");
    let recorder = Recorder::new();
    let inner = attempts(3).nested(Nested::Warn).observer(recorder.clone()).capture_timeline().build().expect("valid");
    let inside = outer.call(|| Ok::<_, Error>(inner.execute(|| Ok::<_, Error>(()))));
    let timeline = inside.expect("a success").timeline().expect("captured").events();
    assert_eq!(timeline.iter().map(|entry| entry.event).collect::<Vec<_>>(), [EventName::Success]);
    assert_eq!(recorder.event_names(), [EventName::Nested, EventName::Success]);
}

#[test]
fn a_failure_without_a_retrying_call_inside_is_retried() {
    let outer = attempts(4).nested(Nested::RetryInnermost).build().expect("valid");
    let inner = attempts(3).nested(Nested::Warn).build().expect("valid");
    let ran = Cell::new(0);
    let outcome = outer.execute(|| {
        ran.set(ran.get() + 1);
        if ran.get() == 3 {
            // Succeeds, but may have retried.
            let _ = inner.call(|| Ok::<_, Error>(()));
        }
        Err::<(), _>(reset())
    });
    assert_eq!((outcome.attempts(), outcome.stop_reason()), (3, Some(StopReason::RetryForbidden)));
}

#[test]
fn retries_that_multiply_are_told_of_once_for_each_name() {
    let recorder = Recorder::new();
    let outer = attempts(4).nested(Nested::Warn).observer(recorder.clone()).build().expect("valid");
    let inner = attempts(3).name("db").nested(Nested::Warn).observer(recorder.clone()).build().expect("valid");
    for _ in 0..2 {
        for name in ["read", "write", ""] {
            let _ = outer.operation("handle").call(|| inner.operation(name).call(|| Ok::<_, Error>(())));
        }
        let _ = inner.operation("outermost").call(|| Ok::<_, Error>(()));
    }
    let told: Vec<Event<'_>> = recorder.events().into_iter().filter(|event| event.name == EventName::Nested).collect();
    let names: Vec<_> = told.iter().map(|event| event.operation.as_deref()).collect();
    assert_eq!(names, [Some("read"), Some("write"), None]);
    for event in told {
        assert_eq!(event.nesting, Some(Nesting::new(2, 12)));
        assert_eq!((event.policy.as_deref(), event.attempt, event.outcome()), (Some("db"), 0, None));
        assert_eq!((event.elapsed, event.stop_reason, event.class), (None, None, None));
    }
}

#[test]
fn the_memory_for_names_has_a_bound() {
    let recorder = Recorder::new();
    let outer = attempts(2).nested(Nested::Warn).build().expect("valid");
    let inner = attempts(2).nested(Nested::Warn).observer(recorder.clone()).build().expect("valid");
    for _ in 0..2 {
        for id in 0..100 {
            let _ = outer.call(|| inner.operation(format!("/orders/{id}")).call(|| Ok::<_, Error>(())));
        }
    }
    let told = recorder.events().into_iter().filter(|event| event.name == EventName::Nested).count();
    assert_eq!(told, 32);
}

#[test]
fn what_is_allowed_unheard_or_single_is_told_of_as_it_is() {
    let told = |outer: Builder, inner: Builder| {
        let recorder = Recorder::new();
        let (outer, inner) = (outer.build().expect("valid"), inner.observer(recorder.clone()).build().expect("valid"));
        let _ = through(&outer, &inner);
        recorder.events().into_iter().find_map(|event| event.nesting)
    };
    let with = |number, nested| attempts(number).nested(nested);
    let warned = with(4, Nested::Warn);
    assert_eq!(told(warned, with(3, Nested::Allow)), None);
    assert_eq!(told(with(4, Nested::Allow), with(3, Nested::Warn)), Some(Nesting::new(2, 12)));
    assert_eq!(told(with(4, Nested::Warn), with(3, Nested::RetryOutermost)), Some(Nesting::new(2, 4)));
    assert_eq!(told(with(1, Nested::Warn), with(3, Nested::Warn)), None, "one of them makes one attempt");
    assert_eq!(told(with(4, Nested::Warn), with(1, Nested::Warn)), None);
    assert_eq!(told(with(4, Nested::RetryInnermost), with(3, Nested::RetryInnermost)), None, "nothing multiplies");

    let recorder = Recorder::new();
    let outer = with(u32::MAX, Nested::Warn).build().expect("valid");
    let inner = with(3, Nested::Warn).observer(recorder.clone()).build().expect("valid");
    assert!(outer.call(|| inner.call(|| Ok::<_, Error>(()))).is_ok());
    assert_eq!(recorder.events().first().and_then(|event| event.nesting), Some(Nesting::new(2, u32::MAX)));

    // A call that is not heard does not use up the name.
    let recorder = Recorder::new();
    let (outer, inner) = (with(4, Nested::Warn).build().expect("valid"), with(3, Nested::Warn).build().expect("valid"));
    let _ = through(&outer, &inner);
    let heard = inner.context().observer(recorder.clone());
    let _ = outer.call(|| heard.call(|| Ok::<_, Error>(())));
    assert_eq!(recorder.events().first().map(|event| event.name), Some(EventName::Nested));
}

#[test]
fn a_call_that_its_breaker_rejects_is_within_the_other_one_too() {
    let breaker = CircuitBreaker::builder().failure_threshold(1).build().expect("valid");
    let outer = attempts(4).nested(Nested::RetryInnermost).build().expect("valid");
    let inner = attempts(3).nested(Nested::Warn).circuit_breaker(breaker).build().expect("valid");
    let _ = inner.call(|| Err::<(), _>(reset()));
    let (outcome, ran) = through(&outer, &inner);
    assert_eq!((outcome.attempts(), ran), (1, 0));
}

#[test]
fn a_resumed_call_that_leaves_retries_to_another_makes_its_attempt() {
    let clock = VirtualClock::new();
    let inner = attempts(3).nested(Nested::RetryOutermost).clock(clock.clone()).build().expect("valid");
    let deferred = inner.context().sleep_handler(|_, _| SleepDecision::Defer).execute(|| Err::<(), _>(reset()));
    let token = deferred.resume_token().expect("deferred");
    let outer = attempts(2).nested(Nested::Warn).build().expect("valid");
    let ran = Cell::new(0);
    let _ = outer.call(|| {
        inner.resume(token).call(|| {
            ran.set(ran.get() + 1);
            Err::<(), _>(reset())
        })
    });
    assert_eq!(ran.get(), 2, "one for each attempt of the outer call");
}

#[test]
fn the_setting_is_a_field_and_has_words() {
    for nested in Nested::ALL {
        let policy = attempts(2).nested(*nested).ignore_inherited_deadline().build().expect("valid");
        let spec = policy.spec();
        assert_eq!((spec.nested, spec.ignore_inherited_deadline), (Some(*nested), true));
        assert_eq!(Policy::from_spec(spec.clone()).build().expect("valid").spec(), spec);
        assert!(policy.warnings().is_empty());
        let text = spec.to_string();
        assert!(text.contains("\n  within other calls: "), "{text}");
        assert!(text.contains(", inherits no deadline\n"), "{text}");
    }
    assert_eq!(
        Nested::ALL.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["allow", "warn", "retry_outermost", "retry_innermost"]
    );
    assert_eq!(Nested::default(), Nested::Warn);
    let text = attempts(2).nested(Nested::Warn).build().expect("valid").spec().to_string();
    assert!(
        text.contains("\n  within other calls: retries as well, with a warning, inherits the deadline\n"),
        "{text}"
    );

    let unused = attempts(2).ignore_inherited_deadline().build().expect("valid");
    let fields: Vec<_> = unused.warnings().iter().map(ConfigIssue::field).collect();
    assert_eq!(fields, ["policy.ignore_inherited_deadline"]);
    assert!(!attempts(2).build().expect("valid").spec().to_string().contains("within other calls"));
}

#[test]
fn a_policy_without_the_setting_is_no_call_around_another() {
    let plain = attempts(2).build().expect("valid");
    let seen = plain.call(|| Ok::<_, Error>(Frame::current().depth()));
    assert_eq!(seen.expect("a success"), 0);
}
