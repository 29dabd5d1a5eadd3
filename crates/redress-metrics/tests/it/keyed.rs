//! The gauges of keyed breakers, and names that are forgotten.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use metrics::set_default_local_recorder;
use redress_core::breaker::{CircuitBreakerBuilder, KeyedBreakers};
use redress_core::policy::KeyedPolicies;
use redress_core::{CircuitBreaker, Policy};
use redress_metrics::{MetricsObserver, names};
use redress_testing::VirtualClock;

use crate::exporter::Exporter;

/// When an open circuit that is not called is out of date: recovery time and window.
const OUT_OF_DATE: Duration = Duration::from_secs(30 + 60);

fn settings() -> CircuitBreakerBuilder {
    CircuitBreaker::builder().failure_threshold(1)
}

fn hosts(observer: &MetricsObserver, clock: &VirtualClock, capacity: usize) -> KeyedPolicies<Policy> {
    let policy = Policy::builder().observer(observer.clone()).clock(clock.clone()).build().unwrap();
    policy.keyed(KeyedBreakers::builder(settings()).capacity(capacity)).unwrap()
}

fn reset() -> Error {
    Error::from(ErrorKind::ConnectionReset)
}

fn fails(hosts: &KeyedPolicies<Policy>, host: &str) {
    let _ = hosts.for_key(host).call(|| Err::<(), _>(reset()));
}

fn succeeds(hosts: &KeyedPolicies<Policy>, host: &str) {
    hosts.for_key(host).call(|| Ok::<_, Error>(())).unwrap();
}

async fn shown(exporter: &Exporter, breaker: &str) -> Option<f64> {
    exporter.scrape().await.value(names::CIRCUIT_STATE, &[("breaker", breaker)])
}

#[tokio::test]
async fn a_keyed_breaker_shows_until_it_is_evicted() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let (clock, observer) = (VirtualClock::new(), MetricsObserver::new());
    let hosts = hosts(&observer, &clock, 2);
    succeeds(&hosts, "known");
    observer.watch_keyed(hosts.breakers());
    assert_eq!(shown(&exporter, "known").await, Some(0.0));

    fails(&hosts, "down");
    assert_eq!(shown(&exporter, "down").await, Some(2.0));
    succeeds(&hosts, "new");
    assert!(shown(&exporter, "known").await.unwrap().is_nan(), "evicted");
    assert_eq!((shown(&exporter, "down").await, shown(&exporter, "new").await), (Some(2.0), None));

    clock.advance(OUT_OF_DATE);
    for host in ["newer", "newest", "known"] {
        succeeds(&hosts, host);
    }
    assert!(shown(&exporter, "down").await.unwrap().is_nan(), "no alert on an open circuit stays");
    observer.refresh();
    assert!(shown(&exporter, "down").await.unwrap().is_nan());

    // A key that has a breaker again has a gauge again.
    fails(&hosts, "down");
    assert_eq!(shown(&exporter, "down").await, Some(2.0));
    fails(&hosts, "known");
    assert_eq!(shown(&exporter, "known").await, Some(2.0));
}

#[tokio::test]
async fn a_keyed_breaker_shows_its_state_and_not_that_of_an_event() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let (clock, observer) = (VirtualClock::new(), MetricsObserver::new());
    let hosts = hosts(&observer, &clock, 2);
    observer.watch_keyed(hosts.breakers());
    fails(&hosts, "down");
    let breaker = hosts.breakers().for_key("down").unwrap();
    clock.advance(OUT_OF_DATE);
    // Without an event: outside of a policy.
    let probe = breaker.try_acquire_at(redress_core::driver::Clock::now(&clock)).unwrap();
    observer.refresh();
    assert_eq!(shown(&exporter, "down").await, Some(1.0));
    drop(probe);
}

#[tokio::test]
async fn the_gauges_of_keyed_breakers_are_bounded() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let (clock, observer) = (VirtualClock::new(), MetricsObserver::builder().breaker_limit(3).build());
    let hosts = hosts(&observer, &clock, 10);
    for host in 0..2 {
        succeeds(&hosts, &format!("known-{host}"));
    }
    observer.watch_keyed(hosts.breakers());
    for host in 0..5 {
        fails(&hosts, &format!("down-{host}"));
    }
    let page = exporter.scrape().await;
    assert_eq!(page.values_of(names::CIRCUIT_STATE, "breaker"), ["down-0", "known-0", "known-1"].into());
    assert_eq!(page.values_of(names::EVENTS_TOTAL, "breaker"), ["down-0", "known-0", "known-1", "other"].into());

    clock.advance(OUT_OF_DATE);
    for host in 0..1_000 {
        fails(&hosts, &format!("more-{host}"));
        clock.advance(OUT_OF_DATE);
    }
    let page = exporter.scrape().await;
    assert_eq!(page.values_of(names::CIRCUIT_STATE, "breaker").len(), 3, "keys that come and go add nothing");
}

#[tokio::test]
async fn a_name_that_is_unwatched_is_forgotten() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let observer = MetricsObserver::builder().breaker_limit(1).build();
    let call = |name: &'static str, fails: bool| {
        let policy =
            Policy::builder().circuit_breaker(settings().name(name)).observer(observer.clone()).build().unwrap();
        let _ = policy.call(|| if fails { Err(reset()) } else { Ok(()) });
    };
    call("a", true);
    call("b", true);
    assert_eq!((shown(&exporter, "a").await, shown(&exporter, "b").await), (Some(2.0), None));
    observer.unwatch("a");
    assert!(shown(&exporter, "a").await.unwrap().is_nan(), "although it was not watched");
    call("b", true);
    assert_eq!(shown(&exporter, "b").await, Some(2.0), "the place is free");
    call("a", true);
    assert!(shown(&exporter, "a").await.unwrap().is_nan(), "and taken");
    let page = exporter.scrape().await;
    assert_eq!(page.values_of(names::EVENTS_TOTAL, "breaker"), ["a", "b", "other"].into());

    // The series of a name are those of that name, also after another one took its place.
    for round in 0..100 {
        let breaker = CircuitBreaker::builder().name(format!("host-{round}")).build().unwrap();
        observer.watch(&breaker);
        let policy = Policy::builder().circuit_breaker(&breaker).observer(observer.clone()).build().unwrap();
        policy.call(|| Ok::<_, Error>(())).unwrap();
        observer.unwatch(breaker.name().unwrap());
    }
    let page = exporter.scrape().await;
    for round in 0..100 {
        let breaker = format!("host-{round}");
        let labels = [
            ("breaker", &*breaker),
            ("cause", "none"),
            ("class", "none"),
            ("event", "success"),
            ("operation", "none"),
            ("stop_reason", "none"),
        ];
        assert_eq!(page.value(names::EVENTS_TOTAL, &labels), Some(1.0), "{breaker}");
    }
}

#[test]
fn an_observer_and_its_keyed_breakers_do_not_keep_each_other_alive() {
    let (clock, observer) = (VirtualClock::new(), MetricsObserver::new());
    let hosts = hosts(&observer, &clock, 2);
    observer.watch_keyed(hosts.breakers());
    fails(&hosts, "down");
    let weak = hosts.breakers().downgrade();
    drop(hosts);
    assert!(weak.upgrade().is_none());
    observer.refresh();
}
