//! Attempt spans, where enabled.

use std::future::pending;
use std::io::{Error, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use redress_core::{Policy, Retry, fixed};
use redress_tokio::AsyncPolicy;
use redress_tracing::{ATTEMPT_SPAN_NAME, ATTEMPT_TARGET, SPAN_NAME, TracingObserver};
use tracing::{Level, debug_span};

use crate::capture::{Capture, Seen};

fn observer() -> TracingObserver {
    TracingObserver::builder().attempt_span_level(Level::INFO).build()
}

#[test]
fn attempts_are_below_their_call_and_what_they_do_is_below_them() {
    let (capture, _guard) = Capture::install();
    let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2);
    let policy = Policy::builder().name("users").retry(retry).observer(observer()).build().unwrap();
    let mut made = 0;
    policy
        .operation("load")
        .call(|| {
            made += 1;
            debug_span!("query", made).in_scope(|| ());
            if made < 2 { Err(Error::from(ErrorKind::ConnectionReset)) } else { Ok(()) }
        })
        .unwrap();

    let lines: Vec<_> = capture.spans(ATTEMPT_SPAN_NAME).iter().map(Seen::line).collect();
    assert_eq!(
        lines,
        [
            "INFO redress::attempt attempt=1 cause=exception class=TRANSIENT decision=retry details=io=ConnectionReset \
             operation=load policy=users",
            "INFO redress::attempt attempt=2 decision=success operation=load policy=users",
        ]
    );
    for (query, number) in capture.spans("query").iter().zip(["1", "2"]) {
        let ancestors = capture.ancestors(query);
        let names: Vec<_> = ancestors.iter().map(|span| span.what.as_str()).collect();
        assert_eq!((names, ancestors[0].field("attempt")), (vec![ATTEMPT_SPAN_NAME, SPAN_NAME], Some(number)));
    }
    assert!(capture.all().iter().all(|seen| !seen.is_span || seen.is_closed));
    let reported = capture.events().into_iter().filter(|event| event.target == ATTEMPT_TARGET);
    assert!(reported.map(|event| capture.ancestors(&event)[0].what.clone()).all(|parent| parent == SPAN_NAME));
}

#[test]
fn without_a_span_for_the_call_attempts_are_below_what_is_current() {
    let (capture, _guard) = Capture::install();
    let observer = TracingObserver::builder().span_level(None).attempt_span_level(Level::DEBUG).build();
    let policy = Policy::builder().observer(observer).build().unwrap();
    let outer = debug_span!("outer").entered();
    policy.call(|| debug_span!("query").in_scope(|| Ok::<_, Error>(()))).unwrap();
    drop(outer);
    let names = capture.ancestors(&capture.spans("query")[0]).into_iter().map(|span| span.what);
    assert_eq!(names.collect::<Vec<_>>(), [ATTEMPT_SPAN_NAME, "outer"]);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_its_call_ended_in_says_how() {
    let (capture, _guard) = Capture::install();
    let policy = AsyncPolicy::builder().observer(observer()).build().unwrap();
    let hangs = policy.operation("hangs");
    let hangs = hangs.call(pending::<Result<(), Error>>);
    assert!(tokio::time::timeout(Duration::from_secs(3), hangs).await.is_err());

    let panics = Policy::builder().observer(observer()).build().unwrap();
    let call = || panics.call(|| -> Result<(), Error> { panic!("of the operation") });
    assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
    let outcomes: Vec<_> = capture
        .spans(ATTEMPT_SPAN_NAME)
        .iter()
        .map(|span| (span.field("outcome").unwrap().to_owned(), span.is_closed))
        .collect();
    assert_eq!(outcomes, [("cancelled".to_owned(), true), ("panicked".to_owned(), true)]);
}
