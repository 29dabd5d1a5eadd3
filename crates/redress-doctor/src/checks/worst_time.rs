//! RD01: how long a call takes at worst.

use crate::code::Code;
use crate::finding::Finding;
use crate::subject::Subject;
use crate::words::{count, time};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let worst = subject.worst.time.filter(|_| !subject.circumstances.blocking);
    let Some(longest) = worst else {
        findings.push(unlimited(subject));
        return;
    };
    let by = match (subject.spec.deadline, subject.spec.attempt_timeout) {
        (Some(deadline), _) if longest == deadline => "which is its deadline".to_owned(),
        (_, Some(timeout)) => {
            format!("with {} of {}", count(subject.worst.calls.into(), "attempt"), time(timeout))
        }
        _ => "waits included".to_owned(),
    };
    let why = format!("a call takes at most {}, {by}", time(longest));
    findings.push(Finding::note(Code::WorstTime, "policy.deadline", why));
}

fn unlimited(subject: &Subject<'_>) -> Finding {
    let (field, why, how) = if subject.circumstances.blocking {
        let why = "no limit cuts a blocking attempt that hangs";
        return Finding::note(Code::WorstTime, "policy.attempt_timeout", format!("{why}: make calls with `call_with`"));
    } else if subject.spec.finish_running_attempt && subject.spec.attempt_timeout.is_none() {
        let why = "a call may take for ever: an attempt that hangs is not cut at the deadline";
        ("policy.finish_running_attempt", why, "set an attempt timeout, or let the deadline cut attempts")
    } else if subject.spec.attempt_timeout.is_none() {
        ("policy.deadline", "a call may take for ever: nothing ends an attempt that hangs", {
            "set a deadline, or an attempt timeout"
        })
    } else {
        ("policy.deadline", "a call may take for ever: it waits as long as a hint asks for", {
            "set a deadline, or `max_retry_after`"
        })
    };
    Finding::warning(Code::WorstTime, field, why, how)
}
