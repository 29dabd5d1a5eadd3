//! Breadcrumbs and events of calls and breakers.

use std::future::{Future, pending};
use std::pin::pin;
use std::task::{Context, Waker};

use redress_core::driver::NoTimer;
use redress_core::error::AbortRetryError;
use redress_core::{AsyncPolicy, ErrorClass, Policy, SleepDecision};
use redress_sentry::SentryObserver;
use redress_testing::VirtualClock;
use sentry::protocol::{Breadcrumb, Context as Contents, Event, Value};
use sentry::test::with_captured_events;
use sentry::{Level, capture_message};
use serde_json::json;

use crate::policies::{fail, fragile, policy, reset};

fn breadcrumbs(event: &Event<'_>) -> Vec<Breadcrumb> {
    event.breadcrumbs.iter().cloned().collect()
}

/// The event's name and level of each breadcrumb that `calls` leaves. Nothing is captured.
fn left_by(calls: impl FnOnce()) -> Vec<(String, Level)> {
    let events = with_captured_events(|| {
        calls();
        capture_message("the end", Level::Info);
    });
    assert_eq!(events.len(), 1, "{events:?}");
    breadcrumbs(&events[0]).into_iter().map(|left| (left.message.unwrap(), left.level)).collect()
}

fn data(breadcrumb: &Breadcrumb) -> Value {
    serde_json::to_value(&breadcrumb.data).unwrap()
}

#[test]
fn a_failed_call_is_captured_with_the_breadcrumbs_of_its_retries() {
    let events = with_captured_events(|| fail(&policy(SentryObserver::new()), "load"));
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!(event.message.as_deref(), Some("load failed: the attempts allowed were used up"));
    assert_eq!((event.level, event.logger.as_deref()), (Level::Error, Some("redress")));
    let tags: Vec<(&str, &str)> = event.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(
        tags,
        [
            ("redress.class", "TRANSIENT"),
            ("redress.detail", "ConnectionReset"),
            ("redress.event", "max_attempts_exceeded"),
            ("redress.operation", "load"),
            ("redress.policy", "orders"),
            ("redress.stop_reason", "MAX_ATTEMPTS_GLOBAL"),
        ]
    );
    let Some(Contents::Other(context)) = event.contexts.get("redress") else { panic!("{:?}", event.contexts) };
    assert_eq!(
        serde_json::to_value(context).unwrap(),
        json!({
            "event": "max_attempts_exceeded", "operation": "load", "policy": "orders", "class": "TRANSIENT",
            "detail": "ConnectionReset", "cause": "exception", "error_type": "std::io::error::Error", "attempt": 3,
            "stop_reason": "MAX_ATTEMPTS_GLOBAL", "reason": "the attempts allowed were used up", "elapsed_seconds": 0.5,
        })
    );
    let left = breadcrumbs(event);
    assert_eq!(left.len(), 2, "its own breadcrumb is for later events: {left:?}");
    assert!(left.iter().all(|left| left.category.as_deref() == Some("redress") && left.level == Level::Warning));
    assert_eq!(
        data(&left[1]),
        json!({
            "event": "retry", "operation": "load", "policy": "orders", "class": "TRANSIENT",
            "detail": "ConnectionReset", "cause": "exception", "error_type": "std::io::error::Error", "attempt": 2,
            "wait_seconds": 0.25, "elapsed_seconds": 0.25,
        })
    );
}

#[test]
fn an_opened_circuit_is_captured_once_and_rejections_are_not() {
    let policy = fragile(SentryObserver::builder().capture_terminal(false).build());
    let events = with_captured_events(|| {
        for _ in 0..3 {
            fail(&policy, "load");
        }
    });
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!(event.message.as_deref(), Some("the circuit of orders-db opened"));
    assert_eq!((event.level, event.tags["redress.breaker"].as_str()), (Level::Error, "orders-db"));
    let Some(Contents::Other(context)) = event.contexts.get("redress") else { panic!("{:?}", event.contexts) };
    assert_eq!((&context["state"], &context["open_for_seconds"]), (&json!("open"), &json!(30.0)));

    let left = left_by(|| fail(&policy, "load"));
    assert_eq!(left, [("circuit_rejected".to_owned(), Level::Info)]);
}

#[test]
fn a_success_leaves_a_breadcrumb_only_after_retries() {
    let policy = policy(SentryObserver::new());
    assert_eq!(left_by(|| policy.call(|| Ok::<_, std::io::Error>(())).unwrap()), []);
    let mut failures = 1..=1;
    let second_time = || failures.next().map_or(Ok(()), |_| Err(reset()));
    assert_eq!(
        left_by(|| policy.call(second_time).unwrap()),
        [("retry".to_owned(), Level::Warning), ("success".to_owned(), Level::Info)]
    );
}

#[test]
fn deferred_aborted_and_dropped_calls_leave_breadcrumbs_and_are_not_captured() {
    let blocking = policy(SentryObserver::new());
    let deferred =
        || drop(blocking.context().sleep_handler(|_, _| SleepDecision::Defer).call(|| Err::<(), _>(reset())));
    assert_eq!(left_by(deferred), [("retry".to_owned(), Level::Warning), ("scheduled".to_owned(), Level::Info)]);
    let aborted = || drop(blocking.call(|| Err::<(), _>(AbortRetryError::new("asked to stop"))));
    assert_eq!(left_by(aborted), [("aborted".to_owned(), Level::Info)]);

    let asynchronous = AsyncPolicy::<_, NoTimer>::builder()
        .timer(VirtualClock::new().timer())
        .observer(SentryObserver::new())
        .build()
        .unwrap();
    let dropped = || {
        let mut call = pin!(asynchronous.call(pending::<Result<(), std::io::Error>>));
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    };
    assert_eq!(left_by(dropped), [("cancelled".to_owned(), Level::Info)]);
}

#[test]
fn a_failure_that_is_not_retried_is_captured() {
    let policy = Policy::builder()
        .classifier(|_: &Result<(), std::io::Error>| Some(ErrorClass::Permanent))
        .observer(SentryObserver::new())
        .build()
        .unwrap();
    let events = with_captured_events(|| drop(policy.call(|| Err::<(), _>(reset()))));
    assert_eq!(events[0].message.as_deref(), Some("the call failed: failures of this class are not retried"));
    assert_eq!(events[0].tags["redress.event"], "permanent_fail");
}
