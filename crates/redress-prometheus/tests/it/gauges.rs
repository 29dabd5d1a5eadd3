//! A gauge that is cleared is no longer on the page.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use redress_core::breaker::KeyedBreakers;
use redress_core::{Budget, CircuitBreaker, Policy};
use redress_fixtures::exposition::Format;

use crate::server::Served;

fn reset() -> Result<(), Error> {
    Err(Error::from(ErrorKind::ConnectionReset))
}

#[test]
fn an_unwatched_breaker_leaves_the_page_until_its_state_changes() {
    let served = Served::start();
    let breaker = CircuitBreaker::builder().name("db").failure_threshold(1).build().unwrap();
    let policy = Policy::builder().circuit_breaker(&breaker).observer(served.observer.clone()).build().unwrap();
    served.observer.watch(&breaker);
    assert_eq!(served.scrape(Format::Prometheus).samples("redress_circuit_state"), [("breaker=db".to_owned(), 0.0)]);
    served.observer.unwatch("db");
    assert_eq!(served.text(Format::Prometheus), "", "no line is left of it");
    let _ = policy.call(reset);
    assert_eq!(served.scrape(Format::OpenMetrics).samples("redress_circuit_state"), [("breaker=db".to_owned(), 2.0)]);
}

#[test]
fn an_evicted_breaker_leaves_the_page() {
    let served = Served::start();
    let policy = Policy::builder().observer(served.observer.clone()).build().unwrap();
    let settings = CircuitBreaker::builder().failure_threshold(1);
    let hosts = policy.keyed(KeyedBreakers::builder(settings).capacity(1)).unwrap();
    hosts.for_key("a.example").call(|| Ok::<_, Error>(())).unwrap();
    served.observer.watch_keyed(hosts.breakers());
    assert_eq!(served.scrape(Format::Prometheus).values_of("redress_circuit_state", "breaker"), ["a.example"].into());
    let _ = hosts.for_key("b.example").call(reset);
    assert_eq!(served.scrape(Format::Prometheus).values_of("redress_circuit_state", "breaker"), ["b.example"].into());
}

#[test]
fn an_unwatched_budget_leaves_the_page() {
    let served = Served::start();
    served.observer.watch_budget("process", &Budget::new(7, Duration::from_secs(60)).unwrap());
    assert_eq!(
        served.scrape(Format::Prometheus).samples("redress_budget_remaining"),
        [("budget=process".to_owned(), 7.0)]
    );
    served.observer.unwatch_budget("process");
    assert_eq!(served.text(Format::Prometheus), "");
}
