//! Summaries for a terminal: they fit, say what happened, and name the policies.

use redress_core::{AsyncPolicy, CircuitBreaker, ErrorClass};
use redress_sim::{Clients, Fault, Load, Report, Scenario, Server};

use crate::{attempts, millis, once, secs};

fn scenario() -> Scenario {
    Scenario::new(Load::steady(50), Server::new(1, millis(10)))
        .name("an outage")
        .about("The server is down for ten seconds, and this sentence is longer than a line of a terminal is wide.")
        .fault(Fault::stops(secs(20), secs(30)))
        .horizon(secs(60))
}

fn run(attempts_each: u32) -> Report {
    let breaker = CircuitBreaker::builder().failure_threshold(5).recovery_timeout(secs(2));
    let policy = once().retry(attempts(attempts_each)).circuit_breaker(breaker);
    scenario().run(Clients::alike(1200, policy)).expect("valid")
}

#[track_caller]
fn expect_fits(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 80 && line == line.trim_end(), "{line:?}");
    }
}

#[test]
fn a_summary_says_what_happened_in_80_columns() {
    let text = run(3).label("orders").to_string();
    expect_fits(&text);
    let begin = "an outage: 1,200 clients, 60 s\n  The server is down for ten seconds, and this sentence is longer than a line of\n  a terminal is wide.\n\norders: calls recover at once when the trouble ends. During it ";
    assert!(text.starts_with(begin), "{text}");
    for part in [
        "before        during         after",
        "succeeded",
        "attempts a call",
        "latency p99",
        "circuits open",
        "MAX_ATTEMPTS_GLOBAL",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let marks = text.lines().find(|line| line.starts_with("trouble")).expect("the trouble is marked");
    assert_eq!(marks.matches('^').count(), 10, "a point is a second");
}

/// Calls at the horizon have neither succeeded nor failed, and the table says where they are.
#[test]
fn calls_that_still_run_at_the_end_have_a_row() {
    let scenario = Scenario::new(Load::steady(50), Server::new(10, secs(2))).horizon(secs(10));
    let report = scenario.run(Clients::sharing(1, AsyncPolicy::builder())).expect("valid");
    let total = report.total();
    let running = total.offered - total.good;
    assert_eq!((total.failed, running > 0), (0, true));
    let text = report.to_string();
    let row = text.lines().find(|line| line.starts_with("still running ")).expect("a row");
    assert!(row.ends_with(&format!(" {running}")), "{text}");
    expect_fits(&text);

    let all_end = Scenario::new(Load::steady(50), Server::new(10, millis(1)));
    assert!(!all_end.run(Clients::sharing(1, once())).expect("valid").to_string().contains("still running"));
}

#[test]
fn a_comparison_names_both_policies() {
    let [one, other] =
        [run(3).label("with retries"), run(1).label("a policy with a name that is too long for two columns")];
    let text = one.against(&other).to_string();
    expect_fits(&text);
    assert!(text.contains("\nwith retries: calls recover") && text.contains("\na policy with a name"), "{text}");
    assert!(text.contains("failed calls, with retries: "), "{text}");
    assert_eq!(text.matches("trouble  ").count(), 2);
}

/// A time from a minute up has two units, and is as wide as a column of a comparison.
#[test]
fn the_cells_of_a_comparison_do_not_touch() {
    let scenario = Scenario::new(Load::steady(50), Server::new(10_000, secs(90)))
        .fault(Fault::slow(secs(20), secs(30), 2))
        .horizon(secs(600));
    let report = scenario.run(Clients::sharing(1, AsyncPolicy::builder())).expect("valid");
    let text = report.against(&report).to_string();
    let row = text.lines().find(|line| line.starts_with("latency p50")).expect("a row");
    assert_eq!(row.matches(" 1 min ").count() + row.matches(" 2 min ").count(), 6, "{text}");
}

#[test]
fn a_run_without_trouble_has_one_column() {
    let scenario = Scenario::new(Load::steady(50), Server::new(1, millis(10)));
    let text = scenario.run(Clients::sharing(1, once())).expect("valid").to_string();
    expect_fits(&text);
    assert!(text.starts_with("scenario: 1 client, 60 s\n\nthe policy: "), "{text}");
    assert!(!text.contains("during") && !text.contains("trouble"), "{text}");
}

#[test]
fn a_share_that_is_not_whole_is_not_printed_as_whole() {
    let scenario = Scenario::new(Load::steady(100), Server::new(10, millis(1))).fault(Fault::errors(
        secs(10),
        secs(50),
        0.001,
        ErrorClass::Permanent,
    ));
    let report = scenario.run(Clients::sharing(1, once())).expect("valid");
    assert!(report.sum(10..50).failed > 0);
    assert!(report.to_string().contains("During it 99."), "{report}");
}

/// The end of each second is noted, and a closure sees it.
#[test]
fn progress_is_told_by_the_second() {
    let mut seen = Vec::new();
    let report = scenario().run_watched(Clients::sharing(1, once()), |progress| seen.push(progress)).expect("valid");
    assert_eq!(seen.len(), 60);
    for (second, progress) in (1..).zip(&seen) {
        assert_eq!((progress.simulated, progress.horizon), (secs(second), secs(60)));
    }
    assert!(seen[59].events <= report.events() && seen[0].events < seen[59].events);
}
