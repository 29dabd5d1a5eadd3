//! Hostile names, which must result in a page that a scraper accepts.

use std::collections::BTreeSet;
use std::io::Error;

use redress_core::{CircuitBreaker, Policy};
use redress_fixtures::exposition::Format;

use crate::server::Served;

const HOSTILE: [&str; 11] = [
    "two\nlines",
    "\r\n# TYPE forged counter\nforged 1",
    "\"} 1\nforged{x=\"",
    "\" # {trace_id=\"forged\"} 1",
    "{},=",
    "tab\tand\0nul",
    "Überprüfung der Größe",
    "\u{202e}right to left",
    " spaces around ",
    "trailing\\",
    "\\\"} 1",
];

#[test]
fn hostile_names_are_read_back_as_they_were() {
    let served = Served::start();
    for name in HOSTILE {
        let breaker = CircuitBreaker::builder().name(name).build().unwrap();
        served.observer.watch(&breaker);
        let policy = Policy::builder().observer(served.observer.clone()).build().unwrap();
        policy.operation(name).call(|| Ok::<_, Error>(())).unwrap();
    }
    for format in [Format::Prometheus, Format::OpenMetrics] {
        let page = served.scrape(format);
        assert_eq!(page.values_of("redress_attempts_total", "operation"), BTreeSet::from(HOSTILE), "{format:?}");
        assert_eq!(page.values_of("redress_circuit_state", "breaker"), BTreeSet::from(HOSTILE), "{format:?}");
        assert_eq!(page.families.len(), 4, "nothing is forged: {:?}", page.names());
    }
}

/// A second series with the same labels would make a scraper reject the page.
#[test]
fn an_operation_called_none_or_other_shares_that_series() {
    let served = Served::with(redress_prometheus::PrometheusObserver::builder().operation_limit(2));
    let policy = Policy::builder().observer(served.observer.clone()).build().unwrap();
    policy.call(|| Ok::<_, Error>(())).unwrap();
    for name in ["none", "other", "third", "fourth"] {
        policy.operation(name).call(|| Ok::<_, Error>(())).unwrap();
    }
    let attempts = served.scrape(Format::OpenMetrics).samples("redress_attempts_total");
    let shared = |name: &str, count| (format!("operation={name} policy=none"), count);
    assert_eq!(attempts, [shared("none", 2.0), shared("other", 3.0)]);
}
