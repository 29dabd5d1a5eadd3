//! RD24: a breaker per call whose retries take so long that it hears of everything late.

use crate::code::Code;
use crate::finding::Finding;
use crate::subject::Subject;
use crate::words::time;

/// How many open waits pass before news is late: a probe fails, and the next one would have passed.
const LATE: u32 = 2;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let (Some(breaker), false) = (subject.breaker(), subject.spec.judge_attempts || subject.retries() == 0) else {
        return;
    };
    let counts =
        |class| breaker.trip_on.contains(&class) || breaker.class_thresholds.iter().any(|(of, _)| *of == class);
    let Some(waits) = subject.longest_waits(counts).filter(|waits| *waits > LATE * breaker.recovery_timeout) else {
        return;
    };
    let why = format!(
        "the breaker hears of a call after its retries, whose waits take up to {}, and probes every {}",
        time(waits),
        time(breaker.recovery_timeout),
    );
    let how = "judge each attempt with `judge_attempts`, or wait less";
    findings.push(Finding::warning(Code::LateRecovery, "policy.judge_attempts", why, how));
}
