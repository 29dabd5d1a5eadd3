//! Interleaved calls: each operation stays below its own call.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use redress_core::{Retry, fixed};
use redress_tokio::AsyncPolicy;
use redress_tracing::{SPAN_NAME, TracingObserver};
use tokio::task::{JoinSet, yield_now};
use tracing::{Instrument, Span, info_span};

use crate::capture::Capture;

fn policy() -> AsyncPolicy {
    let retry = Retry::builder().strategy(fixed(Duration::from_millis(1))).max_attempts(3);
    AsyncPolicy::builder().retry(retry).observer(TracingObserver::new()).build().unwrap()
}

/// Three attempts with a span each, held across yields; the last one succeeds.
async fn busy(policy: AsyncPolicy, name: String) {
    let mut attempt = 0;
    let operation = || {
        attempt += 1;
        let (name, attempt) = (name.clone(), attempt);
        // Created while the operation is called, so the call's span must be current here as well.
        let span = info_span!("request", of = name);
        let work = async move {
            for _ in 0..3 {
                yield_now().await;
                tracing::info!(of = name, "working");
            }
            if attempt < 3 { Err(Error::from(ErrorKind::ConnectionReset)) } else { Ok(()) }
        };
        work.instrument(span)
    };
    policy.operation(name.clone()).call(operation).await.unwrap();
    assert!(Span::current().metadata().is_none_or(|metadata| metadata.name() != SPAN_NAME), "the span is left");
}

/// Checks that all work is below the call of its name, and that call below `root`.
fn judge(capture: &Capture, calls: usize) {
    assert_eq!(capture.spans(SPAN_NAME).len(), calls);
    let requests = capture.spans("request");
    assert_eq!(requests.len(), 3 * calls);
    let working: Vec<_> = capture.events().into_iter().filter(|event| event.what == "working").collect();
    assert_eq!(working.len(), 9 * calls);
    for seen in requests.iter().chain(&working) {
        let ancestors = capture.ancestors(seen);
        let [.., call, root] = &ancestors[..] else { panic!("{seen:?} below {ancestors:?}") };
        assert_eq!(ancestors.len(), if seen.is_span { 2 } else { 3 });
        assert_eq!((call.what.as_str(), root.what.as_str()), (SPAN_NAME, "root"));
        assert_eq!(call.field("operation"), seen.field("of"), "below another's call");
    }
    for call in capture.spans(SPAN_NAME) {
        assert_eq!((call.field("outcome"), call.field("attempts")), (Some("success"), Some("3")));
        assert!(call.is_closed);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_of_one_task_take_turns() {
    let (capture, _guard) = Capture::install();
    let policy = policy();
    let call = |name: &str| busy(policy.clone(), name.to_owned());
    async { tokio::join!(call("a"), call("b"), call("c"), call("d")) }.instrument(info_span!("root")).await;
    judge(&capture, 4);
}

#[tokio::test(start_paused = true)]
async fn calls_of_many_tasks_take_turns_on_one_thread() {
    let (capture, _guard) = Capture::install();
    let (policy, root) = (policy(), info_span!("root"));
    let mut tasks = JoinSet::new();
    for task in 0..50 {
        tasks.spawn(busy(policy.clone(), format!("task {task}")).instrument(root.clone()));
    }
    tasks.join_all().await;
    judge(&capture, 50);
}

#[test]
fn calls_move_between_threads() {
    let (capture, guard) = Capture::install();
    drop(guard);
    let subscriber = tracing::Dispatch::new(tracing_subscriber::layer::SubscriberExt::with(
        tracing_subscriber::registry(),
        capture.clone(),
    ));
    let on_thread = subscriber.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(3)
        .enable_time()
        .on_thread_start(move || std::mem::forget(tracing::dispatcher::set_default(&on_thread)))
        .build()
        .unwrap();
    let _here = tracing::dispatcher::set_default(&subscriber);
    let (policy, root) = (policy(), info_span!("root"));
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for task in 0..50 {
            tasks.spawn(busy(policy.clone(), format!("task {task}")).instrument(root.clone()));
        }
        tasks.join_all().await;
    });
    judge(&capture, 50);
}
