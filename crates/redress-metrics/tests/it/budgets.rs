//! The gauge of watched budgets.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use metrics::set_default_local_recorder;
use redress_core::{Budget, Policy, Retry, fixed};
use redress_metrics::{MetricsObserver, names};
use redress_testing::VirtualClock;

use crate::exporter::Exporter;
use crate::exposition::Page;

const WINDOW: Duration = Duration::from_secs(60);

fn policy(clock: &VirtualClock, budget: &Budget, observer: &MetricsObserver) -> Policy {
    let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3).budget(budget.clone());
    Policy::builder().retry(retry).clock(clock.clone()).observer(observer.clone()).build().unwrap()
}

fn fail(policy: &Policy) {
    let _ = policy.call(|| Err::<(), _>(Error::from(ErrorKind::ConnectionReset)));
}

async fn shown(exporter: &Exporter, name: &str) -> Option<f64> {
    exporter.scrape().await.value(names::BUDGET_REMAINING, &[("budget", name)])
}

#[tokio::test]
async fn the_gauge_goes_down_with_retries_and_up_with_time() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let (clock, observer) = (VirtualClock::new(), MetricsObserver::new());
    let budget = Budget::with_clock(3, WINDOW, clock.clone()).unwrap();
    let policy = policy(&clock, &budget, &observer);
    observer.watch_budget("process", &budget);
    assert_eq!(shown(&exporter, "process").await, Some(3.0));

    fail(&policy);
    assert_eq!(shown(&exporter, "process").await, Some(1.0));
    fail(&policy);
    assert_eq!(shown(&exporter, "process").await, Some(0.0));

    clock.advance(WINDOW);
    policy.call(|| Ok::<_, Error>(())).unwrap();
    assert_eq!(shown(&exporter, "process").await, Some(3.0), "a success shows what time gave back");

    assert!(budget.consume());
    assert_eq!(shown(&exporter, "process").await, Some(3.0), "spent by hand");
    observer.refresh();
    assert_eq!(shown(&exporter, "process").await, Some(2.0));
}

#[tokio::test]
async fn an_unwatched_budget_shows_nothing_and_a_later_one_takes_its_name() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let (clock, observer) = (VirtualClock::new(), MetricsObserver::new());
    let [small, large] = [3, 9].map(|retries| Budget::with_clock(retries, WINDOW, clock.clone()).unwrap());
    observer.watch_budget("process", &small);
    observer.watch_budget("process", &large);
    fail(&policy(&clock, &small, &observer));
    assert_eq!(shown(&exporter, "process").await, Some(9.0));

    observer.unwatch_budget("another");
    observer.unwatch_budget("process");
    fail(&policy(&clock, &large, &observer));
    observer.refresh();
    assert!(shown(&exporter, "process").await.unwrap().is_nan());
}

#[tokio::test]
async fn a_retry_shows_in_the_gauge_while_the_call_goes_on() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let (clock, observer) = (VirtualClock::new(), MetricsObserver::new());
    let budget = Budget::with_clock(3, WINDOW, clock.clone()).unwrap();
    observer.watch_budget("process", &budget);
    let mut seen = Vec::new();
    let _ = policy(&clock, &budget, &observer).call(|| {
        let page = Page::parse(&exporter.recorder.handle().render());
        seen.extend(page.value(names::BUDGET_REMAINING, &[("budget", "process")]));
        Err::<(), _>(Error::from(ErrorKind::ConnectionReset))
    });
    assert_eq!(seen, [3.0, 2.0, 1.0]);
}
