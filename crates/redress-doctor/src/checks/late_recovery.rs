//! RD24: a breaker per call whose retries take so long that it hears of everything late.

use crate::code::Code;
use crate::finding::Finding;
use crate::subject::Subject;
use crate::words::time;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let (Some(breaker), false) = (subject.breaker(), subject.spec.judge_attempts || subject.retries() == 0) else {
        return;
    };
    let Some(failing) = subject.time_of_a_failing_call().filter(|failing| *failing > breaker.recovery_timeout) else {
        return;
    };
    let why = format!(
        "the breaker hears of a call after its retries, up to {} later, and probes every {}",
        time(failing),
        time(breaker.recovery_timeout),
    );
    let how = "judge each attempt with `judge_attempts`, or make the retries shorter";
    findings.push(Finding::warning(Code::LateRecovery, "policy.judge_attempts", why, how));
}
