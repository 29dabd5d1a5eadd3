//! Names, types, units, help texts and buckets in both formats.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use prometheus_client::registry::Registry;
use redress_core::{Budget, CircuitBreaker, Policy, Retry, fixed};
use redress_fixtures::exposition::Format;
use redress_metric_sink::{Metric, MetricKind};
use redress_prometheus::{Buckets, PrometheusObserver};

use crate::server::Served;

/// Writes every metric: a call with a retry that opens its breaker, and a budget.
pub(crate) fn write_all(observer: &PrometheusObserver) {
    let budget = Budget::new(10, Duration::from_secs(60)).unwrap();
    observer.watch_budget("process", &budget);
    let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2).budget(budget);
    let breaker = CircuitBreaker::builder().name("db").failure_threshold(1);
    let builder = Policy::builder().name("orders").retry(retry).circuit_breaker(breaker).observer(observer.clone());
    let _ = builder.build().unwrap().operation("load").call(|| Err::<(), _>(Error::from(ErrorKind::ConnectionReset)));
    let calm = Policy::builder().name("users").observer(observer.clone()).build().unwrap();
    calm.operation("load").call(|| Ok::<_, Error>(())).unwrap();
}

#[test]
fn both_formats_have_the_names_of_the_table() {
    let served = Served::start();
    write_all(&served.observer);
    for format in [Format::Prometheus, Format::OpenMetrics] {
        let page = served.scrape(format);
        assert_eq!(page.families.len(), Metric::ALL.len(), "{:?}", page.names());
        for metric in Metric::ALL {
            // OpenMetrics names the family of a counter without the ending of its samples.
            let family = match format {
                Format::OpenMetrics => metric.name.trim_end_matches("_total"),
                Format::Prometheus => &*metric.name,
            };
            let sample = match metric.kind {
                MetricKind::Histogram => format!("{}_count", metric.name),
                _ => metric.name.to_string(),
            };
            assert_eq!(page.families[family].help.as_deref(), Some(metric.help), "{format:?}");
            let mut keys = metric.labels.to_vec();
            keys.sort_unstable();
            for ((_, labels), _) in page.families[family].samples.iter().filter(|((name, _), _)| *name == sample) {
                assert_eq!(labels.keys().collect::<Vec<_>>(), keys, "{format:?}, {family}");
            }
            assert!(!page.samples(&sample).is_empty(), "{format:?} has no {sample}");
            let unit = (format == Format::OpenMetrics && metric.kind == MetricKind::Histogram).then_some("seconds");
            assert_eq!(page.families[family].unit.as_deref(), unit, "{format:?}, {family}");
        }
    }
}

#[test]
fn both_formats_have_the_same_values() {
    let served = Served::start();
    write_all(&served.observer);
    let [old, open] = [Format::Prometheus, Format::OpenMetrics].map(|format| served.scrape(format));
    for metric in Metric::ALL {
        let samples: &[&str] = if metric.kind == MetricKind::Histogram { &["_count", "_sum"] } else { &[""] };
        for suffix in samples {
            let name = format!("{}{suffix}", metric.name);
            assert_eq!(old.samples(&name), open.samples(&name));
        }
    }
    assert_eq!(
        old.samples("redress_attempts_total"),
        [("operation=load policy=orders".to_owned(), 2.0), ("operation=load policy=users".to_owned(), 1.0)]
    );
    assert_eq!(old.samples("redress_circuit_state"), [("breaker=db".to_owned(), 2.0)]);
    assert_eq!(old.samples("redress_budget_remaining"), [("budget=process".to_owned(), 9.0)]);
    let waits = "class=TRANSIENT operation=load policy=orders".to_owned();
    assert_eq!(old.samples("redress_retry_sleep_seconds_count"), [(waits, 1.0)]);
}

#[test]
fn histograms_have_the_recommended_buckets() {
    let served = Served::start();
    write_all(&served.observer);
    for format in [Format::Prometheus, Format::OpenMetrics] {
        let page = served.scrape(format);
        for metric in [Metric::CALL_DURATION, Metric::RETRY_SLEEP] {
            let bounds = page.values_of(&format!("{}_bucket", metric.name), "le");
            let mut bounds: Vec<f64> = bounds.into_iter().map(|bound| bound.parse().unwrap()).collect();
            bounds.sort_by(f64::total_cmp);
            assert_eq!(bounds.pop(), Some(f64::INFINITY));
            assert_eq!(bounds, metric.buckets, "{format:?}");
        }
    }
}

#[test]
fn histograms_have_the_buckets_that_are_set() {
    let builder = PrometheusObserver::builder()
        .call_duration_buckets(Buckets::new([0.5, 2.0]).unwrap())
        .retry_sleep_buckets(Buckets::new([-1.0, 0.0, 3.5]).unwrap());
    let served = Served::with(builder);
    write_all(&served.observer);
    let page = served.scrape(Format::Prometheus);
    assert_eq!(page.values_of("redress_call_duration_seconds_bucket", "le"), ["0.5", "2", "+Inf"].into());
    assert_eq!(page.values_of("redress_retry_sleep_seconds_bucket", "le"), ["-1", "0", "3.5", "+Inf"].into());
    let of_wait = |bound: &str| {
        let buckets = page.samples("redress_retry_sleep_seconds_bucket");
        buckets.iter().find(|(labels, _)| labels.contains(&format!(" le={bound} "))).unwrap().1
    };
    assert_eq!([of_wait("-1"), of_wait("0"), of_wait("+Inf")], [0.0, 1.0, 1.0]);
}

#[test]
fn bounds_that_scrapers_reject_are_refused() {
    let refused = |bounds: &[f64]| Buckets::new(bounds.iter().copied()).unwrap_err().to_string();
    assert!(refused(&[]).contains("buckets"), "{}", refused(&[]));
    assert!(refused(&[]).contains("must have at least one bound"));
    for bounds in [[0.1, f64::INFINITY], [f64::NAN, 1.0], [f64::NEG_INFINITY, 1.0]] {
        assert!(refused(&bounds).contains("must be finite"), "{bounds:?}");
    }
    for bounds in [[1.0, 0.1], [1.0, 1.0], [0.0, -0.0]] {
        assert!(refused(&bounds).contains("must ascend"), "{bounds:?}");
    }
    assert!(Buckets::new([1.0]).is_ok());
}

#[test]
fn a_wait_counts_in_its_bucket() {
    let served = Served::start();
    write_all(&served.observer);
    let page = served.scrape(Format::Prometheus);
    let buckets = page.samples("redress_retry_sleep_seconds_bucket");
    assert_eq!(buckets.len(), Metric::RETRY_SLEEP.buckets.len() + 1);
    assert!(buckets.iter().all(|(_, count)| *count == 1.0), "a wait of zero is below every bound: {buckets:?}");
    assert_eq!(page.samples("redress_retry_sleep_seconds_sum")[0].1, 0.0);
}

#[test]
fn a_registry_without_calls_has_an_empty_page() {
    let served = Served::start();
    assert_eq!(served.text(Format::Prometheus), "");
    assert_eq!(served.text(Format::OpenMetrics), "# EOF\n");
}

#[test]
fn the_prefix_and_the_labels_of_the_registry_are_kept() {
    let labels = [("zone".into(), "eu".into())];
    let mut registry = Registry::with_prefix_and_labels("shop", labels.into_iter());
    let observer = PrometheusObserver::register(&mut registry);
    let served = Served::serving(registry, observer);
    write_all(&served.observer);
    let page = served.scrape(Format::Prometheus);
    assert!(page.names().iter().all(|name| name.starts_with("shop_redress_")), "{:?}", page.names());
    assert_eq!(page.values_of("shop_redress_circuit_state", "zone"), ["eu"].into());
}

#[test]
fn labels_are_those_that_the_builder_says() {
    let served = Served::with(PrometheusObserver::builder().without_operation().with_error_type());
    write_all(&served.observer);
    let page = served.scrape(Format::OpenMetrics);
    assert!(page.values_of("redress_attempts_total", "operation").is_empty());
    assert!(page.values_of("redress_events_total", "error_type").contains("std::io::error::Error"));
}

#[test]
fn an_observer_prints_its_name_alone() {
    let (builder, served) = (PrometheusObserver::builder(), Served::start());
    assert!(format!("{builder:?}").starts_with("PrometheusObserverBuilder { settings: "));
    assert_eq!(format!("{:?}", served.observer), "PrometheusObserver { .. }");
}
