//! RD02: how many attempts a call makes at worst.

use crate::code::Code;
use crate::finding::Finding;
use crate::subject::Subject;
use crate::words::count;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let why = format!("a call makes at most {}", count(subject.worst.calls.into(), "attempt"));
    findings.push(Finding::note(Code::WorstCalls, "retry.max_attempts", why));
}
