//! Calls that end without a result: dropped, or ended by a panic.

use std::future::{pending, ready};
use std::io::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use redress_core::observe::CallStart;
use redress_core::{CircuitBreaker, Event, EventName, Observer, Policy};
use redress_tokio::AsyncPolicy;
use redress_tracing::{CALL_TARGET, TracingObserver};
use tracing::Level;

use crate::capture::{Capture, Seen};

fn last(capture: &Capture) -> Seen {
    capture.events().into_iter().rfind(|event| event.target == CALL_TARGET).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_is_closed_as_cancelled() {
    let (capture, _guard) = Capture::install();
    let policy = AsyncPolicy::builder().observer(TracingObserver::new()).build().unwrap();
    let calls = policy.operation("hangs");
    let hangs = calls.call(pending::<Result<(), Error>>);
    assert!(tokio::time::timeout(Duration::from_secs(3), hangs).await.is_err());
    let call = capture.call();
    assert_eq!(call.line(), "INFO redress::call attempts=1 operation=hangs outcome=cancelled");
    assert!(call.is_closed);
    let [end] = &capture.events()[..] else { panic!("{} events", capture.events().len()) };
    assert_eq!(end.line(), "DEBUG redress::call attempt=1 event=cancelled operation=hangs");
    assert_eq!((call.field("elapsed_seconds"), end.field("elapsed_seconds")), (Some("3.0"), Some("3.0")));
}

#[tokio::test]
async fn a_dropped_call_without_a_span_has_an_event() {
    let (capture, _guard) = Capture::install();
    let observer = TracingObserver::builder().span_level(None).build();
    let policy = AsyncPolicy::builder().observer(observer).build().unwrap();
    tokio::select! {
        biased;
        _ = policy.call(pending::<Result<(), Error>>) => unreachable!("it never ends"),
        () = ready(()) => {}
    }
    let [end] = &capture.all()[..] else { panic!("{} events", capture.all().len()) };
    assert_eq!(end.line(), "DEBUG redress::call attempt=1 event=cancelled");
}

#[tokio::test]
async fn a_call_that_is_never_polled_has_no_span() {
    let (capture, _guard) = Capture::install();
    let policy = AsyncPolicy::builder().observer(TracingObserver::new()).build().unwrap();
    drop(policy.call(pending::<Result<(), Error>>));
    assert!(capture.all().is_empty());
}

#[test]
fn a_blocking_operation_that_panics() {
    let (capture, _guard) = Capture::install();
    let policy = Policy::builder().observer(TracingObserver::new()).build().unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| policy.call(|| -> Result<(), Error> { panic!("on purpose") })));
    assert!(panicked.is_err());
    let call = capture.call();
    assert_eq!(call.line(), "INFO redress::call attempts=1 outcome=panicked");
    assert!(call.is_closed);
    let [end] = &capture.events()[..] else { panic!("{} events", capture.events().len()) };
    assert_eq!(
        (end.level, end.field("event"), end.field("outcome")),
        (Level::DEBUG, Some("cancelled"), Some("panicked"))
    );
    assert_eq!(end.what, "a panic ended the call");
    assert!(tracing::Span::current().is_none(), "the span is left");
}

#[tokio::test]
async fn an_asynchronous_operation_that_panics() {
    let (capture, _guard) = Capture::install();
    let policy = AsyncPolicy::builder().observer(TracingObserver::new()).build().unwrap();
    let task = tokio::spawn(async move {
        let operation = || async { if true { panic!("on purpose") } else { Ok::<_, Error>(()) } };
        policy.operation("bursts").call(operation).await.map_err(drop)
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(capture.call().line(), "INFO redress::call attempts=1 operation=bursts outcome=panicked");
    assert!(capture.call().is_closed);
}

#[test]
fn a_call_reported_as_cancelled_has_one_event() {
    let (capture, _guard) = Capture::install();
    let mut start = CallStart::new(Some("hangs"));
    (start.policy, start.breaker) = (Some("orders"), Some("orders-db"));
    let call = TracingObserver::new().on_call_start(&start).unwrap();
    let mut event = Event::new(EventName::Cancelled);
    (event.attempt, event.elapsed) = (2, Some(Duration::from_secs(3)));
    call.on_event(&event);
    drop(call);
    let line = "INFO redress::call attempts=2 breaker=orders-db operation=hangs outcome=cancelled policy=orders";
    assert_eq!(capture.call().line(), line);
    assert_eq!(capture.events().len(), 1);
    assert_eq!(last(&capture).line(), "DEBUG redress::call attempt=2 event=cancelled");
}

#[tokio::test]
async fn the_end_of_a_dropped_call_names_its_policy_and_breaker() {
    let (capture, _guard) = Capture::install();
    let breaker = CircuitBreaker::builder().name("orders-db");
    let builder = AsyncPolicy::builder().name("orders").circuit_breaker(breaker);
    let policy = builder.observer(TracingObserver::new()).build().unwrap();
    tokio::select! {
        biased;
        _ = policy.call(pending::<Result<(), Error>>) => unreachable!("it never ends"),
        () = ready(()) => {}
    }
    let line = "DEBUG redress::call attempt=1 breaker=orders-db event=cancelled policy=orders";
    assert_eq!(last(&capture).line(), line);
}

#[test]
fn each_event_has_its_sentence() {
    let sentences = [
        (EventName::Success, "the call succeeded"),
        (EventName::Retry, "the attempt failed and will be tried again"),
        (EventName::PermanentFail, "the call failed: permanent_fail"),
        (EventName::DeadlineExceeded, "the call failed: deadline_exceeded"),
        (EventName::MaxAttemptsExceeded, "the call failed: max_attempts_exceeded"),
        (EventName::MaxUnknownAttemptsExceeded, "the call failed: max_unknown_attempts_exceeded"),
        (EventName::NoStrategyConfigured, "the call failed: no_strategy_configured"),
        (EventName::BudgetExhausted, "the call failed: budget_exhausted"),
        (EventName::Scheduled, "the retry was deferred"),
        (EventName::Aborted, "the call was aborted"),
        (EventName::Cancelled, "the call was dropped before it ended"),
        (EventName::Nested, "the call is within another one, and the retries of both multiply"),
        (EventName::CircuitOpened, "the circuit opened"),
        (EventName::CircuitHalfOpen, "the circuit lets a probe through"),
        (EventName::CircuitClosed, "the circuit closed"),
        (EventName::CircuitRejected, "the circuit is open and rejected the call"),
        (EventName::CircuitWouldReject, "the circuit only watches, and would have rejected the call"),
    ];
    assert_eq!(sentences.map(|(name, _)| name), *EventName::ALL);
    for (name, sentence) in sentences {
        let (capture, _guard) = Capture::install();
        let call = TracingObserver::new().on_call_start(&CallStart::new(None)).unwrap();
        call.on_event(&Event::new(name));
        assert_eq!(capture.events()[0].what, sentence, "{name:?}");
    }
}
