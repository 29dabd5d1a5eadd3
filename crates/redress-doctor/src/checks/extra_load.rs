//! RD04: how much load the retries add when every attempt fails.

use redress_core::budget::BudgetSpec;

use crate::code::Code;
use crate::finding::Finding;
use crate::subject::Subject;
use crate::words::{grouped, number, time, tokens};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if subject.retries() == 0 {
        return;
    }
    let calls = subject.worst.calls;
    let mut why = format!("when every attempt fails, the load is {} times that of the calls", grouped(calls.into()));
    if let Some(traffic) = subject.traffic() {
        let rate = traffic.calls_per_second;
        why += &format!(": {} instead of {} requests/s", number(rate * f64::from(calls)), number(rate));
    }
    match subject.budget() {
        Some(BudgetSpec::Window { max_retries, window }) => {
            let limit =
                format!(", at most {} retries in {} from each client", grouped((*max_retries).into()), time(*window));
            why += &limit;
        }
        Some(BudgetSpec::Earned(earned)) => {
            why += &format!(", until each client has spent its {}", tokens(earned.capacity));
        }
        _ => {}
    }
    findings.push(Finding::note(Code::ExtraLoad, "retry.max_attempts", why));
}
