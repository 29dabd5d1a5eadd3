//! Recorders that are installed late, receive descriptions, or panic.

use std::io::{Error, ErrorKind};
use std::sync::Mutex;

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit, set_default_local_recorder,
    with_local_recorder,
};
use redress_core::{CircuitBreaker, Policy, StopReason};
use redress_metrics::{MetricsObserver, describe, names};

use crate::exporter::Exporter;

/// Records descriptions, and optionally panics on every write.
#[derive(Default)]
struct Listening {
    described: Mutex<Vec<(&'static str, String, Option<Unit>)>>,
    panics: bool,
}

impl Listening {
    fn note(&self, kind: &'static str, name: &KeyName, unit: Option<Unit>) {
        self.described.lock().unwrap().push((kind, name.as_str().to_owned(), unit));
    }
}

impl Recorder for Listening {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.note("counter", &name, unit);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.note("gauge", &name, unit);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.note("histogram", &name, unit);
    }

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        assert!(!self.panics, "no counters today");
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        assert!(!self.panics, "no gauges today");
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        assert!(!self.panics, "no histograms today");
        Histogram::noop()
    }
}

#[test]
fn every_metric_is_described_with_its_unit_when_an_observer_is_built() {
    let recorder = Listening::default();
    with_local_recorder(&recorder, MetricsObserver::new);
    let mut described = recorder.described.into_inner().unwrap();
    described.sort_by_key(|(_, name, _)| name.clone());
    let expected = [
        ("counter", names::ATTEMPTS_TOTAL, Unit::Count),
        ("gauge", names::BUDGET_REMAINING, Unit::Count),
        ("histogram", names::CALL_DURATION_SECONDS, Unit::Seconds),
        ("gauge", names::CIRCUIT_STATE, Unit::Count),
        ("counter", names::EVENTS_TOTAL, Unit::Count),
        ("histogram", names::RETRY_SLEEP_SECONDS, Unit::Seconds),
    ];
    assert_eq!(described, expected.map(|(kind, name, unit)| (kind, name.to_owned(), Some(unit))));
}

#[tokio::test]
async fn a_recorder_installed_late_receives_everything_from_then_on() {
    let observer = MetricsObserver::new();
    let breaker = CircuitBreaker::builder().name("b").build().unwrap();
    observer.watch(&breaker);
    observer.watch(&CircuitBreaker::builder().build().unwrap());
    let policy = Policy::builder().circuit_breaker(&breaker).observer(observer.clone()).build().unwrap();
    policy.operation("op").call(|| Ok::<_, Error>(())).unwrap();

    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    describe();
    observer.refresh();
    policy.operation("op").call(|| Ok::<_, Error>(())).unwrap();
    let page = exporter.scrape().await;
    assert_eq!(page.value(names::ATTEMPTS_TOTAL, &[("operation", "op")]), Some(1.0));
    assert_eq!(page.value(names::CIRCUIT_STATE, &[("breaker", "b")]), Some(0.0));
    assert_eq!(page.value(names::CIRCUIT_STATE, &[("breaker", "none")]), Some(0.0));
    assert!(page.families.values().all(|family| family.help.is_some()));
}

#[test]
fn a_recorder_that_panics_changes_no_call() {
    let recorder = Listening { panics: true, ..Listening::default() };
    let outcome = with_local_recorder(&recorder, || {
        let breaker = CircuitBreaker::builder().failure_threshold(1);
        let policy = Policy::builder().circuit_breaker(breaker).observer(MetricsObserver::new()).build().unwrap();
        assert!(policy.operation("op").call(|| Ok::<_, Error>(7)).is_ok());
        let _ = policy.operation("op").call(|| Err::<u8, _>(Error::from(ErrorKind::ConnectionReset)));
        policy.operation("new").execute(|| Ok::<_, Error>(7))
    });
    assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::CircuitOpen), 0));
}

/// A recorder may call the same observer while it is written to, without a deadlock.
#[test]
fn a_recorder_may_call_while_it_is_written_to() {
    struct Calling {
        policy: Policy,
        counted: Mutex<u32>,
    }
    impl Recorder for Calling {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            let first = {
                let mut counted = self.counted.lock().unwrap();
                *counted += 1;
                *counted == 1
            };
            if first {
                assert!(self.policy.operation("push").call(|| Ok::<_, Error>(key.name().len())).is_ok());
            }
            Counter::noop()
        }
        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }
        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }
    let observer = MetricsObserver::new();
    let policy = || Policy::builder().observer(observer.clone()).build().unwrap();
    let recorder = Calling { policy: policy(), counted: Mutex::new(0) };
    with_local_recorder(&recorder, || policy().operation("op").call(|| Ok::<_, Error>(())).unwrap());
    assert_eq!(*recorder.counted.lock().unwrap(), 4);
}

#[test]
fn an_observer_that_is_printed_shows_what_it_is() {
    assert_eq!(format!("{:?}", MetricsObserver::new()), "MetricsObserver { .. }");
}
