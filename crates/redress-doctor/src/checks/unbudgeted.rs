//! RD11: retries that no budget limits.

use crate::code::Code;
use crate::finding::Finding;
use crate::subject::Subject;
use crate::words::grouped;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if subject.retries() == 0 || subject.budget().is_some() {
        return;
    }
    let why = format!(
        "no budget limits the retries: an outage gets {} times the load, which may keep it up",
        grouped(subject.worst.calls.into()),
    );
    let how = "add an earned budget with a share of 0.1, which successes pay for";
    findings.push(Finding::warning(Code::Unbudgeted, "retry.budget", why, how));
}
