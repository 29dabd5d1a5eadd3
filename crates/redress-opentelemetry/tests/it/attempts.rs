//! Attempt spans, where enabled.

use std::cell::Cell;
use std::io;
use std::time::Duration;

use opentelemetry::trace::{SpanKind, Status, Tracer};
use redress_core::error::AbortRetryError;
use redress_core::{Policy, SleepDecision};
use redress_tokio::AsyncPolicy;

use crate::telemetry::{Telemetry, at_once, is_child, map, reset, texts};

#[test]
fn attempts_are_children_of_the_call_and_linked_to_the_one_before() {
    let telemetry = Telemetry::new();
    let tracer = telemetry.tracer();
    let observer = telemetry.builder().attempt_spans(true).build();
    let policy = Policy::builder().retry(at_once()).observer(observer).build().unwrap();
    let made = Cell::new(0);
    policy
        .operation("load_user")
        .call(|| {
            made.set(made.get() + 1);
            tracer.in_span("query", |_| ());
            if made.get() < 3 { Err(reset()) } else { Ok(()) }
        })
        .unwrap();

    let call = telemetry.span("load_user");
    let spans = telemetry.spans();
    let attempts: Vec<_> = spans.iter().filter(|span| span.name == "redress.attempt").collect();
    let queries: Vec<_> = spans.iter().filter(|span| span.name == "query").collect();
    assert_eq!((attempts.len(), queries.len()), (3, 3));
    for (index, attempt) in attempts.iter().enumerate() {
        assert!(is_child(attempt, &call));
        assert!(is_child(queries[index], attempt));
        assert_eq!(texts(&attempt.attributes)["retry.attempt"], (index + 1).to_string());
        assert_eq!(texts(&attempt.attributes)["operation"], "load_user");
        let linked: Vec<_> = attempt.links.iter().map(|link| link.span_context.span_id()).collect();
        let before: Vec<_> =
            index.checked_sub(1).map(|before| attempts[before].span_context.span_id()).into_iter().collect();
        assert_eq!(linked, before);
    }
    assert_eq!(texts(&attempts[1].links[0].attributes), map([("retry.attempt", "1")]));

    let failed = texts(&attempts[0].attributes);
    assert_eq!(failed["retry.outcome"], "failure");
    assert_eq!(failed["error.class"], "TRANSIENT");
    assert_eq!(failed["error.type"], std::any::type_name::<io::Error>());
    assert_eq!(attempts[0].status, Status::error("TRANSIENT"));
    assert_eq!(texts(&attempts[2].attributes)["retry.outcome"], "success");
    assert_eq!(attempts[2].status, Status::Unset);
    assert_eq!(call.events.len(), 3, "the call's events are there as well");
}

#[test]
fn attempts_are_client_spans_if_configured() {
    for (configured, kind) in [(None, SpanKind::Internal), (Some(SpanKind::Client), SpanKind::Client)] {
        let telemetry = Telemetry::new();
        let mut observer = telemetry.builder().attempt_spans(true);
        if let Some(configured) = configured {
            observer = observer.attempt_span_kind(configured);
        }
        let policy = Policy::builder().observer(observer.build()).build().unwrap();
        policy.operation("load_user").call(|| Ok::<_, io::Error>(())).unwrap();
        assert_eq!(telemetry.span("redress.attempt").span_kind, kind);
        assert_eq!(telemetry.span("load_user").span_kind, SpanKind::Internal);
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_cut_by_its_timeout_says_so() {
    let telemetry = Telemetry::new();
    let observer = telemetry.builder().attempt_spans(true).build();
    let retry = at_once();
    let policy =
        AsyncPolicy::builder().retry(retry).attempt_timeout(Duration::from_secs(1)).observer(observer).build().unwrap();
    policy.operation("slow").call(std::future::pending::<Result<(), io::Error>>).await.unwrap_err();

    let call = telemetry.span("slow");
    assert_eq!(texts(&call.attributes)["error.type"], "timeout");
    let spans = telemetry.spans();
    let attempts: Vec<_> = spans.iter().filter(|span| span.name == "redress.attempt").collect();
    assert_eq!(attempts.len(), 3);
    assert!(attempts.iter().all(|attempt| texts(&attempt.attributes)["error.type"] == "timeout"));
}

#[tokio::test(start_paused = true)]
async fn between_attempts_no_attempt_s_span_is_current() {
    let telemetry = Telemetry::new();
    let observer = telemetry.builder().attempt_spans(true).build();
    let policy = AsyncPolicy::builder().retry(at_once()).observer(observer).build().unwrap();
    let tracer = telemetry.tracer();
    policy
        .operation("load_user")
        .sleep_with(move |_| {
            tracer.in_span("waits", |_| ());
            std::future::ready(())
        })
        .call(|| async { Err::<(), _>(reset()) })
        .await
        .unwrap_err();
    let waits = telemetry.spans().into_iter().filter(|span| span.name == "waits").collect::<Vec<_>>();
    assert_eq!(waits.len(), 2);
    assert!(waits.iter().all(crate::telemetry::is_root));
}

/// Returns the outcomes of a call's attempts, in order.
fn outcomes(telemetry: &Telemetry) -> Vec<String> {
    let spans = telemetry.spans();
    let attempts = spans.iter().filter(|span| span.name == "redress.attempt");
    attempts.map(|attempt| texts(&attempt.attributes)["retry.outcome"].clone()).collect()
}

#[test]
fn an_attempt_that_aborts_is_distinguished_from_one_that_fails_before_an_abort() {
    let telemetry = Telemetry::new();
    let observer = telemetry.builder().attempt_spans(true).build();
    let policy = Policy::builder().retry(at_once()).observer(observer.clone()).build().unwrap();
    policy.call(|| Err::<(), _>(AbortRetryError::new("enough"))).unwrap_err();
    assert_eq!(outcomes(&telemetry), ["aborted"]);

    let telemetry = Telemetry::new();
    let observer = telemetry.builder().attempt_spans(true).build();
    let policy = Policy::builder().retry(at_once()).observer(observer).build().unwrap();
    policy.context().sleep_handler(|_, _| SleepDecision::Abort).call(|| Err::<(), _>(reset())).unwrap_err();
    assert_eq!(outcomes(&telemetry), ["failure"]);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_after_an_error_is_what_the_call_failed_of() {
    let telemetry = Telemetry::new();
    let builder = AsyncPolicy::builder().retry(at_once().max_attempts(2)).attempt_timeout(Duration::from_secs(1));
    let policy = builder.observer(telemetry.observer()).build().unwrap();
    let made = Cell::new(0);
    let operation = || async {
        made.set(made.get() + 1);
        if made.get() == 2 {
            std::future::pending::<()>().await;
        }
        Err::<(), _>(reset())
    };
    policy.operation("slow").call(operation).await.unwrap_err();
    let attributes = texts(&telemetry.span("slow").attributes);
    assert_eq!((&*attributes["error.type"], &*attributes["retry.detail"]), ("timeout", "timeout"));
}
