//! Configured levels, and events without spans.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use redress_core::{Classification, ErrorClass, EventName, Policy, Retry, fixed};
use redress_tracing::{TracingObserver, TracingObserverBuilder};
use tracing::{Level, info_span};

use crate::capture::Capture;

fn fail(builder: TracingObserverBuilder) {
    let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2);
    let policy = Policy::builder().retry(retry).observer(builder.build()).build().unwrap();
    let _ = policy.operation("op").call(|| Err::<(), _>(Error::from(ErrorKind::ConnectionReset)));
}

#[test]
fn each_kind_of_event_takes_any_level_or_none() {
    for level in [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE] {
        let (capture, _guard) = Capture::install();
        let builder = TracingObserver::builder().level(EventName::Retry, level).attempt_level(None);
        fail(builder.level(EventName::MaxAttemptsExceeded, None).span_level(level));
        let events = capture.events();
        let [retry] = &events[..] else { panic!("{events:?}") };
        assert_eq!((retry.field("event"), retry.level, capture.call().level), (Some("retry"), level, level));
    }
    let (capture, _guard) = Capture::install();
    let builder = TracingObserver::builder().recovery_level(Level::ERROR).attempt_level(Level::ERROR);
    let policy = Policy::builder().observer(builder.build()).build().unwrap();
    policy.call(|| Ok::<_, Error>(())).unwrap();
    let levels: Vec<_> = capture.events().iter().map(|event| event.level).collect();
    assert!(levels.contains(&Level::ERROR) && levels.contains(&Level::TRACE), "{levels:?}");
}

#[test]
fn without_spans_events_are_where_the_call_was_made() {
    let (capture, _guard) = Capture::install();
    let outer = info_span!("outer", outcome = tracing::field::Empty).entered();
    fail(TracingObserver::builder().span_level(None));
    drop(outer);
    assert!(capture.spans("redress.call").is_empty());
    assert_eq!(capture.events().len(), 4);
    for event in capture.events() {
        assert_eq!(capture.ancestors(&event)[0].what, "outer");
    }
    let outer = &capture.spans("outer")[0];
    assert!(outer.fields.is_empty(), "another's span is not written to: {outer:?}");
    assert!(outer.is_closed);
}

#[test]
fn nothing_to_tell_tells_nothing() {
    let (capture, _guard) = Capture::install();
    let mut builder = TracingObserver::builder().span_level(None).attempt_level(None);
    for event in EventName::ALL {
        builder = builder.level(*event, None);
    }
    fail(builder.recovery_level(None));
    assert!(capture.all().is_empty());
}

#[test]
fn a_level_for_permanent_failures_is_for_forbidden_retries_too() {
    let level_of = |builder: TracingObserverBuilder| {
        let (capture, _guard) = Capture::install();
        let classify = |_: &Result<(), Error>| Some(Classification::new(ErrorClass::ServerError).forbid_retry("body"));
        let (retry, observer) = (Retry::builder().strategy(fixed(Duration::ZERO)), builder.attempt_level(None).build());
        let policy = Policy::builder().retry(retry).classifier(classify).observer(observer).build().unwrap();
        policy.call(|| Ok::<_, Error>(())).unwrap_err();
        capture.events()[0].level
    };
    assert_eq!(level_of(TracingObserver::builder()), Level::WARN);
    assert_eq!(level_of(TracingObserver::builder().level(EventName::PermanentFail, Level::TRACE)), Level::TRACE);
}

#[test]
fn a_permanent_failure_that_nothing_forbids_is_at_info() {
    let (capture, _guard) = Capture::install();
    let classify = |_: &Result<(), Error>| Some(Classification::new(ErrorClass::Permanent));
    let observer = TracingObserver::builder().attempt_level(None).build();
    let policy = Policy::builder().classifier(classify).observer(observer).build().unwrap();
    policy.call(|| Ok::<_, Error>(())).unwrap_err();
    let [end] = &capture.events()[..] else { panic!("{} events", capture.events().len()) };
    assert_eq!((end.field("event"), end.level), (Some("permanent_fail"), Level::INFO));
}
