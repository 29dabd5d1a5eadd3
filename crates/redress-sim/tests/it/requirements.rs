//! Requirements: their grammar, and verdicts on a report that can be counted by hand.

use redress_core::AsyncPolicy;
use redress_sim::{Clients, Fault, Load, Report, Requirement, Scenario, Server};

use crate::{attempts, millis, once, secs};

fn judged(report: &Report, text: &str) -> String {
    text.parse::<Requirement>().expect(text).judge(report).to_string()
}

/// A server that is down for ten seconds of sixty, and calls of one attempt.
fn outage() -> Report {
    let scenario = Scenario::new(Load::steady(50), Server::new(1, millis(10)))
        .fault(Fault::stops(secs(20), secs(30)))
        .horizon(secs(60));
    scenario.run(Clients::sharing(1, once())).expect("valid")
}

#[test]
fn measures_are_compared_with_their_bounds() {
    let report = outage();
    assert_eq!(judged(&report, "recover < 30s"), "recover < 30s: holds, it is 0 s");
    assert_eq!(judged(&report, "recover >= 1ms"), "recover >= 1ms: does not hold, it is 0 s");
    assert_eq!(judged(&report, "recover <= 0s"), "recover <= 0s: holds, it is 0 s");
    assert_eq!(judged(&report, "attempts/offered <= 100%"), "attempts/offered <= 100%: holds, it is 1");
    assert_eq!(judged(&report, "attempts/offered < 1"), "attempts/offered < 1: does not hold, it is 1");
    assert_eq!(judged(&report, "good during <= 0"), "good during <= 0: holds, it is 0");
    assert_eq!(judged(&report, "good/offered during > 1%"), "good/offered during > 1%: does not hold, it is 0");
    assert_eq!(judged(&report, "failed/offered before <= 0.1%"), "failed/offered before <= 0.1%: holds, it is 0");
    assert_eq!(judged(&report, "success before >= 100%"), "success before >= 100%: holds, it is 1");
    assert_eq!(judged(&report, "reset/attempts during >= 1"), "reset/attempts during >= 1: holds, it is 1");
    assert_eq!(judged(&report, "peak failed/offered >= 1"), "peak failed/offered >= 1: holds, it is 1");
    assert_eq!(judged(&report, "peak failed before <= 1"), "peak failed before <= 1: holds, it is 0");
    assert!(judged(&report, "p99.9 < 1s").starts_with("p99.9 < 1s: holds, it is "));
    assert!(judged(&report, "p100 < 1h").starts_with("p100 < 1h: holds, it is "));
    // The end of the bucket, and not rounded to what the bound is.
    assert_eq!(judged(&report, "p0 > 10ms"), "p0 > 10ms: holds, it is 10.224 ms");
}

#[test]
fn what_cannot_be_measured_does_not_hold() {
    let report = outage();
    for text in ["p50 during < 1s", "p50 during > 1s", "good/limited < 1", "peak good/limited > 0"] {
        assert_eq!(judged(&report, text), format!("{text}: does not hold, there is nothing to measure"));
    }
}

#[test]
fn never_is_longer_than_any_bound() {
    let scenario = Scenario::new(Load::steady(70), Server::new(1, millis(10)))
        .fault(Fault::stands_still(secs(10), secs(20)))
        .horizon(secs(60));
    let stuck = scenario.run(Clients::sharing(1, once().retry(attempts(4)))).expect("valid");
    assert_eq!(judged(&stuck, "recover < 1000h"), "recover < 1000h: does not hold, it is never");
    assert_eq!(judged(&stuck, "recover > 1000h"), "recover > 1000h: holds, it is never");
}

#[test]
fn a_text_that_is_no_requirement_says_what_is_wrong() {
    for (text, why) in [
        ("", "it has no comparison: one of <, <=, > and >="),
        ("recover = 30s", "it has no comparison"),
        ("recover < 30", "expected a duration such as"),
        ("recover during < 30s", "`recover` is of the whole run"),
        ("peak recover < 30s", "`peak` is for counts and ratios"),
        ("peak p99 < 30s", "`peak` is for counts and ratios"),
        ("p101 < 1s", "`p101` is above p100"),
        ("px < 1s", "no measure `px`: there are recover, success, p50 and other percentiles, offered, good"),
        ("attempts/calls < 1", "no measure `attempts/calls`"),
        ("attempts < 5s", "expected a number such as 1.3 or 97%, found `5s`"),
        ("attempts < inf", "expected a number"),
        ("attempts < .5", "expected a number"),
        ("attempts < ", "expected a number such as 1.3 or 97%, found ``"),
        ("attempts failed < 1", "expected a measure, found `attempts failed`"),
        ("during < 1", "expected a measure, found `during`"),
    ] {
        let error = text.parse::<Requirement>().expect_err(text).to_string();
        assert!(error.starts_with(&format!("requirement `{text}`: ")) && error.contains(why), "{error}");
    }
}

#[test]
fn a_requirement_prints_as_it_was_written() {
    let requirement: Requirement = " peak attempts / offered < 1 ".replace(" / ", "/").parse().expect("valid");
    assert_eq!(requirement.to_string(), "peak attempts/offered < 1");
    let report = Scenario::new(Load::steady(0), Server::new(1, millis(10)))
        .run(Clients::sharing(1, AsyncPolicy::builder()))
        .expect("valid");
    assert!(!requirement.judge(&report).holds, "there are no calls");
}
