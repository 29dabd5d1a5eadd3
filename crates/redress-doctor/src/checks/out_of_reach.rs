//! RD20: rules of a breaker that the calls of one client are too few for.

use crate::code::Code;
use crate::finding::Finding;
use crate::rates::calls_in;
use crate::subject::Subject;
use crate::words::{count, grouped, number, time};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let (Some(breaker), Some(traffic)) = (subject.breaker(), subject.traffic()) else { return };
    let (window, rate) = (breaker.window(), traffic.of_one_client());
    let calls = calls_in(window, rate);
    let made = format!("a client makes {} in {}", calls_text(calls, rate), time(window));
    let how = "lengthen the window or require fewer; clients that call rarely need an earned budget instead";
    let needed = breaker.threshold().map(u64::from);
    if let Some(needed) = needed.filter(|needed| calls < *needed) {
        let why = format!("{made}, so it never counts {}", count(needed, "failure"));
        findings.push(Finding::warning(Code::WithoutEffect, "circuit_breaker.failure_threshold", why, how));
    }
    let min_calls = u64::from(breaker.min_calls);
    if breaker.failure_ratio.is_some() && calls < min_calls {
        let why = format!("{made}, so the ratio never has its {} calls", grouped(min_calls));
        findings.push(Finding::warning(Code::WithoutEffect, "circuit_breaker.min_calls", why, how));
    }
}

fn calls_text(calls: u64, rate: f64) -> String {
    if calls == 0 { format!("less than 1 call ({} calls/s)", number(rate)) } else { count(calls, "call") }
}
