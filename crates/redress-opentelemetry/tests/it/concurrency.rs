//! Concurrent calls: each has its own span, events and children.

use std::cell::Cell;
use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use opentelemetry::Context;
use opentelemetry::trace::{FutureExt, TraceContextExt, Tracer};
use opentelemetry_sdk::trace::{SdkTracer, SpanData};
use redress_core::{CircuitBreaker, fixed};
use redress_tokio::AsyncPolicy;
use tokio::task::yield_now;

use crate::telemetry::{Telemetry, at_once, events, is_child, is_root, names, reset, texts};

const CALLS: usize = 50;

/// One call that fails `number % 3` times, and starts a span in each attempt, with yields in
/// between.
async fn one(policy: &AsyncPolicy, tracer: &SdkTracer, number: usize) {
    let before = Context::current().span().span_context().clone();
    let made = AtomicUsize::new(0);
    policy
        .operation(format!("call-{number}"))
        .call(|| async {
            let attempt = made.fetch_add(1, Ordering::Relaxed) + 1;
            for _ in 0..number % 5 {
                yield_now().await;
            }
            let span = tracer.start(format!("query-{number}"));
            let inner = Context::current_with_span(span);
            async {
                yield_now().await;
                tracer.in_span(format!("row-{number}"), |_| ());
            }
            .with_context(inner)
            .await;
            yield_now().await;
            if attempt <= number % 3 { Err(reset()) } else { Ok(()) }
        })
        .await
        .unwrap();
    assert_eq!(Context::current().span().span_context(), &before, "the call left its context behind");
}

fn check(telemetry: &Telemetry, parent: Option<&SpanData>) {
    let spans = telemetry.spans();
    let mut by_name: HashMap<&str, Vec<&SpanData>> = HashMap::new();
    for span in &spans {
        by_name.entry(&span.name).or_default().push(span);
    }
    for number in 0..CALLS {
        let attempts = number % 3 + 1;
        let [call] = by_name[&*format!("call-{number}")][..] else { panic!("call {number} has not one span") };
        assert!(parent.map_or_else(|| is_root(call), |parent| is_child(call, parent)));
        let queries = &by_name[&*format!("query-{number}")];
        let rows = &by_name[&*format!("row-{number}")];
        assert_eq!((queries.len(), rows.len()), (attempts, attempts));
        assert!(queries.iter().all(|query| is_child(query, call)));
        assert!(rows.iter().all(|row| queries.iter().any(|query| is_child(row, query))));
        let names: Vec<_> = events(call).into_iter().map(|(name, _)| name).collect();
        let mut expected = vec!["retry"; attempts - 1];
        expected.push("success");
        assert_eq!(names, expected, "of call {number}");
        assert_eq!(texts(&call.attributes)["retry.attempts"], attempts.to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn interleaved_on_one_task() {
    let telemetry = Telemetry::new();
    let tracer = telemetry.tracer();
    let policy = AsyncPolicy::builder().retry(at_once()).observer(telemetry.observer()).build().unwrap();
    let request = Context::current_with_span(tracer.start("request"));
    join_all((0..CALLS).map(|number| one(&policy, &tracer, number))).with_context(request.clone()).await;
    request.span().end();
    drop(request);
    check(&telemetry, Some(&telemetry.span("request")));
    assert!(!Context::current().has_active_span());
}

#[tokio::test(start_paused = true)]
async fn interleaved_with_waits() {
    let telemetry = Telemetry::new();
    let tracer = telemetry.tracer();
    let retry = at_once().strategy(fixed(Duration::from_millis(10)));
    let policy = AsyncPolicy::builder().retry(retry).observer(telemetry.observer()).build().unwrap();
    join_all((0..CALLS).map(|number| one(&policy, &tracer, number))).await;
    check(&telemetry, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_many_threads() {
    let telemetry = Telemetry::new();
    let tracer = telemetry.tracer();
    let policy = AsyncPolicy::builder().retry(at_once()).observer(telemetry.observer()).build().unwrap();
    let policy = std::sync::Arc::new(policy);
    let tasks = (0..CALLS).map(|number| {
        let (policy, tracer) = (policy.clone(), tracer.clone());
        tokio::spawn(async move { one(&policy, &tracer, number).await })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    check(&telemetry, None);
}

#[tokio::test(start_paused = true)]
async fn a_call_within_a_call_is_its_child() {
    let telemetry = Telemetry::new();
    let policy = AsyncPolicy::builder().retry(at_once()).observer(telemetry.observer()).build().unwrap();
    let made = Cell::new(0);
    let inner = |name: &'static str| {
        let policy = &policy;
        async move {
            policy
                .operation(name)
                .call(|| async {
                    yield_now().await;
                    Ok::<_, io::Error>(())
                })
                .await
                .map_err(|_| reset())
        }
    };
    policy
        .operation("outer")
        .call(|| async {
            made.set(made.get() + 1);
            if made.get() == 1 {
                return Err(reset());
            }
            let (left, right) = futures_util::future::join(inner("left"), inner("right")).await;
            left.and(right)
        })
        .await
        .unwrap();
    let outer = telemetry.span("outer");
    assert!(is_root(&outer));
    assert!(is_child(&telemetry.span("left"), &outer));
    assert!(is_child(&telemetry.span("right"), &outer));
    assert_eq!(outer.events.len(), 2);
    assert_eq!(telemetry.span("left").events.len(), 1);
}

/// The Python original fails here: a rejected or cancelled call leaves its state in the task's
/// context, and every call the task then makes shares it, so events of one call appear on the span
/// of another.
#[tokio::test(start_paused = true)]
async fn calls_after_a_rejected_and_a_cancelled_one_share_nothing() {
    let telemetry = Telemetry::new();
    let tracer = telemetry.tracer();
    let breaker = CircuitBreaker::builder().failure_threshold(1).build().unwrap();
    let observer = telemetry.observer();
    let guarded = AsyncPolicy::builder().circuit_breaker(breaker).observer(observer.clone()).build().unwrap();
    for _ in 0..2 {
        guarded.operation("guarded").call(|| async { Err::<(), _>(reset()) }).await.unwrap_err();
    }
    let slow = at_once().strategy(fixed(Duration::from_secs(5)));
    let slow = AsyncPolicy::builder().retry(slow).observer(observer.clone()).build().unwrap();
    let operation = || async { Err::<(), _>(reset()) };
    let cancelled = slow.operation("cancelled");
    tokio::time::timeout(Duration::from_secs(1), cancelled.call(operation)).await.unwrap_err();
    let policy = AsyncPolicy::builder().retry(at_once()).observer(observer).build().unwrap();
    join_all((0..CALLS).map(|number| one(&policy, &tracer, number))).await;
    check(&telemetry, None);
    assert_eq!(names(&telemetry.span("cancelled")), ["retry", "cancelled"]);
}
