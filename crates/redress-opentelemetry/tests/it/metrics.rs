//! Counters and the histogram: names, units, kinds, attributes and values.

use std::cell::Cell;
use std::io;
use std::time::Duration;

use redress_core::error::StatusError;
use redress_core::{Classification, ErrorClass, Policy, SleepDecision, error_classifier, fixed};
use redress_opentelemetry::EventCounter;
use redress_tokio::AsyncPolicy;

use crate::telemetry::{Point, Telemetry, at_once, map, reset};

const IO_ERROR: &str = "std::io::error::Error";

fn fails(times: u32) -> impl FnMut() -> io::Result<()> {
    let made = Cell::new(0);
    move || {
        made.set(made.get() + 1);
        if made.get() <= times { Err(reset()) } else { Ok(()) }
    }
}

#[test]
fn retries_are_counted_by_what_failed() {
    let telemetry = Telemetry::new();
    let policy = Policy::builder().retry(at_once()).observer(telemetry.observer()).build().unwrap();
    policy.operation("load_user").call(fails(2)).unwrap();
    policy.operation("load_user").call(fails(0)).unwrap();
    policy.call(fails(1)).unwrap();

    let points = telemetry.points("redress.retries");
    assert_eq!(points.len(), 2);
    let named = points.iter().find(|point| point.get("operation") == "load_user").unwrap();
    let expected = Point {
        kind: "counter",
        unit: "{retry}".to_owned(),
        attributes: map([
            ("operation", "load_user"),
            ("error.class", "TRANSIENT"),
            ("error.type", IO_ERROR),
            ("retry.detail", "ConnectionReset"),
        ]),
        value: 2.0,
        count: 1,
        bounds: Vec::new(),
    };
    assert_eq!(*named, expected);
}

#[test]
fn only_successes_after_retries_are_successes_after_retries() {
    let telemetry = Telemetry::new();
    let policy = Policy::builder().retry(at_once()).observer(telemetry.observer()).build().unwrap();
    for failures in [0, 1, 2, 3] {
        let _ = policy.operation("load_user").call(fails(failures));
    }
    let points = telemetry.points("redress.retry.success_after_retries");
    let [point] = &points[..] else { panic!("{points:?}") };
    assert_eq!((point.kind, &*point.unit, point.value), ("counter", "{call}", 2.0));
    assert_eq!(point.attributes, map([("operation", "load_user")]));
}

#[tokio::test(start_paused = true)]
async fn durations_are_the_policy_s_time_in_seconds() {
    let telemetry = Telemetry::new();
    let retry = at_once().strategy(fixed(Duration::from_millis(1250)));
    let policy = AsyncPolicy::builder().retry(retry).observer(telemetry.observer()).build().unwrap();
    policy.operation("load_user").call(|| async { Err::<(), _>(reset()) }).await.unwrap_err();
    policy.operation("load_user").call(|| async { Ok::<_, io::Error>(()) }).await.unwrap();

    let points = telemetry.points("redress.retry.duration");
    assert_eq!(points.len(), 2);
    let failure = points.iter().find(|point| point.get("retry.outcome") == "failure").unwrap();
    let expected = map([
        ("operation", "load_user"),
        ("retry.outcome", "failure"),
        ("retry.detail", "ConnectionReset"),
        ("error.class", "TRANSIENT"),
        ("error.type", IO_ERROR),
    ]);
    assert_eq!(failure.attributes, expected);
    assert_eq!((failure.kind, &*failure.unit, failure.count, failure.value), ("histogram", "s", 1, 2.5));
    let advised = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0];
    assert_eq!(failure.bounds, advised);
    let success = points.iter().find(|point| point.get("retry.outcome") == "success").unwrap();
    assert_eq!(success.attributes, map([("operation", "load_user"), ("retry.outcome", "success")]));
}

#[test]
fn each_way_to_end_is_an_outcome() {
    let telemetry = Telemetry::new();
    let policy = Policy::builder().retry(at_once()).observer(telemetry.observer()).build().unwrap();
    policy.call(fails(0)).unwrap();
    policy.call(fails(9)).unwrap_err();
    policy.context().sleep_handler(|_, _| SleepDecision::Defer).call(fails(9)).unwrap_err();
    policy.context().abort_if(|| true).call(fails(0)).unwrap_err();

    let mut outcomes: Vec<_> = telemetry
        .points("redress.retry.duration")
        .iter()
        .map(|point| (point.get("retry.outcome").to_owned(), point.get("error.type").to_owned(), point.count))
        .collect();
    outcomes.sort();
    let expected = [("aborted", "", 1), ("failure", IO_ERROR, 1), ("scheduled", IO_ERROR, 1), ("success", "", 1)];
    assert_eq!(outcomes, expected.map(|(outcome, error, count)| (outcome.to_owned(), error.to_owned(), count)));
}

#[test]
fn without_operations_a_thousand_names_are_one_series() {
    let telemetry = Telemetry::new();
    let observer = telemetry.builder().operation_in_metrics(false).build();
    let policy = Policy::builder().retry(at_once()).observer(observer).build().unwrap();
    for number in 0..1000 {
        policy.operation(format!("/users/{number}")).call(fails(1)).unwrap();
    }
    for metric in ["redress.retries", "redress.retry.success_after_retries", "redress.retry.duration"] {
        let points = telemetry.points(metric);
        let [point] = &points[..] else { panic!("{metric}: {} series", points.len()) };
        assert_eq!(point.get("operation"), "");
    }
    assert_eq!(telemetry.span("/users/7").name, "/users/7", "spans keep it");
}

#[test]
fn turned_off_there_are_none() {
    let telemetry = Telemetry::new();
    let policy = Policy::builder().observer(telemetry.builder().metrics(false).build()).build().unwrap();
    policy.call(fails(9)).unwrap_err();
    assert!(telemetry.points("redress.retry.duration").is_empty());
    assert_eq!(telemetry.spans().len(), 1);
}

#[test]
fn the_event_counter_counts_every_event() {
    let telemetry = Telemetry::new();
    let counter = EventCounter::new(&telemetry.meter(), EventCounter::NAME);
    let breaker = redress_core::CircuitBreaker::builder().name("users-db").failure_threshold(1);
    let policy = Policy::builder().retry(at_once()).circuit_breaker(breaker).observer(counter.clone()).build().unwrap();
    policy.operation("load_user").call(fails(9)).unwrap_err();
    policy.operation("load_user").call(fails(0)).unwrap_err();

    let points = telemetry.points("redress_attempts");
    let of = |event: &str| {
        let point = points.iter().find(|point| point.get("event") == event).unwrap_or_else(|| panic!("no {event}"));
        assert_eq!((point.kind, &*point.unit), ("counter", "{event}"));
        (point.attributes.clone(), point.value)
    };
    let failure = |event, more: Option<(&str, &str)>| {
        let mut attributes = map([
            ("event", event),
            ("breaker", "users-db"),
            ("class", "TRANSIENT"),
            ("err", IO_ERROR),
            ("retry.detail", "ConnectionReset"),
            ("cause", "exception"),
            ("operation", "load_user"),
        ]);
        attributes.extend(more.map(|(key, value)| (key.to_owned(), value.to_owned())));
        attributes
    };
    assert_eq!(points.len(), 4);
    assert_eq!(of("retry"), (failure("retry", None), 2.0));
    let last = failure("max_attempts_exceeded", Some(("stop_reason", "MAX_ATTEMPTS_GLOBAL")));
    assert_eq!(of("max_attempts_exceeded"), (last, 1.0));
    assert_eq!(of("circuit_opened").0["state"], "open");
    assert_eq!(of("circuit_rejected").0["breaker"], "users-db");

    let policy = Policy::builder().observer(counter.without_operation()).build().unwrap();
    policy.operation("another").call(fails(0)).unwrap();
    let points = telemetry.points("redress_attempts");
    let success = points.iter().find(|point| point.get("event") == "success").unwrap();
    assert_eq!(success.attributes, map([("event", "success")]));
}

/// Returns the distinct values of an attribute of a metric.
fn values_of(telemetry: &Telemetry, metric: &str, attribute: &str) -> Vec<String> {
    let mut values: Vec<_> = telemetry.points(metric).iter().map(|point| point.get(attribute).to_owned()).collect();
    values.sort();
    values.dedup();
    values
}

#[test]
fn durations_of_failures_say_who_failed_and_how() {
    let telemetry = Telemetry::new();
    let named = |name| Policy::builder().name(name).observer(telemetry.observer()).build().unwrap();
    let (orders, prices) = (named("orders"), named("prices"));
    orders.call(|| Err::<(), _>(StatusError::new(503))).unwrap_err();
    prices.call(|| Err::<(), _>(reset())).unwrap_err();
    let mut table: Vec<_> = telemetry
        .points("redress.retry.duration")
        .iter()
        .map(|point| [point.get("policy"), point.get("retry.detail")].join(" "))
        .collect();
    table.sort();
    assert_eq!(table, ["orders 503", "prices ConnectionReset"]);
}

#[test]
fn values_beyond_the_limit_share_one_and_paths_starve_no_names() {
    let telemetry = Telemetry::new();
    let observer = telemetry.builder().spans(false).value_limit(2).operations(["declared", "GET /health"]).build();
    let classify =
        |error: &io::Error| Classification::new(ErrorClass::ServerError).with_detail("status", error.to_string());
    for number in 0..20 {
        let builder = Policy::builder().name(format!("policy {number}")).classifier(error_classifier(classify));
        let policy = builder.observer(observer.clone()).build().unwrap();
        let status = || Err::<(), _>(io::Error::other((500 + number).to_string()));
        policy.operation(format!("GET /users/{number}")).call(status).unwrap_err();
    }
    let policy = Policy::builder().observer(observer).build().unwrap();
    for name in ["list_orders", "GET /users/{id}", "late", "declared", "GET /health"] {
        policy.operation(name).call(fails(0)).unwrap();
    }
    let metric = "redress.retry.duration";
    let operations = ["GET /health", "GET /users/0", "GET /users/{id}", "declared", "list_orders", "other"];
    assert_eq!(values_of(&telemetry, metric, "operation"), operations);
    assert_eq!(values_of(&telemetry, metric, "policy"), ["", "other", "policy 0", "policy 1"]);
    assert_eq!(values_of(&telemetry, metric, "retry.detail"), ["", "500", "501", "other"]);
}

#[test]
fn the_event_counter_has_the_same_bounds() {
    let telemetry = Telemetry::new();
    let counter = EventCounter::new(&telemetry.meter(), EventCounter::NAME);
    let policy = Policy::builder().observer(counter).build().unwrap();
    for number in 0..1000 {
        policy.operation(format!("/users/{number}")).call(fails(0)).unwrap();
    }
    assert_eq!(values_of(&telemetry, EventCounter::NAME, "operation").len(), 51, "half for paths");
}

#[test]
fn values_that_are_too_long_share_one() {
    let telemetry = Telemetry::new();
    let policy = Policy::builder().observer(telemetry.observer()).build().unwrap();
    // The limit of 128 counts bytes, not characters.
    let (fits, too_long) = ("é".repeat(64), "é".repeat(64) + "e");
    for name in [fits.clone(), too_long, "x".repeat(10_000)] {
        policy.operation(name).call(fails(0)).unwrap();
    }
    assert_eq!(values_of(&telemetry, "redress.retry.duration", "operation"), ["other", fits.as_str()]);
}

#[test]
fn the_limit_holds_when_threads_bring_names_at_once() {
    for _ in 0..100 {
        let telemetry = Telemetry::new();
        let observer = telemetry.builder().spans(false).value_limit(1).build();
        let policy = Policy::builder().observer(observer).build().unwrap();
        let together = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (policy, together) = (&policy, &together);
                scope.spawn(move || {
                    let calls = policy.operation(format!("thread {thread}"));
                    together.wait();
                    calls.call(fails(0)).unwrap();
                });
            }
        });
        assert_eq!(values_of(&telemetry, "redress.retry.duration", "operation").len(), 2);
    }
}

#[test]
fn what_is_printed_says_what_is_written() {
    let telemetry = Telemetry::new();
    let observer = telemetry.builder().metrics(false).build();
    assert_eq!(format!("{observer:?}"), "OtelObserver { spans: true, metrics: false, .. }");
    let builder = telemetry.builder().attempt_spans(true);
    let printed =
        "OtelObserverBuilder { spans: true, attempt_spans: true, metrics: true, operation_in_metrics: true, .. }";
    assert_eq!(format!("{builder:?}"), printed);
    let counter = EventCounter::new(&telemetry.meter(), EventCounter::NAME).without_operation();
    assert_eq!(format!("{counter:?}"), "EventCounter { with_operation: false, .. }");
}
