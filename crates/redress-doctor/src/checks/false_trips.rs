//! RD21: a breaker that opens while the dependency is healthy, because enough of the usual errors
//! fall together.

use redress_core::breaker::BreakerSpec;

use crate::circumstances::Traffic;
use crate::code::Code;
use crate::finding::Finding;
use crate::rates::{calls_in, seconds_between_rows, seconds_between_trips};
use crate::subject::Subject;
use crate::words::{grouped, number, percent, seconds, time};

/// How rarely a healthy dependency may be shut out, in seconds: once a day.
const RARE: f64 = 86_400.0;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let (Some(breaker), Some(traffic)) = (subject.breaker(), subject.traffic()) else { return };
    findings.extend([count(breaker, traffic), ratio(breaker, traffic), row(breaker, traffic)].into_iter().flatten());
}

fn count(breaker: &BreakerSpec, traffic: Traffic) -> Option<Finding> {
    let needed = breaker.threshold()?;
    let between = trips(breaker, traffic, needed.into())?;
    let rule = format!("{} failures in {}", grouped(needed.into()), time(breaker.window()));
    let how = if breaker.failure_ratio.is_none() {
        "judge busy clients by a share: `failure_ratio`"
    } else {
        "leave the count out: the ratio suffices"
    };
    Some(finding("circuit_breaker.failure_threshold", &rule, traffic, between, how))
}

fn ratio(breaker: &BreakerSpec, traffic: Traffic) -> Option<Finding> {
    let share = breaker.failure_ratio?;
    let calls = window_calls(breaker, traffic);
    let needed = (share * calls as f64).ceil() as u64;
    let between = trips(breaker, traffic, needed)?;
    let rule = format!("{} of {} calls in {}", percent(share), grouped(calls), time(breaker.window()));
    let how = "raise the ratio, or `min_calls` with the window";
    Some(finding("circuit_breaker.failure_ratio", &rule, traffic, between, how))
}

fn row(breaker: &BreakerSpec, traffic: Traffic) -> Option<Finding> {
    let needed = breaker.consecutive_failures?;
    let between = seconds_between_rows(traffic.of_one_client(), traffic.error_share, needed);
    let rule = format!("{} failures in a row", grouped(needed.into()));
    (between < RARE).then(|| finding("circuit_breaker.consecutive_failures", &rule, traffic, between, "raise it"))
}

/// The seconds between openings by chance, if they are too few.
fn trips(breaker: &BreakerSpec, traffic: Traffic, needed: u64) -> Option<f64> {
    let failures = traffic.of_one_client() * traffic.error_share;
    let calls = calls_in(breaker.window(), traffic.of_one_client());
    let calls = if breaker.failure_ratio.is_some() { window_calls(breaker, traffic) } else { calls };
    Some(seconds_between_trips(failures, traffic.error_share, calls, needed)).filter(|between| *between < RARE)
}

/// The calls that the ratio is computed over: those of a window, and no fewer than it needs.
fn window_calls(breaker: &BreakerSpec, traffic: Traffic) -> u64 {
    calls_in(breaker.window(), traffic.of_one_client()).max(breaker.min_calls.into())
}

fn finding(field: &'static str, rule: &str, traffic: Traffic, between: f64, how: &str) -> Finding {
    let calls = traffic.of_one_client();
    let why = format!(
        "if {} of the calls fail in good health, a client with {} call{}/s opens its circuit about every {} ({rule})",
        percent(traffic.error_share),
        number(calls),
        if calls == 1.0 { "" } else { "s" },
        seconds(between),
    );
    Finding::warning(Code::FalseTrips, field, why, how)
}
