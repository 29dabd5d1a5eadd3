//! The event stream: one terminal event for each way a call can end, and the breaker's changes of
//! state.

use std::borrow::Cow;
use std::time::Duration;

use redress_core::breaker::{Breaker, CircuitState};
use redress_core::observe::AttemptDecision;
use redress_core::policy::RetryBuilder;
use redress_core::{
    Budget, Cause, CircuitBreaker, Classification, ErrorClass, Event, EventName, Retry, SleepDecision, StopReason,
    fixed,
};
use redress_testing::Recorder;

use crate::lab::{
    Answer, Context, Failed, GOOD, Steps, everywhere, failing, fails, script, secs, stopped, succeeding,
    wherever_time_is_virtual,
};

fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2)
}

/// What an event is expected to be. Fields that are not said are absent.
#[derive(Debug, PartialEq)]
struct Expected {
    name: EventName,
    attempt: u32,
    sleep: Duration,
    class: Option<ErrorClass>,
    stop_reason: Option<StopReason>,
    cause: Option<Cause>,
    state: Option<CircuitState>,
    error_type: Option<&'static str>,
    classification: Option<Cow<'static, Classification>>,
}

const fn event(name: EventName, attempt: u32) -> Expected {
    Expected {
        name,
        attempt,
        sleep: Duration::ZERO,
        class: None,
        stop_reason: None,
        cause: None,
        state: None,
        error_type: None,
        classification: None,
    }
}

/// An event about an error of this class that was just made.
fn failed(name: EventName, attempt: u32, class: ErrorClass) -> Expected {
    Expected {
        class: Some(class),
        cause: Some(Cause::Error),
        error_type: Some(std::any::type_name::<Failed>()),
        classification: Some(Cow::Owned(Classification::new(class))),
        ..event(name, attempt)
    }
}

/// The terminal event of a call that ends for this reason with an error of this class.
fn ends(reason: StopReason, attempt: u32, class: ErrorClass) -> Expected {
    Expected { stop_reason: Some(reason), ..failed(reason.event(), attempt, class) }
}

fn of_breaker(name: EventName, state: CircuitState, class: Option<ErrorClass>) -> Expected {
    Expected { state: Some(state), class, ..event(name, 0) }
}

#[track_caller]
fn check(recorder: &Recorder, expected: &[Expected]) {
    let heard = recorder.events().into_iter().map(|event: Event<'static>| Expected {
        name: event.name,
        attempt: event.attempt,
        sleep: event.delay,
        class: event.class,
        stop_reason: event.stop_reason,
        cause: event.cause,
        state: event.state,
        error_type: event.error_type,
        classification: event.classification,
    });
    assert_eq!(heard.collect::<Vec<_>>(), expected);
}

type Change = for<'a> fn(Context<'a>) -> Context<'a>;
const SAME: Change = |context| context;

#[test]
fn each_end_of_a_call_is_exactly_one_terminal_event() {
    use ErrorClass::{Auth, RateLimit, Transient, Unknown};
    let transient: fn() -> Steps = || failing(Transient);
    let retried = |class| failed(EventName::Retry, 1, class);
    type Row = (RetryBuilder, Change, fn() -> Steps, Vec<Expected>);
    let rows: [Row; 14] = [
        (retry(), SAME, succeeding, vec![event(EventName::Success, 1)]),
        (retry(), SAME, || script([fails(Transient), GOOD]), vec![retried(Transient), event(EventName::Success, 2)]),
        (retry(), SAME, transient, vec![retried(Transient), ends(StopReason::MaxAttempts, 2, Transient)]),
        (retry().max_retries_for(Transient, 0), SAME, transient, {
            vec![ends(StopReason::MaxAttemptsPerClass, 1, Transient)]
        }),
        (retry().strategy(fixed(secs(60))), SAME, transient, vec![ends(StopReason::DeadlineExceeded, 1, Transient)]),
        (retry().max_unknown_retries(0), SAME, || failing(Unknown), {
            vec![ends(StopReason::MaxUnknownAttempts, 1, Unknown)]
        }),
        (retry(), SAME, || failing(Auth), vec![ends(StopReason::NonRetryableClass, 1, Auth)]),
        (Retry::builder().strategy_for(RateLimit, fixed(Duration::ZERO)), SAME, transient, {
            vec![ends(StopReason::NoStrategy, 1, Transient)]
        }),
        (retry().budget(Budget::new(0, secs(1)).expect("valid")), SAME, transient, {
            vec![ends(StopReason::BudgetExhausted, 1, Transient)]
        }),
        (
            retry().strategy(fixed(secs(5))),
            |context| context.sleep_handler(|_, _| SleepDecision::Defer),
            transient,
            vec![
                Expected { sleep: secs(5), ..retried(Transient) },
                Expected { sleep: secs(5), ..ends(StopReason::Scheduled, 1, Transient) },
            ],
        ),
        (
            retry().strategy(fixed(secs(60))),
            |context| context.sleep_handler(|_, _| SleepDecision::Sleep),
            transient,
            vec![ends(StopReason::DeadlineExceeded, 1, Transient)],
        ),
        // An abort is not the failure's doing, so its event shows none.
        (retry(), |context| context.sleep_handler(|_, _| SleepDecision::Abort), transient, {
            let aborted = Expected { stop_reason: Some(StopReason::Aborted), ..event(EventName::Aborted, 1) };
            vec![retried(Transient), aborted]
        }),
        (retry(), SAME, || script([fails(Transient), Err(Failed::Abort)]), {
            let aborted = Expected { stop_reason: Some(StopReason::Aborted), ..event(EventName::Aborted, 2) };
            vec![retried(Transient), aborted]
        }),
        (retry(), |context| context.abort_if(|| true), succeeding, {
            vec![Expected { stop_reason: Some(StopReason::Aborted), ..event(EventName::Aborted, 0) }]
        }),
    ];
    let rows = rows.map(|(retry, change, steps, expected)| (retry.build().expect("valid"), change, steps, expected));
    everywhere(|lab| {
        for (retry, change, steps, expected) in &rows {
            let recorder = Recorder::new();
            let policy = lab.policy().retry(retry).observer(recorder.clone()).build();
            let ended = change(policy.context()).run(&steps());
            check(&recorder, expected);
            let terminal: Vec<_> = recorder.events().into_iter().filter(|event| event.name.is_terminal()).collect();
            assert_eq!(terminal.len(), 1);
            assert_eq!(terminal[0].stop_reason, ended.reason);
        }
    });
}

#[test]
fn a_call_that_stops_after_a_wait_shows_the_failure_before_it() {
    everywhere(|lab| {
        let recorder = Recorder::new();
        let policy = lab.policy().retry(retry()).observer(recorder.clone()).build();
        let context = policy.context().sleep_with(|_| lab.clock.advance(secs(60)));
        assert_eq!(context.run(&failing(ErrorClass::Transient)), stopped(StopReason::DeadlineExceeded, 1));
        let after_wait = Expected {
            class: Some(ErrorClass::Transient),
            stop_reason: Some(StopReason::DeadlineExceeded),
            cause: Some(Cause::Error),
            ..event(EventName::DeadlineExceeded, 1)
        };
        check(&recorder, &[failed(EventName::Retry, 1, ErrorClass::Transient), after_wait]);
        assert_eq!(recorder.decisions(), [AttemptDecision::Retry], "the attempt ended before the wait");
    });
}

/// resilience4j 978 and 1433: no events when a result, not an exception, was the failure.
#[test]
fn a_failing_value_has_no_error_type() {
    everywhere(|lab| {
        let recorder = Recorder::new();
        let policy = lab.policy().retry(retry()).observer(recorder.clone()).build();
        policy.run(&script([Ok(Answer::Bad(ErrorClass::Transient)), Ok(Answer::Bad(ErrorClass::Permanent))]));
        let of_value = |name, attempt, class| Expected {
            cause: Some(Cause::Result),
            error_type: None,
            ..failed(name, attempt, class)
        };
        let stop_reason = Some(StopReason::NonRetryableClass);
        let end = of_value(EventName::PermanentFail, 2, ErrorClass::Permanent);
        let retried = of_value(EventName::Retry, 1, ErrorClass::Transient);
        check(&recorder, &[retried, Expected { stop_reason, ..end }]);
    });
}

#[test]
fn a_hint_is_on_the_retry_event() {
    wherever_time_is_virtual(|lab| {
        let policy = lab.retrying(retry());
        let heard = std::sync::Mutex::new(Vec::new());
        let context = policy.context().on_metric(|event: &Event<'_>| {
            heard.lock().expect("whole").push((event.name, event.retry_after()));
        });
        context.run(&script([Err(Failed::Hinted(ErrorClass::RateLimit, secs(9))), GOOD]));
        let expected = [(EventName::Retry, Some(secs(9))), (EventName::Success, None)];
        assert_eq!(*heard.lock().expect("whole"), expected);
    });
}

#[test]
fn the_breakers_changes_of_state_are_events_around_the_calls() {
    everywhere(|lab| {
        let recorder = Recorder::new();
        let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(secs(30));
        let policy = lab.policy().circuit_breaker(breaker).observer(recorder.clone()).build();
        let transient = ErrorClass::Transient;
        let max_attempts = |class| ends(StopReason::MaxAttempts, 1, class);
        let opened = || of_breaker(EventName::CircuitOpened, CircuitState::Open, Some(transient));
        let half_open = || of_breaker(EventName::CircuitHalfOpen, CircuitState::HalfOpen, None);
        let closed = |class| of_breaker(EventName::CircuitClosed, CircuitState::Closed, class);
        let heard = |expected: &[Expected]| {
            check(&recorder, expected);
            recorder.clear();
        };

        policy.run(&failing(transient));
        heard(&[max_attempts(transient), opened()]);
        policy.run(&succeeding());
        let rejected = of_breaker(EventName::CircuitRejected, CircuitState::Open, None);
        heard(&[Expected { stop_reason: Some(StopReason::CircuitOpen), ..rejected }]);
        lab.clock.advance(secs(30));
        policy.run(&failing(transient));
        heard(&[half_open(), max_attempts(transient), opened()]);
        lab.clock.advance(secs(30));
        policy.run(&failing(ErrorClass::RateLimit));
        heard(&[half_open(), max_attempts(ErrorClass::RateLimit), closed(Some(ErrorClass::RateLimit))]);
        policy.run(&failing(transient));
        recorder.clear();
        lab.clock.advance(secs(30));
        policy.run(&succeeding());
        heard(&[half_open(), event(EventName::Success, 1), closed(None)]);
    });
}

#[test]
fn events_of_a_call_say_when_and_all_of_them_which_breaker() {
    wherever_time_is_virtual(|lab| {
        let recorder = Recorder::new();
        let breaker = CircuitBreaker::builder().name("orders-db").failure_threshold(1).recovery_timeout(secs(30));
        let retry = Retry::builder().strategy(fixed(secs(2))).max_attempts(2);
        let policy = lab.policy().retry(retry).circuit_breaker(breaker).observer(recorder.clone()).build();
        policy.run(&failing(ErrorClass::Transient));
        policy.run(&succeeding());
        lab.clock.advance(secs(30));
        policy.run(&succeeding());
        let heard = recorder.events();
        let heard: Vec<_> = heard
            .iter()
            .inspect(|event| assert_eq!(event.breaker.as_deref(), Some("orders-db"), "{event:?}"))
            .map(|event| (event.name, event.elapsed.map(|at| at.as_secs()), event.open_for.map(|time| time.as_secs())))
            .collect();
        let of_breaker = |name| (name, None, None);
        let expected = [
            (EventName::Retry, Some(0), None),
            (EventName::MaxAttemptsExceeded, Some(2), None),
            (EventName::CircuitOpened, None, Some(30)),
            of_breaker(EventName::CircuitRejected),
            of_breaker(EventName::CircuitHalfOpen),
            (EventName::Success, Some(0), None),
            of_breaker(EventName::CircuitClosed),
        ];
        assert_eq!(heard, expected);
    });
}

#[test]
fn a_breakers_name_is_its_builders() {
    let named = CircuitBreaker::builder().name(String::from("orders-db")).build().expect("valid");
    assert_eq!((named.name(), Breaker::name(&named)), (Some("orders-db"), Some("orders-db")));
    assert_eq!(format!("{named:?}"), r#"CircuitBreaker { name: "orders-db", state: Closed, .. }"#);
    assert_eq!(CircuitBreaker::builder().build().expect("valid").name(), None);
}
