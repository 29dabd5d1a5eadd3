//! The span of a call: its name, attributes, events and status.

use std::io;
use std::time::Duration;

use opentelemetry::trace::{SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use redress_core::error::StatusError;
use redress_core::{
    CircuitBreaker, Classification, ErrorClass, Policy, SleepDecision, StopReason, error_classifier, fixed,
};
use redress_opentelemetry::OtelObserver;
use redress_tokio::AsyncPolicy;

use crate::telemetry::{Telemetry, at_once, events, is_child, is_root, map, reset, texts};

#[test]
fn a_success_is_one_span_with_one_event() {
    let telemetry = Telemetry::new();
    let policy = Policy::builder().retry(at_once()).observer(telemetry.observer()).build().unwrap();
    policy.operation("load_user").call(|| Ok::<_, io::Error>(7)).unwrap();

    let span = telemetry.span("load_user");
    assert!(is_root(&span));
    assert_eq!(span.span_kind, SpanKind::Internal);
    assert_eq!(span.status, Status::Unset);
    let expected = map([("operation", "load_user"), ("retry.attempts", "1"), ("retry.outcome", "success")]);
    assert_eq!(texts(&span.attributes), expected);
    assert_eq!(events(&span), [("success".to_owned(), map([("retry.attempt", "1")]))]);
    assert_eq!(telemetry.spans().len(), 1);
}

#[test]
fn each_failed_attempt_is_an_event_and_the_end_is_the_last() {
    let telemetry = Telemetry::new();
    let policy = Policy::builder().retry(at_once()).observer(telemetry.observer()).build().unwrap();
    policy.operation("load_user").call(|| Err::<(), _>(reset())).unwrap_err();

    let span = telemetry.span("load_user");
    let failed = |attempt, more: Option<&str>| {
        let mut attributes = map([
            ("retry.attempt", attempt),
            ("error.class", "TRANSIENT"),
            ("error.type", std::any::type_name::<io::Error>()),
            ("retry.cause", "exception"),
            ("retry.detail", "ConnectionReset"),
        ]);
        attributes.extend(more.map(|reason| ("retry.stop_reason".to_owned(), reason.to_owned())));
        attributes
    };
    let expected = [
        ("retry".to_owned(), failed("1", None)),
        ("retry".to_owned(), failed("2", None)),
        ("max_attempts_exceeded".to_owned(), failed("3", Some("MAX_ATTEMPTS_GLOBAL"))),
    ];
    assert_eq!(events(&span), expected);
    let expected = map([
        ("operation", "load_user"),
        ("retry.attempts", "3"),
        ("retry.outcome", "failure"),
        ("retry.stop_reason", "MAX_ATTEMPTS_GLOBAL"),
        ("error.class", "TRANSIENT"),
        ("error.type", std::any::type_name::<io::Error>()),
        ("retry.detail", "ConnectionReset"),
    ]);
    assert_eq!(texts(&span.attributes), expected);
    assert_eq!(span.status, Status::error(StopReason::MaxAttempts.description()));
}

#[test]
fn an_error_s_text_is_nowhere() {
    let telemetry = Telemetry::new();
    let policy = Policy::builder().retry(at_once()).observer(telemetry.observer()).build().unwrap();
    let secret = || Err::<(), _>(io::Error::new(io::ErrorKind::ConnectionReset, "token=hunter2"));
    policy.call(secret).unwrap_err();

    let span = telemetry.span("redress.retry");
    assert!(!format!("{span:?}").contains("hunter2"));
}

#[test]
fn waits_and_hints_are_seconds() {
    let telemetry = Telemetry::new();
    let busy = |_: &io::Error| Classification::new(ErrorClass::RateLimit).with_retry_after(Duration::from_millis(2500));
    let policy = Policy::builder()
        .classifier(error_classifier(busy))
        .retry(at_once().strategy(fixed(Duration::from_millis(3500))))
        .deadline(Duration::from_secs(600))
        .observer(telemetry.observer())
        .build()
        .unwrap();
    let outcome =
        policy.operation("charge").sleep_handler(|_, _| SleepDecision::Defer).execute(|| Err::<(), _>(reset()));
    assert_eq!(outcome.stop_reason(), Some(StopReason::Scheduled));

    let span = telemetry.span("charge");
    let [(first, retry), (last, scheduled)] = &events(&span)[..] else { panic!("{span:?}") };
    assert_eq!((first.as_str(), last.as_str()), ("retry", "scheduled"));
    for event in [retry, scheduled] {
        assert_eq!(event["retry.retry_after"], "2.5");
        assert_eq!(event["error.class"], "RATE_LIMIT");
    }
    assert_eq!(retry["retry.sleep"], scheduled["retry.sleep"]);
    // The strategy's wait is shorter than the server's hint, which is a lower bound.
    assert_eq!(retry["retry.sleep"], "3.5");
    // The program requested the deferral, so it is not an error, but the span records the class.
    assert_eq!(span.status, Status::Unset);
    let attributes = texts(&span.attributes);
    assert_eq!(attributes["retry.outcome"], "scheduled");
    assert_eq!(attributes["retry.stop_reason"], "SCHEDULED");
    assert_eq!(attributes["error.class"], "RATE_LIMIT");
}

#[test]
fn an_aborted_call_is_no_error() {
    let telemetry = Telemetry::new();
    let policy = Policy::builder().retry(at_once()).observer(telemetry.observer()).build().unwrap();
    policy.operation("sync").abort_if(|| true).call(|| Err::<(), _>(reset())).unwrap_err();

    let span = telemetry.span("sync");
    assert_eq!(span.status, Status::Unset);
    let attributes = texts(&span.attributes);
    assert_eq!(attributes["retry.outcome"], "aborted");
    assert_eq!(attributes["retry.attempts"], "0");
    assert!(!attributes.contains_key("error.type"));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ends_while_it_waits_says_what_failed_before() {
    let telemetry = Telemetry::new();
    let retry = at_once().strategy(fixed(Duration::from_secs(1)));
    let policy = AsyncPolicy::builder()
        .retry(retry)
        .deadline(Duration::from_secs(10))
        .observer(telemetry.observer())
        .build()
        .unwrap();
    // The wait takes longer than requested.
    let outcome = policy
        .operation("sync")
        .sleep_with(|_| tokio::time::advance(Duration::from_secs(20)))
        .execute(|| async { Err::<(), _>(reset()) })
        .await;
    assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::DeadlineExceeded), 1));

    let span = telemetry.span("sync");
    let names: Vec<_> = events(&span).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["retry", "deadline_exceeded"]);
    let attributes = texts(&span.attributes);
    assert_eq!(attributes["error.class"], "TRANSIENT");
    assert_eq!(attributes["error.type"], std::any::type_name::<io::Error>());
    assert_eq!(span.status, Status::error(StopReason::DeadlineExceeded.description()));
}

#[test]
fn a_rejected_call_has_a_span_and_the_breaker_s_events_are_on_it() {
    let telemetry = Telemetry::new();
    let breaker = CircuitBreaker::builder().name("users-db").failure_threshold(1).build().unwrap();
    let policy = Policy::builder().circuit_breaker(breaker).observer(telemetry.observer()).build().unwrap();
    policy.operation("opens").call(|| Err::<(), _>(reset())).unwrap_err();
    policy.operation("rejected").call(|| Ok::<_, io::Error>(())).unwrap_err();

    let opens = telemetry.span("opens");
    let names: Vec<_> = events(&opens).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["max_attempts_exceeded", "circuit_opened"]);
    assert!(opens.events.iter().all(|event| event.timestamp <= opens.end_time), "an event after the end");
    let circuit = &events(&opens)[1].1;
    assert_eq!(circuit["circuit.state"], "open");
    assert_eq!(circuit["breaker"], "users-db");
    assert!(!circuit.contains_key("error.type"), "it is not a failure itself");

    let rejected = telemetry.span("rejected");
    let attributes = texts(&rejected.attributes);
    assert_eq!(attributes["retry.attempts"], "0");
    assert_eq!(attributes["retry.outcome"], "rejected");
    assert_eq!(attributes["retry.stop_reason"], "CIRCUIT_OPEN");
    assert_eq!(attributes["error.type"], "CIRCUIT_OPEN");
    assert_eq!(rejected.status, Status::error(StopReason::CircuitOpen.description()));
}

#[test]
fn the_span_is_current_in_the_operation_and_nowhere_else() {
    let telemetry = Telemetry::new();
    let tracer = telemetry.tracer();
    let policy = Policy::builder().retry(at_once()).observer(telemetry.observer()).build().unwrap();

    tracer.in_span("request", |cx| {
        let here = cx.span().span_context().clone();
        policy
            .operation("load_user")
            .call(|| {
                tracer.in_span("query", |_| ());
                Ok::<_, io::Error>(())
            })
            .unwrap();
        assert_eq!(Context::current().span().span_context(), &here);
    });
    let (request, call, query) = (telemetry.span("request"), telemetry.span("load_user"), telemetry.span("query"));
    assert!(is_child(&call, &request));
    assert!(is_child(&query, &call));
    assert!(!Context::current().has_active_span());
}

#[test]
fn baggage_and_other_values_reach_the_operation() {
    #[derive(Debug, PartialEq)]
    struct Tenant(u32);

    let telemetry = Telemetry::new();
    let policy = Policy::builder().observer(telemetry.observer()).build().unwrap();
    let _guard = Context::current_with_value(Tenant(7)).attach();
    let seen = policy.call(|| Ok::<_, io::Error>(Context::current().get::<Tenant>().is_some())).unwrap();
    assert!(seen);
}

#[test]
fn a_span_that_is_not_sampled_is_a_parent_all_the_same() {
    let exporter = opentelemetry_sdk::trace::InMemorySpanExporter::default();
    // The sampler drops roots, and samples children like their parents.
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)))
        .build();
    use opentelemetry::trace::TracerProvider;
    let observer = OtelObserver::builder().tracer(provider.tracer("redress")).metrics(false).build();
    let policy = Policy::builder().retry(at_once()).observer(observer).build().unwrap();
    let inside = policy
        .operation("load_user")
        .call(|| Ok::<_, io::Error>(Context::current().span().span_context().clone()))
        .unwrap();
    assert!(inside.is_valid(), "what the operation starts must see that it is not sampled");
    assert!(!inside.is_sampled());
    assert!(exporter.get_finished_spans().unwrap().is_empty());
}

#[test]
fn a_call_within_suppressed_telemetry_has_no_span() {
    let telemetry = Telemetry::new();
    let policy = Policy::builder().observer(telemetry.observer()).build().unwrap();
    let outer = telemetry.tracer().start("outer");
    let outer_context = opentelemetry::trace::Span::span_context(&outer).clone();
    let _guard = Context::current_with_span(outer).with_telemetry_suppressed().attach();
    let inside = policy.call(|| Ok::<_, io::Error>(Context::current().span().span_context().clone())).unwrap();
    assert_eq!(inside, outer_context);
    assert!(telemetry.spans().is_empty());
}

#[test]
fn hostile_names_are_data() {
    let telemetry = Telemetry::new();
    let policy = Policy::builder().observer(telemetry.observer()).build().unwrap();
    let long = "x".repeat(1 << 20);
    for name in ["\0\u{1b}[31m\r\n", "{}\"'\\;DROP TABLE", "операция/\u{202e}", &long] {
        policy.operation(name).call(|| Ok::<_, io::Error>(())).unwrap();
        let span = telemetry.span(name);
        assert!(span.attributes.contains(&KeyValue::new("operation", name.to_owned())));
    }
    // An empty name counts as absent.
    policy.operation("").call(|| Ok::<_, io::Error>(())).unwrap();
    assert!(!texts(&telemetry.span("redress.retry").attributes).contains_key("operation"));
    assert_eq!(telemetry.points("redress.retry.duration").len(), 5);
}

#[test]
fn turned_off_there_are_none() {
    let telemetry = Telemetry::new();
    let policy = Policy::builder().observer(telemetry.builder().spans(false).build()).build().unwrap();
    policy.call(|| Ok::<_, io::Error>(())).unwrap();
    assert!(telemetry.spans().is_empty());
    assert_eq!(telemetry.points("redress.retry.duration").len(), 1);
}

#[test]
fn the_last_failure_s_detail_is_the_span_s() {
    let telemetry = Telemetry::new();
    let policy = Policy::builder().retry(at_once()).observer(telemetry.observer()).build().unwrap();
    policy.operation("load").call(|| Err::<(), _>(StatusError::new(503))).unwrap_err();
    let span = telemetry.span("load");
    assert_eq!(texts(&span.attributes)["retry.detail"], "503");
    assert_eq!(texts(&span.attributes)["error.type"], std::any::type_name::<StatusError>());
    assert!(events(&span).iter().all(|(_, attributes)| attributes["retry.detail"] == "503"));

    let mut answers = [Ok(()), Err(StatusError::new(503))];
    let mut next = answers.iter_mut().rev().map(|answer| std::mem::replace(answer, Ok(())));
    policy.operation("recovers").call(|| next.next().unwrap()).unwrap();
    assert!(!texts(&telemetry.span("recovers").attributes).contains_key("retry.detail"), "a success has none");
}

#[tokio::test(start_paused = true)]
async fn a_rejection_says_when_the_next_probe_is() {
    let telemetry = Telemetry::new();
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(Duration::from_secs(30));
    let policy = AsyncPolicy::builder().circuit_breaker(breaker).observer(telemetry.observer()).build().unwrap();
    policy.call(|| async { Err::<(), _>(reset()) }).await.unwrap_err();
    tokio::time::advance(Duration::from_secs(10)).await;
    policy.operation("late").call(|| async { Ok::<_, io::Error>(()) }).await.unwrap_err();
    let [(name, attributes)] = &events(&telemetry.span("late"))[..] else { panic!("one event") };
    assert_eq!((name.as_str(), attributes["circuit.retry_in"].as_str()), ("circuit_rejected", "20"));
    assert!(!attributes.contains_key("retry.attempt"), "there was none");
}
