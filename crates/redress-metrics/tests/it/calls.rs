//! Every series of calls, retries, waits and durations, with labels and values.

use std::future::{Future, pending};
use std::io::{Error, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use metrics::set_default_local_recorder;
use redress_core::driver::NoTimer;
use redress_core::error::{AbortRetryError, StatusError};
use redress_core::{AsyncPolicy, ErrorClass, Event, EventName, Observer, Policy, Retry, SleepDecision, fixed};
use redress_metrics::{MetricsObserver, names};
use redress_testing::VirtualClock;

use crate::exporter::Exporter;
use crate::exposition::Page;

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn reset() -> Error {
    Error::from(ErrorKind::ConnectionReset)
}

/// Three attempts, 250 ms apart, on a virtual clock.
fn policy(clock: &VirtualClock) -> Policy {
    Policy::builder()
        .retry(Retry::builder().strategy(fixed(millis(250))).max_attempts(3))
        .clock(clock.clone())
        .sleep_with(clock.sleeper())
        .observer(MetricsObserver::new())
        .build()
        .unwrap()
}

#[tokio::test]
async fn every_series_of_three_calls_with_its_labels_and_value() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let clock = VirtualClock::new();
    let policy = policy(&clock);

    let in_time = || {
        clock.advance(millis(40));
        Ok::<_, Error>(())
    };
    policy.operation("load").call(in_time).unwrap();
    let mut failures = 1;
    let second_time = || {
        clock.advance(millis(30));
        failures -= 1;
        if failures < 0 { Ok(()) } else { Err(reset()) }
    };
    policy.operation("load").call(second_time).unwrap();
    let _ = policy.operation("store").call(|| Err::<(), _>(reset()));

    let page = exporter.scrape().await;
    assert_eq!(page.families.len(), 4, "{:?}", page.families.keys());

    let events = page.family(names::EVENTS_TOTAL);
    assert_eq!((events.kind.as_str(), events.help.as_deref()), ("counter", Some(EVENTS_HELP)));
    assert_eq!(
        events.lines(),
        [
            "redress_events_total breaker=none cause=exception class=TRANSIENT detail=ConnectionReset event=max_attempts_exceeded operation=store policy=none stop_reason=MAX_ATTEMPTS_GLOBAL 1",
            "redress_events_total breaker=none cause=exception class=TRANSIENT detail=ConnectionReset event=retry operation=load policy=none stop_reason=none 1",
            "redress_events_total breaker=none cause=exception class=TRANSIENT detail=ConnectionReset event=retry operation=store policy=none stop_reason=none 2",
            "redress_events_total breaker=none cause=none class=none detail=none event=success operation=load policy=none stop_reason=none 2",
        ]
    );

    let attempts = page.family(names::ATTEMPTS_TOTAL);
    assert_eq!((attempts.kind.as_str(), attempts.help.as_deref()), ("counter", Some(ATTEMPTS_HELP)));
    assert_eq!(
        attempts.lines(),
        ["redress_attempts_total operation=load policy=none 3", "redress_attempts_total operation=store policy=none 3"]
    );

    let sleeps = page.family(names::RETRY_SLEEP_SECONDS);
    assert_eq!((sleeps.kind.as_str(), sleeps.help.as_deref()), ("histogram", Some(SLEEP_HELP)));
    let store = [("class", "TRANSIENT"), ("operation", "store")];
    assert_eq!(page.value("redress_retry_sleep_seconds_count", &store), Some(2.0));
    assert_eq!(page.value("redress_retry_sleep_seconds_sum", &store), Some(0.5));
    assert_eq!(
        page.value(
            "redress_retry_sleep_seconds_bucket",
            &[("class", "TRANSIENT"), ("le", "0.25"), ("operation", "store")]
        ),
        Some(2.0)
    );
    assert_eq!(
        page.value(
            "redress_retry_sleep_seconds_bucket",
            &[("class", "TRANSIENT"), ("le", "0.1"), ("operation", "store")]
        ),
        Some(0.0)
    );

    let durations = page.family(names::CALL_DURATION_SECONDS);
    assert_eq!((durations.kind.as_str(), durations.help.as_deref()), ("histogram", Some(DURATION_HELP)));
    let loaded = [("operation", "load"), ("outcome", "success")];
    assert_eq!(page.value("redress_call_duration_seconds_count", &loaded), Some(2.0));
    // 40 ms, and 30 + 250 + 30 ms.
    assert_eq!(page.value("redress_call_duration_seconds_sum", &loaded), Some(0.35));
    let stored = [("operation", "store"), ("outcome", "failure")];
    assert_eq!(page.value("redress_call_duration_seconds_sum", &stored), Some(0.5));
    assert_eq!(page.values_of(names::CALL_DURATION_SECONDS, "outcome").len(), 2);
}

const EVENTS_HELP: &str = "Events of redress policies and circuit breakers.";
const ATTEMPTS_HELP: &str = "Attempts started by redress policies, first ones and retries.";
const SLEEP_HELP: &str = "Waits before retries, as decided.";
const DURATION_HELP: &str = "Time that calls through redress policies took, attempts and waits together.";

#[tokio::test]
async fn names_stay_as_documented_when_the_exporter_adds_units_and_suffixes() {
    let exporter = Exporter::with(|builder| builder.with_recommended_naming(true));
    let _installed = set_default_local_recorder(&exporter.recorder);
    let _ = policy(&VirtualClock::new()).call(|| Err::<(), _>(reset()));
    let page = exporter.scrape().await;
    let names: Vec<_> = page.families.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [names::ATTEMPTS_TOTAL, names::CALL_DURATION_SECONDS, names::EVENTS_TOTAL, names::RETRY_SLEEP_SECONDS]
    );
    assert!(
        page.value(
            "redress_retry_sleep_seconds_bucket",
            &[("class", "TRANSIENT"), ("le", "+Inf"), ("operation", "none")]
        )
        .is_some()
    );
}

#[tokio::test]
async fn an_end_of_each_kind_has_its_outcome() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let policy = policy(&VirtualClock::new());
    let _ = policy.operation("a").call(|| Err::<(), _>(AbortRetryError::new("enough")));
    let _ = policy.operation("b").sleep_handler(|_, _| SleepDecision::Defer).call(|| Err::<(), _>(reset()));
    let _ = policy.operation("c").call(|| Err::<(), _>(StatusError::new(401)));
    policy.operation("d").call(|| Ok::<_, Error>(())).unwrap();

    let page = exporter.scrape().await;
    for (operation, outcome) in [("a", "aborted"), ("b", "scheduled"), ("c", "failure"), ("d", "success")] {
        let labels = [("operation", operation), ("outcome", outcome)];
        assert_eq!(page.value("redress_call_duration_seconds_count", &labels), Some(1.0), "{operation}");
    }
    // The wait of a deferred retry is not recorded.
    assert!(!page.families.contains_key(names::RETRY_SLEEP_SECONDS));
    let unauthorized = [
        ("breaker", "none"),
        ("cause", "exception"),
        ("class", ErrorClass::Auth.as_str()),
        ("detail", "401"),
        ("event", "permanent_fail"),
        ("operation", "c"),
        ("stop_reason", "NON_RETRYABLE_CLASS"),
    ];
    assert_eq!(page.value(names::EVENTS_TOTAL, &unauthorized), Some(1.0));
}

#[tokio::test]
async fn a_call_that_is_dropped_has_one_end_and_its_time() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let clock = VirtualClock::new();
    let builder = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).observer(MetricsObserver::new());
    let policy = builder.build().unwrap();
    let calls = policy.operation("hangs");
    drop(calls.call(pending::<Result<(), Error>>));
    {
        let mut dropped = pin!(calls.call(pending::<Result<(), Error>>));
        assert!(dropped.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        clock.advance(millis(300));
    }
    let page = exporter.scrape().await;
    assert_eq!(page.value(names::ATTEMPTS_TOTAL, &[("operation", "hangs")]), Some(1.0));
    assert_eq!(ended_as_cancelled(&page, "hangs"), 0.3);
}

#[tokio::test]
async fn a_call_that_a_panic_goes_through_has_one_end_and_its_time() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let clock = VirtualClock::new();
    let policy = policy(&clock);
    let gone = catch_unwind(AssertUnwindSafe(|| {
        policy.operation("bursts").call(|| -> Result<(), Error> {
            clock.advance(millis(40));
            panic!("of the operation")
        })
    }));
    assert!(gone.is_err());
    assert_eq!(ended_as_cancelled(&exporter.scrape().await, "bursts"), 0.04);
}

/// The duration of the only call, after checking that it is counted once and as cancelled.
fn ended_as_cancelled(page: &Page, operation: &str) -> f64 {
    let events = page.family(names::EVENTS_TOTAL);
    assert_eq!(events.sum(), 1.0, "{events:?}");
    assert_eq!(page.values_of(names::EVENTS_TOTAL, "event"), ["cancelled"].into());
    assert_eq!(page.values_of(names::CALL_DURATION_SECONDS, "outcome"), ["cancelled"].into());
    let labels = [("operation", operation), ("outcome", "cancelled")];
    assert_eq!(page.value("redress_call_duration_seconds_count", &labels), Some(1.0));
    page.value("redress_call_duration_seconds_sum", &labels).unwrap()
}

#[tokio::test]
async fn a_cancelled_event_is_counted_and_has_a_duration_if_its_time_is_known() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let observer = MetricsObserver::new();
    let mut event = Event::new(EventName::Cancelled);
    observer.on_event(&event);
    event.elapsed = Some(millis(50));
    observer.on_event(&event);
    let page = exporter.scrape().await;
    assert_eq!(page.values_of(names::EVENTS_TOTAL, "event"), ["cancelled"].into());
    assert_eq!(page.family(names::EVENTS_TOTAL).sum(), 2.0);
    let cancelled = [("operation", "none"), ("outcome", "cancelled")];
    assert_eq!(page.value("redress_call_duration_seconds_count", &cancelled), Some(1.0));
    assert_eq!(page.value("redress_call_duration_seconds_sum", &cancelled), Some(0.05));
}

#[tokio::test]
async fn a_timed_out_attempt_is_distinguished_from_an_error() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let clock = VirtualClock::new();
    let retry = Retry::builder().strategy(fixed(millis(10))).max_attempts(2);
    let policy = AsyncPolicy::<_, NoTimer>::builder()
        .retry(retry)
        .attempt_timeout(millis(20))
        .timer(clock.timer())
        .observer(MetricsObserver::new())
        .build()
        .unwrap();
    let _ = clock.block_on(policy.operation("slow").call(pending::<Result<(), Error>>));
    let page = exporter.scrape().await;
    assert_eq!(page.values_of(names::EVENTS_TOTAL, "cause"), ["timeout"].into());
    let labels = [("operation", "slow"), ("outcome", "failure")];
    assert_eq!(page.value("redress_call_duration_seconds_sum", &labels), Some(0.05));
}

#[tokio::test]
async fn the_type_of_an_error_is_a_label_when_asked_for_and_its_text_never() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let observer = MetricsObserver::builder().with_error_type().build();
    let policy = Policy::builder().observer(observer).build().unwrap();
    let _ = policy.call(|| Err::<(), _>(Error::other("password=hunter2")));
    policy.call(|| Ok::<_, Error>(())).unwrap();
    let text = exporter.text().await;
    assert!(!text.contains("hunter2"), "{text}");
    let page = Page::parse(&text);
    assert_eq!(page.values_of(names::EVENTS_TOTAL, "error_type"), ["none", "std::io::error::Error"].into());
}

/// One query over policies and details shows which dependency fails, and with which status, timeout
/// or reset.
#[tokio::test]
async fn failures_by_policy_and_detail_say_who_failed_and_how() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let (clock, observer) = (VirtualClock::new(), MetricsObserver::new());
    let named = |name| Policy::builder().name(name).clock(clock.clone()).observer(observer.clone()).build().unwrap();
    let (orders, prices) = (named("orders"), named("prices"));
    let _ = orders.call(|| Err::<(), _>(StatusError::new(503)));
    let _ = orders.call(|| Err::<(), _>(StatusError::new(500)));
    let _ = prices.call(|| Err::<(), _>(reset()));
    let _ = prices.call(|| Err::<(), _>(Error::from(ErrorKind::TimedOut)));
    let hangs = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).name("stock").observer(observer.clone());
    let hangs = hangs.attempt_timeout(millis(100)).build().unwrap();
    {
        let mut call = pin!(hangs.call(pending::<Result<(), Error>>));
        let mut context = Context::from_waker(Waker::noop());
        assert!(call.as_mut().poll(&mut context).is_pending());
        clock.advance(millis(100));
        assert!(call.as_mut().poll(&mut context).is_ready());
    }

    let page = exporter.scrape().await;
    let failed = page.family(names::EVENTS_TOTAL).samples.iter().filter(|((_, labels), _)| labels["cause"] != "none");
    let mut table: Vec<_> = failed
        .map(|((_, labels), count)| format!("{} {} {}", labels["policy"], labels["detail"], count.value))
        .collect();
    table.sort();
    let expected = ["orders 500 1", "orders 503 1", "prices ConnectionReset 1", "prices TimedOut 1", "stock timeout 1"];
    assert_eq!(table, expected);
}
