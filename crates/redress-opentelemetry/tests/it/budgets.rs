//! The gauge of budgets.

use std::time::Duration;

use redress_core::{Budget, Policy};

use crate::telemetry::{Telemetry, at_once, map, reset};

fn remaining(telemetry: &Telemetry) -> Vec<(String, f64)> {
    let points = telemetry.points("redress.budget.remaining");
    assert!(points.iter().all(|point| (point.kind, &*point.unit) == ("gauge", "{retry}")));
    let mut series: Vec<_> = points.iter().map(|point| (point.get("budget").to_owned(), point.value)).collect();
    series.sort_by(|left, right| left.0.cmp(&right.0));
    series
}

#[test]
fn a_watched_budget_shows_what_it_has_left_for_as_long_as_it_is_watched() {
    let telemetry = Telemetry::new();
    let [shared, single] = [9, 5].map(|retries| Budget::new(retries, Duration::from_secs(600)).unwrap());
    let observer = telemetry.builder().watch_budget("process", &shared).build();
    let watch = observer.watch_budget("orders", &single);
    let retry = at_once().budget(single);
    let policy = Policy::builder().retry(retry).observer(observer.clone()).build().unwrap();
    policy.call(|| Err::<(), _>(reset())).unwrap_err();
    assert_eq!(remaining(&telemetry), [("orders".to_owned(), 3.0), ("process".to_owned(), 9.0)]);
    assert_eq!(telemetry.points("redress.budget.remaining")[0].attributes.len(), map([("budget", "")]).len());

    drop(watch);
    assert_eq!(remaining(&telemetry), [("process".to_owned(), 9.0)]);
}

#[test]
fn without_metrics_there_is_nothing_to_watch_with_and_a_watch_may_outlive_its_observer() {
    let telemetry = Telemetry::new();
    let budget = Budget::new(9, Duration::from_secs(600)).unwrap();
    drop(telemetry.builder().metrics(false).build().watch_budget("process", &budget));
    let observer = telemetry.observer();
    let watch = observer.watch_budget("process", &budget);
    drop(observer);
    assert!(remaining(&telemetry).is_empty(), "the callback kept the observer alive");
    drop(watch);
}
