//! Names, types, values and tags of every metric.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use cadence::StatsdClient;
use redress_core::breaker::KeyedBreakers;
use redress_core::{Budget, CircuitBreaker, Policy, Retry, fixed};
use redress_datadog::{DatadogObserver, metric_name};
use redress_metric_sink::{Metric, MetricKind};

use crate::agent::Agent;

fn reset() -> Result<(), Error> {
    Err(Error::from(ErrorKind::ConnectionReset))
}

/// Writes every metric: a call with a retry that opens its breaker, and a budget.
fn write_all(observer: &DatadogObserver) {
    let budget = Budget::new(10, Duration::from_secs(60)).unwrap();
    observer.watch_budget("process", &budget);
    let retry = Retry::builder().strategy(fixed(Duration::from_micros(1500))).max_attempts(2).budget(budget);
    let breaker = CircuitBreaker::builder().name("db").failure_threshold(1);
    let builder = Policy::builder().name("orders").retry(retry).circuit_breaker(breaker).observer(observer.clone());
    let _ = builder.build().unwrap().operation("load").call(reset);
}

#[test]
fn every_metric_arrives_over_udp_and_unix_sockets() {
    for agent in [Agent::udp(), Agent::unix()] {
        write_all(&agent.observer());
        let received = agent.metrics();
        for metric in Metric::ALL {
            let name = metric_name(&metric.name);
            let of_name: Vec<_> = received.iter().filter(|received| received.name == name).collect();
            assert!(!of_name.is_empty(), "no {name} in {received:?}");
            for received in of_name {
                let kind = match metric.kind {
                    MetricKind::Counter => "c",
                    MetricKind::Histogram => "d",
                    MetricKind::Gauge => "g",
                };
                assert_eq!(received.kind, kind, "{name}");
                assert!(received.tags.iter().map(|(key, _)| key).eq(metric.labels), "{name}: {:?}", received.tags);
            }
        }
        assert_eq!(agent.datagrams.dropped(), 0);
    }
}

#[test]
fn names_are_words_with_dots() {
    let names: Vec<_> = Metric::ALL.iter().map(|metric| metric_name(&metric.name)).collect();
    let expected = [
        "redress.events",
        "redress.attempts",
        "redress.call.duration",
        "redress.retry.sleep",
        "redress.circuit.state",
        "redress.budget.remaining",
    ];
    assert_eq!(names, expected);
}

#[test]
fn values_are_ones_seconds_and_states() {
    let agent = Agent::udp();
    write_all(&agent.observer());
    let received = agent.metrics();
    let values = |name: &str| -> Vec<f64> {
        received.iter().filter(|metric| metric.name == name).map(|metric| metric.value).collect()
    };
    assert_eq!(values("redress.attempts"), [1.0, 1.0]);
    assert_eq!(values("redress.retry.sleep"), [0.0015]);
    assert_eq!(values("redress.circuit.state").last(), Some(&2.0));
    assert_eq!(values("redress.budget.remaining").last(), Some(&9.0));
    assert!(values("redress.events").iter().all(|value| *value == 1.0));
    let attempts = received.iter().find(|metric| metric.name == "redress.attempts").unwrap();
    assert_eq!((attempts.tag("policy"), attempts.tag("operation")), (Some("orders"), Some("load")));
}

#[test]
fn timings_are_milliseconds() {
    let agent = Agent::udp();
    write_all(&agent.builder().with_timings().build());
    let sleeps = agent.metrics_of("redress.retry.sleep");
    assert_eq!(sleeps.iter().map(|metric| (&*metric.kind, metric.value)).collect::<Vec<_>>(), [("ms", 1.0)]);
}

#[test]
fn the_prefix_and_the_tags_of_the_client_come_first() {
    let agent = Agent::udp();
    let client = StatsdClient::builder("shop", agent.datagrams.clone()).with_tag("env", "prod").build();
    write_all(&DatadogObserver::new(client));
    for metric in agent.metrics() {
        assert!(metric.name.starts_with("shop.redress."), "{metric:?}");
        assert_eq!(metric.tags[0], ("env".to_owned(), "prod".to_owned()));
    }
}

#[test]
fn tags_are_those_that_the_builder_says() {
    let agent = Agent::unix();
    write_all(&agent.builder().without_operation().with_error_type().build());
    let received = agent.metrics();
    assert!(received.iter().all(|metric| metric.tag("operation").is_none()));
    assert!(received.iter().any(|metric| metric.tag("error_type") == Some("std::io::error::Error")));
}

#[test]
fn names_beyond_the_limit_share_a_tag() {
    let agent = Agent::unix();
    let policy = Policy::builder().observer(agent.builder().operation_limit(1).build()).build().unwrap();
    for name in ["a", "b", "c"] {
        policy.operation(name).call(|| Ok::<_, Error>(())).unwrap();
    }
    let attempts = agent.metrics_of("redress.attempts");
    let operations: Vec<_> = attempts.iter().map(|metric| metric.tag("operation").unwrap()).collect();
    assert_eq!(operations, ["a", "other", "other"]);
}

#[test]
fn a_cleared_gauge_is_not_sent_any_more() {
    let agent = Agent::unix();
    let observer = agent.observer();
    let policy = Policy::builder().observer(observer.clone()).build().unwrap();
    let hosts = policy.keyed(KeyedBreakers::builder(CircuitBreaker::builder()).capacity(1)).unwrap();
    hosts.for_key("a.example").call(|| Ok::<_, Error>(())).unwrap();
    observer.watch_keyed(hosts.breakers());
    observer.refresh();
    let states = agent.metrics_of("redress.circuit.state");
    assert_eq!(states.last().unwrap().tag("breaker"), Some("a.example"));
    hosts.for_key("b.example").call(|| Ok::<_, Error>(())).unwrap();
    observer.unwatch("a.example");
    observer.refresh();
    assert!(agent.metrics_of("redress.circuit.state").is_empty());
}
