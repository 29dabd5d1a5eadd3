//! `promtool check metrics`, Prometheus' own linter, on the page of redress-prometheus.

use std::io::{Error, ErrorKind, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use prometheus_client::encoding::prometheus_text;
use prometheus_client::registry::Registry;
use redress::observe::prometheus::PrometheusObserver;
use redress::{Budget, CircuitBreaker, Policy, Retry, fixed};
use redress_servers::find_program;

#[test]
fn promtool_finds_nothing_in_a_page_with_every_metric() {
    let page = page_with_every_metric();
    assert_eq!(page.matches("# TYPE ").count(), 6, "{page}");
    let (accepted, said) = check(&page);
    assert!(accepted && said.is_empty(), "{said}\n{page}");
}

#[test]
fn promtool_reads_what_it_is_given() {
    let (accepted, said) = check("# TYPE a counter\na 1\n");
    assert!(!accepted && said.contains("no help text"), "{said}");
}

/// The page after a call with a retry that opened its breaker, and one that was rejected.
fn page_with_every_metric() -> String {
    let mut registry = Registry::default();
    let observer = PrometheusObserver::builder().with_error_type().register(&mut registry);
    let budget = Budget::new(10, Duration::from_secs(60)).expect("a budget");
    observer.watch_budget("process", &budget);
    let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2).budget(budget);
    let breaker = CircuitBreaker::builder().name("a \"quoted\"\nname\\").failure_threshold(1);
    let policy = Policy::builder().name("orders").retry(retry).circuit_breaker(breaker).observer(observer);
    let policy = policy.build().expect("a policy");
    let _ = policy.operation("load").call(|| Err::<(), _>(Error::from(ErrorKind::ConnectionReset)));
    let _ = policy.operation("load").call(|| Ok::<_, Error>(()));
    let mut page = String::new();
    prometheus_text::encode(&mut page, &registry).expect("a page");
    page
}

/// Whether promtool accepts a page, and what it says about it.
fn check(page: &str) -> (bool, String) {
    let mut command = Command::new(find_program("promtool", &[], "prometheus"));
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut checking = command.spawn().expect("promtool starts");
    checking.stdin.take().expect("a pipe").write_all(page.as_bytes()).expect("promtool reads");
    let output = checking.wait_with_output().expect("promtool ends");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}
