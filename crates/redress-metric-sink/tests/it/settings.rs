//! Which metrics and labels are written.

use redress_metric_sink::{Metric, MetricKind, Settings, label};

#[test]
fn labels_are_those_of_the_metric_in_its_order() {
    let settings = Settings::all();
    for metric in Metric::ALL {
        assert_eq!(settings.labels(metric), metric.labels);
    }
}

#[test]
fn the_label_for_operations_can_be_left_out() {
    let mut settings = Settings::all();
    settings.operation = false;
    assert_eq!(settings.labels(&Metric::ATTEMPTS), [label::POLICY]);
    assert_eq!(settings.labels(&Metric::CALL_DURATION), [label::OUTCOME, label::POLICY]);
    assert_eq!(settings.labels(&Metric::CIRCUIT_STATE), [label::BREAKER]);
}

#[test]
fn events_alone_can_have_the_type_of_the_error_as_their_last_label() {
    let mut settings = Settings::all();
    settings.error_type = true;
    for metric in Metric::ALL {
        let added: &[&str] = if *metric == Metric::EVENTS { &[label::ERROR_TYPE] } else { &[] };
        assert_eq!(settings.labels(metric), [metric.labels, added].concat());
    }
}

#[test]
fn the_default_writes_every_metric_and_only_events_writes_one() {
    assert!(Settings::default().metrics().eq(Metric::ALL));
    let counter = Metric::EVENTS.renamed("billing_events_total");
    let settings = Settings::only_events(counter.clone());
    assert_eq!(settings.metrics().collect::<Vec<_>>(), [&counter]);
    assert_eq!(counter.labels, Metric::EVENTS.labels);
}

#[test]
fn names_end_as_prometheus_expects_and_buckets_ascend() {
    for metric in Metric::ALL {
        match metric.kind {
            MetricKind::Counter => assert!(metric.name.ends_with("_total"), "{}", metric.name),
            MetricKind::Histogram => assert!(metric.name.ends_with("_seconds"), "{}", metric.name),
            MetricKind::Gauge => assert!(!metric.name.ends_with("_total"), "{}", metric.name),
        }
        assert_eq!(metric.kind == MetricKind::Histogram, !metric.buckets.is_empty());
        assert!(metric.buckets.is_sorted_by(|low, high| low < high), "{}", metric.name);
        assert!(metric.help.ends_with('.'));
    }
}
