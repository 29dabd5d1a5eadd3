//! The two hooks named after the Python original.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use metrics::set_default_local_recorder;
use redress_core::{CircuitBreaker, Policy, Retry, fixed};
use redress_metrics::{MetricsObserver, prometheus_hooks, prometheus_metric_hook};

use crate::exporter::Exporter;

fn fail_once(observer: MetricsObserver) {
    let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2);
    let breaker = CircuitBreaker::builder().name("b").failure_threshold(1);
    let policy = Policy::builder().retry(retry).circuit_breaker(breaker).observer(observer).build().unwrap();
    let _ = policy.operation("op").call(|| Err::<(), _>(Error::from(ErrorKind::ConnectionReset)));
}

#[tokio::test]
async fn the_metric_hook_counts_events_and_nothing_else() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    fail_once(prometheus_metric_hook("my_events"));
    let page = exporter.scrape().await;
    let [events] = page.families.values().collect::<Vec<_>>()[..] else { panic!("{:?}", page.families.keys()) };
    assert!(events.help.is_some());
    assert_eq!(
        events.lines(),
        [
            "my_events breaker=b cause=exception class=TRANSIENT detail=ConnectionReset event=max_attempts_exceeded operation=op policy=none stop_reason=MAX_ATTEMPTS_GLOBAL 1",
            "my_events breaker=b cause=exception class=TRANSIENT detail=ConnectionReset event=retry operation=op policy=none stop_reason=none 1",
            "my_events breaker=b cause=none class=TRANSIENT detail=none event=circuit_opened operation=op policy=none stop_reason=none 1",
        ]
    );
}

#[tokio::test]
async fn the_hooks_also_record_the_waits() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    fail_once(prometheus_hooks("my_events", "my_sleep_seconds"));
    let page = exporter.scrape().await;
    let names: Vec<_> = page.families.keys().map(String::as_str).collect();
    assert_eq!(names, ["my_events", "my_sleep_seconds"]);
    assert!(page.families.values().all(|family| family.help.is_some()));
    let waits = [("class", "TRANSIENT"), ("operation", "op")];
    assert_eq!(page.value("my_sleep_seconds_count", &waits), Some(1.0));
}
