//! Limits on names bound the page and the memory behind it.

use std::io::{Error, ErrorKind};
use std::thread;

use redress_core::breaker::KeyedBreakers;
use redress_core::{CircuitBreaker, Policy};
use redress_fixtures::exposition::Format;
use redress_prometheus::PrometheusObserver;

use crate::server::Served;

#[test]
fn a_storm_of_new_names_adds_no_series_beyond_the_limits() {
    let builder = PrometheusObserver::builder().operation_limit(3).policy_limit(2).breaker_limit(2).detail_limit(2);
    let served = Served::with(builder);
    let storm = |from: usize| {
        for each in from..from + 50 {
            let breaker = CircuitBreaker::builder().name(format!("breaker {each}")).failure_threshold(1);
            let builder = Policy::builder().name(format!("policy {each}")).circuit_breaker(breaker);
            let policy = builder.observer(served.observer.clone()).build().unwrap();
            let _ = policy.operation(format!("op {each}")).call(|| Err::<(), _>(Error::from(ErrorKind::TimedOut)));
        }
    };
    thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || storm(thread * 50));
        }
    });
    let page = served.scrape(Format::OpenMetrics);
    let attempts = page.samples("redress_attempts_total");
    assert_eq!(attempts.iter().map(|(_, count)| count).sum::<f64>(), 200.0, "each attempt is counted");
    assert_eq!(page.values_of("redress_attempts_total", "operation").len(), 4);
    assert_eq!(page.values_of("redress_attempts_total", "policy").len(), 3);
    assert_eq!(page.values_of("redress_events_total", "breaker").len(), 3);
    assert_eq!(page.samples("redress_circuit_state").len(), 2);
    let lines = served.text(Format::Prometheus).lines().count();
    storm(1000);
    assert_eq!(served.text(Format::Prometheus).lines().count(), lines, "further names change no line");
}

#[test]
fn keys_that_come_and_go_add_no_series_beyond_the_limit() {
    let served = Served::with(PrometheusObserver::builder().breaker_limit(3));
    let policy = Policy::builder().observer(served.observer.clone()).build().unwrap();
    let settings = CircuitBreaker::builder().failure_threshold(1);
    let hosts = policy.keyed(KeyedBreakers::builder(settings).capacity(1)).unwrap();
    served.observer.watch_keyed(hosts.breakers());
    for host in 0..200 {
        hosts.for_key(&format!("host-{host}")).call(|| Ok::<_, Error>(())).unwrap();
    }
    let page = served.scrape(Format::Prometheus);
    let counted = page.values_of("redress_events_total", "breaker");
    assert_eq!(counted, ["host-0", "host-1", "host-2", "other"].into());
    assert!(page.samples("redress_circuit_state").len() <= 1, "only one of the breakers is left");
}
