//! Calls that come to no end of their own: dropped, or ended by a panic.

use std::future::{pending, ready};
use std::io::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};

use redress_core::Policy;
use redress_tokio::AsyncPolicy;
use redress_tracing::{CALL_TARGET, TracingObserver};
use tracing::Level;

use crate::capture::{Capture, Seen};

fn last(capture: &Capture) -> Seen {
    capture.events().into_iter().rfind(|event| event.target == CALL_TARGET).unwrap()
}

#[tokio::test]
async fn a_call_that_is_dropped_is_closed_as_cancelled() {
    let (capture, _guard) = Capture::install();
    let policy = AsyncPolicy::builder().observer(TracingObserver::new()).build().unwrap();
    {
        let calls = policy.operation("hangs");
        tokio::select! {
            biased;
            _ = calls.call(pending::<Result<(), Error>>) => unreachable!("it never ends"),
            () = ready(()) => {}
        }
    }
    let call = capture.call();
    assert_eq!(call.line(), "INFO redress::call attempts=1 operation=hangs outcome=cancelled");
    assert!(call.is_closed);
    assert_eq!(last(&capture).line(), "DEBUG redress::call attempt=1 event=cancelled operation=hangs");
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
    assert_eq!((last(&capture).level, last(&capture).field("event")), (Level::DEBUG, Some("panicked")));
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
