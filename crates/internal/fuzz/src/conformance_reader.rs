//! The target `conformance_reader`: reads the input as a file of scenarios and as a file of
//! classifier tables.
//!
//! Runs the scenarios that are small enough on both drivers, which must agree.

use std::error::Error;

use redress_conformance::{Scenario, judge_tables, parse, run_async, run_blocking};
use redress_testing::VirtualClock;
use serde_json::Value;

/// Reads any bytes as scenarios and as tables. Checks that they are read, or refused with a reason,
/// and that small scenarios run alike on both drivers.
///
/// # Panics
///
/// If a law is broken.
pub fn conformance_reader(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match parse(&text) {
        Ok(scenarios) => {
            let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
            assert_eq!(scenarios.len(), lines.len(), "one scenario a line");
            for (scenario, line) in scenarios.iter().zip(lines) {
                if serde_json::from_str(line).is_ok_and(|json| is_small(&json)) {
                    drivers_agree(scenario, line);
                }
            }
        }
        Err(refused) => has_a_reason(&refused),
    }
    tables_are_judged_row_by_row(&text);
}

fn has_a_reason(refused: &dyn Error) {
    assert!(!refused.to_string().is_empty());
    assert!(refused.source().is_some_and(|reason| !reason.to_string().is_empty()), "{refused} has a reason");
}

fn drivers_agree(scenario: &Scenario, line: &str) {
    let blocking = run_blocking(scenario);
    let clock = VirtualClock::new();
    let timer = clock.timer();
    let pass = {
        let timer = timer.clone();
        move |duration| redress_core::driver::Timer::sleep(&timer, duration)
    };
    let asynchronous = clock.block_on(run_async(scenario, timer, pass));
    assert_eq!(blocking, asynchronous, "both drivers do the same");
    assert_eq!(run_blocking(scenario), blocking, "a second run does the same");
    let _ = scenario.mismatches(&blocking);

    let mut described: Value = serde_json::from_str(line).expect("it was read before");
    described["expect"] = blocking.iter().map(|trace| trace.as_json().clone()).collect();
    let described = parse(&described.to_string()).expect("a trace is in the format");
    assert_eq!(described[0].mismatches(&blocking), [], "the trace agrees with itself");
    assert_eq!(described[0].id(), scenario.id());
}

/// Whether the scenario's configuration is valid, uses no randomness and ends soon.
fn is_small(scenario: &Value) -> bool {
    let calls = scenario["calls"].as_array().map_or(0, Vec::len);
    let retry = &scenario["retry"];
    let is_retried_little = is_between(&retry["max_attempts"], 1.0, 20.0)
        && is_span(&retry["deadline_s"])
        && is_cap(&retry["max_unknown_attempts"])
        && values(&retry["per_class_max_attempts"]).all(is_cap)
        && (!retry["strategy"].is_null() || values(&retry["strategies"]).next().is_some())
        && values(&retry["strategies"]).chain([&retry["strategy"]]).all(is_plain);
    let (budget, breaker) = (&scenario["budget"], &scenario["breaker"]);
    let is_budget = budget.is_null() || (is_between(&budget["max_retries"], 0.0, 1e3) && is_span(&budget["window_s"]));
    let is_breaker = breaker.is_null()
        || (values(&breaker["class_thresholds"])
            .chain([&breaker["failure_threshold"]])
            .all(|threshold| is_between(threshold, 1.0, 1e3))
            && is_span(&breaker["window_s"])
            && is_span(&breaker["recovery_timeout_s"]));
    calls <= 16 && (retry.is_null() || is_retried_little) && is_budget && is_breaker
}

/// The values of an object.
fn values(json: &Value) -> impl Iterator<Item = &Value> {
    json.as_object().into_iter().flat_map(|object| object.values())
}

fn is_between(number: &Value, least: f64, most: f64) -> bool {
    number.as_f64().is_some_and(|number| (least..=most).contains(&number))
}

fn is_span(seconds: &Value) -> bool {
    is_between(seconds, 1e-6, 1e9)
}

fn is_cap(cap: &Value) -> bool {
    cap.is_null() || is_between(cap, 0.0, 65_534.0)
}

fn is_plain(strategy: &Value) -> bool {
    match strategy["kind"].as_str() {
        Some("retry_after_or") => is_between(&strategy["jitter_s"], 0.0, 0.0) && is_plain(&strategy["fallback"]),
        Some("adaptive") => {
            let least = strategy["min_multiplier"].as_f64().unwrap_or_default();
            is_span(&strategy["window_s"])
                && is_between(&strategy["target_success"], 0.01, 1.0)
                && least >= 1.0
                && is_between(&strategy["max_multiplier"], least, 1e6)
                && is_plain(&strategy["fallback"])
        }
        _ => true,
    }
}

fn tables_are_judged_row_by_row(text: &str) {
    let report = match judge_tables(text) {
        Ok(report) => report,
        Err(refused) => return has_a_reason(&refused),
    };
    assert!(report.stale.is_empty(), "{report}");
    let json: Value = serde_json::from_str(text).expect("it was read before");
    let tables = json["tables"].as_object().expect("a file has tables");
    assert_eq!(report.tables.len() + report.unbuilt.len(), tables.len(), "{report}");
    let rows = |name: &str| tables[name].as_array().map_or(0, Vec::len);
    for table in &report.tables {
        let met: usize = table.differences.iter().map(|met| met.rows).sum();
        assert_eq!(table.as_original + met + table.wrong.len(), rows(table.name), "{report}");
    }
    assert!(report.unbuilt.iter().all(|table| table.rows == rows(&table.name)), "{report}");
    let is_right = report.tables.iter().all(|table| table.wrong.is_empty() && table.broad.is_empty());
    assert_eq!(report.is_passed(), is_right);
    assert!(!report.to_string().is_empty() || tables.is_empty());
}
