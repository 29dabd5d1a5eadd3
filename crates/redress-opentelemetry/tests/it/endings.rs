//! Calls that end without a result: dropped during an attempt or a wait, or ended by a panic. Each
//! has one span and one duration.

use std::future::{Future, pending};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{Status, TraceContextExt};
use redress_core::observe::CallStart;
use redress_core::{Event, EventName, Observer, Policy, fixed};
use redress_tokio::AsyncPolicy;

use crate::telemetry::{Telemetry, at_once, is_child, map, names, reset, texts};

fn poll_once<F: Future>(future: F) {
    let mut future = pin!(future);
    assert!(future.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())).is_pending());
}

#[tokio::test(start_paused = true)]
async fn dropped_during_an_attempt() {
    let telemetry = Telemetry::new();
    let observer = telemetry.builder().attempt_spans(true).build();
    let policy = AsyncPolicy::builder().retry(at_once()).observer(observer).build().unwrap();
    poll_once(policy.operation("load_user").call(pending::<Result<(), io::Error>>));

    let call = telemetry.span("load_user");
    assert_eq!(texts(&call.attributes)["retry.outcome"], "cancelled");
    assert_eq!(texts(&call.attributes)["retry.attempts"], "1");
    assert_eq!(call.status, Status::Unset);
    let attempt = telemetry.span("redress.attempt");
    assert!(is_child(&attempt, &call));
    assert_eq!(texts(&attempt.attributes)["retry.outcome"], "cancelled");
    assert_eq!(attempt.end_time, call.end_time, "a child does not outlive its parent");
    assert_eq!(names(&call), ["cancelled"]);
    assert_eq!(telemetry.spans().len(), 2);
    assert!(!Context::current().has_active_span());
}

#[tokio::test(start_paused = true)]
async fn dropped_during_a_wait() {
    let telemetry = Telemetry::new();
    let retry = at_once().strategy(fixed(Duration::from_secs(1)));
    let policy = AsyncPolicy::builder().retry(retry).observer(telemetry.observer()).build().unwrap();
    let calls = policy.operation("load_user");
    let waits = calls.call(|| async { Err::<(), _>(reset()) });
    tokio::time::timeout(Duration::from_millis(500), waits).await.unwrap_err();

    let call = telemetry.span("load_user");
    assert_eq!(names(&call), ["retry", "cancelled"]);
    // The failure of the previous attempt did not end the call.
    let expected = map([("operation", "load_user"), ("retry.attempts", "1"), ("retry.outcome", "cancelled")]);
    assert_eq!(texts(&call.attributes), expected);
    assert_eq!(call.status, Status::Unset);
    let durations = telemetry.points("redress.retry.duration");
    let [duration] = &durations[..] else { panic!("measured {} times", durations.len()) };
    assert_eq!((duration.get("retry.outcome"), duration.count, duration.value), ("cancelled", 1, 0.5));
}

#[tokio::test(start_paused = true)]
async fn never_polled() {
    let telemetry = Telemetry::new();
    let policy = AsyncPolicy::builder().retry(at_once()).observer(telemetry.observer()).build().unwrap();
    drop(policy.operation("load_user").call(pending::<Result<(), io::Error>>));
    assert!(telemetry.spans().is_empty());
}

#[test]
fn a_panic_in_a_blocking_operation() {
    let telemetry = Telemetry::new();
    let observer = telemetry.builder().attempt_spans(true).build();
    let policy = Policy::builder().retry(at_once()).observer(observer).build().unwrap();
    let gone = catch_unwind(AssertUnwindSafe(|| {
        policy.operation("load_user").call(|| -> Result<(), io::Error> { panic!("of the operation") })
    }));
    assert!(gone.is_err());

    for name in ["load_user", "redress.attempt"] {
        let span = telemetry.span(name);
        assert_eq!(texts(&span.attributes)["retry.outcome"], "panicked");
        assert_eq!(texts(&span.attributes)["error.type"], "panic");
        assert_ne!(span.status, Status::Unset);
    }
    assert_eq!(telemetry.spans().len(), 2);
    assert_eq!(names(&telemetry.span("load_user")), ["cancelled"]);
    let durations = telemetry.points("redress.retry.duration");
    let [duration] = &durations[..] else { panic!("measured {} times", durations.len()) };
    assert_eq!((duration.get("retry.outcome"), duration.count), ("cancelled", 1));
    assert!(!Context::current().has_active_span(), "the panic left the call's context behind");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_task() {
    let telemetry = Telemetry::new();
    let policy = AsyncPolicy::builder().retry(at_once()).observer(telemetry.observer()).build().unwrap();
    let task = tokio::spawn(async move {
        let operation = || async {
            tokio::task::yield_now().await;
            if true { panic!("of the operation") } else { Ok::<_, io::Error>(()) }
        };
        policy.operation("load_user").call(operation).await
    });
    assert!(task.await.unwrap_err().is_panic());
    let span = telemetry.span("load_user");
    assert_eq!(texts(&span.attributes)["retry.outcome"], "panicked");
    assert_eq!(telemetry.spans().len(), 1);
    assert!(!Context::current().has_active_span());
}

/// The operation keeps the context, so the call is not the last owner of its span.
#[tokio::test(start_paused = true)]
async fn a_context_that_outlives_the_call_does_not_keep_the_span_open() {
    let telemetry = Telemetry::new();
    let policy = AsyncPolicy::builder().observer(telemetry.observer()).build().unwrap();
    let kept = policy.call(|| async { Ok::<_, io::Error>(Context::current()) }).await.unwrap();
    assert_eq!(telemetry.spans().len(), 1, "it ended with the call");
    kept.span().end();
    drop(kept);
    assert_eq!(telemetry.spans().len(), 1, "and once");
}

/// A completed future that was not dropped yet has no open span.
#[tokio::test(start_paused = true)]
async fn the_span_ends_with_the_call_not_with_its_future() {
    let telemetry = Telemetry::new();
    let policy = AsyncPolicy::builder().observer(telemetry.observer()).build().unwrap();
    let call = policy.operation("load_user");
    let mut future = pin!(call.call(|| async { Ok::<_, io::Error>(()) }));
    let mut cx = TaskContext::from_waker(Waker::noop());
    assert!(matches!(future.as_mut().poll(&mut cx), Poll::Ready(Ok(()))));
    assert_eq!(telemetry.spans().len(), 1);
}

#[test]
fn a_call_reported_as_cancelled_ends_its_span_once() {
    let telemetry = Telemetry::new();
    let observer = telemetry.observer();
    let mut start = CallStart::new(Some("load_user"));
    (start.policy, start.breaker) = (Some("users"), Some("users-db"));
    let call = observer.on_call_start(&start).unwrap();
    let mut event = Event::new(EventName::Cancelled);
    event.elapsed = Some(Duration::from_secs(2));
    observer.on_event(&event);
    call.on_event(&event);
    drop(call);

    assert_eq!(telemetry.spans().len(), 1);
    let span = telemetry.span("load_user");
    let attributes = texts(&span.attributes);
    assert_eq!(attributes["retry.outcome"], "cancelled");
    assert_eq!((&*attributes["policy"], &*attributes["breaker"]), ("users", "users-db"));
    assert_eq!(names(&span), ["cancelled"]);
    assert_eq!(span.status, Status::Unset);
    let durations = telemetry.points("redress.retry.duration");
    assert_eq!(durations.len(), 1);
    assert_eq!(durations[0].get("retry.outcome"), "cancelled");
}
