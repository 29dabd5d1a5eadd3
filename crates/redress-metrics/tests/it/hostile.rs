//! Hostile names, which must result in a page that a scraper accepts.

use std::io::{Error, ErrorKind};

use metrics::set_default_local_recorder;
use redress_core::{CircuitBreaker, Policy};
use redress_metrics::{MetricsObserver, names};

use crate::exporter::Exporter;

/// Names without a backslash, which are read back unchanged.
const HOSTILE: [&str; 12] = [
    "two\nlines",
    "\r\n# TYPE forged counter\nforged 1",
    "a \"quoted\" name",
    "\"} 1\nforged{x=\"",
    "{},=",
    "tab\tand\0nul",
    "Überprüfung der Größe",
    "\u{202e}right to left",
    "👩‍🚀 in orbit",
    " spaces around ",
    "# HELP forged",
    "+Inf",
];

/// Names with a backslash. The exporter drops a backslash before a quote, and doubles or swaps
/// others, but the page must stay well-formed.
const WITH_BACKSLASHES: [&str; 5] = ["\\", "trailing\\", "\\\"} 1", "\\\n", "\\\\n\\"];

fn call_all(names: impl IntoIterator<Item = String>) {
    let observer = MetricsObserver::new();
    for name in names {
        let breaker = CircuitBreaker::builder().name(name.clone()).failure_threshold(1);
        let policy = Policy::builder().circuit_breaker(breaker).observer(observer.clone()).build().unwrap();
        let _ = policy.operation(name).call(|| Err::<(), _>(Error::from(ErrorKind::ConnectionReset)));
    }
}

#[tokio::test]
async fn hostile_names_are_read_back_as_they_were() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    call_all(HOSTILE.map(str::to_owned));
    let page = exporter.scrape().await;
    assert_eq!(page.values_of(names::ATTEMPTS_TOTAL, "operation"), HOSTILE.into());
    assert_eq!(page.values_of(names::CIRCUIT_STATE, "breaker"), HOSTILE.into());
    assert_eq!(page.families.len(), 4, "nothing is forged: {:?}", page.families.keys());
}

#[tokio::test]
async fn names_with_backslashes_leave_the_page_well_formed() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    call_all(WITH_BACKSLASHES.map(str::to_owned));
    let page = exporter.scrape().await;
    assert_eq!(page.families.len(), 4);
    assert!(page.values_of(names::ATTEMPTS_TOTAL, "operation").contains("\\"));
}

#[tokio::test]
async fn names_that_are_too_long_or_empty_are_no_labels() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    // The limit of 128 counts bytes, not characters.
    let (fits, too_long) = ("é".repeat(64), "é".repeat(64) + "e");
    call_all([String::new(), fits.clone(), too_long, "x".repeat(10_000)]);
    let page = exporter.scrape().await;
    assert_eq!(page.values_of(names::ATTEMPTS_TOTAL, "operation"), ["none", "other", fits.as_str()].into());
    assert_eq!(page.value(names::ATTEMPTS_TOTAL, &[("operation", "other")]), Some(2.0));
    assert_eq!(page.values_of(names::CIRCUIT_STATE, "breaker"), ["none", fits.as_str()].into());
}
