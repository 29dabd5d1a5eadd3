//! RD23: a probe that may hold its place for too long.

use crate::code::Code;
use crate::finding::Finding;
use crate::subject::Subject;
use crate::words::time;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let Some(breaker) = subject.breaker() else { return };
    if !subject.ends_attempts() {
        findings.push(if breaker.lease().is_none() {
            let why =
                "a probe without a lease that hangs keeps the circuit half-open for ever: nothing ends its attempt";
            let how = "keep the lease, or set an attempt timeout in an asynchronous policy";
            Finding::warning(Code::HeldProbe, "circuit_breaker.probe_lease", why, how)
        } else {
            let why = "nothing ends an attempt that hangs, so the breaker never hears of it";
            let how = "set an attempt timeout or a deadline; in blocking code, use `call_with` or `call_detached`";
            Finding::warning(Code::HeldProbe, "policy.attempt_timeout", why, how)
        });
        return;
    }
    let longest = subject.worst.time.filter(|longest| !subject.spec.judge_attempts && !longest.is_zero());
    if let (Some(lease), Some(longest)) = (breaker.lease(), longest) {
        if lease < longest {
            let (lease, longest) = (time(lease), time(longest));
            let why = format!("a probe is superseded after {lease}, while its call may take {longest}");
            findings.push(Finding::note(Code::HeldProbe, "circuit_breaker.probe_lease", why));
        }
    }
}
