//! RD20: settings that never bind, by the limits of a call and by the warnings of `build()`.

use std::time::Duration;

use redress_core::ErrorClass;
use redress_core::budget::BudgetSpec;
use redress_core::error::{ConfigIssue, ConfigValue};
use redress_core::policy::RetrySpec;

use crate::code::Code;
use crate::finding::Finding;
use crate::subject::Subject;
use crate::waits::WaitRange;
use crate::words::{count, grouped, number, time};

/// What `build()` warns of. That a breaker may not hear of a hanging call is another check's.
pub(crate) fn of_warnings(warnings: &[ConfigIssue], findings: &mut Vec<Finding>) {
    for issue in warnings.iter().filter(|issue| !is_of_hanging(issue)) {
        let why = format!("{} has no effect, or an unexpected one", issue.value());
        let how = format!("it should {}", issue.rule());
        findings.push(Finding::warning(Code::WithoutEffect, issue.field(), why, how).of_class(issue.class()));
    }
}

fn is_of_hanging(issue: &ConfigIssue) -> bool {
    issue.field() == "policy.attempt_timeout" && *issue.value() == ConfigValue::Unset
}

pub(crate) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if let Some(retry) = subject.retry() {
        findings.extend(attempts(subject, retry));
        findings.extend(hints(subject, retry));
        findings.extend(strategies(retry));
    }
    findings.extend(finishing(subject));
    findings.extend(budget(subject));
    findings.extend(breaker(subject));
}

/// Attempts that the deadline leaves no time for.
fn attempts(subject: &Subject<'_>, retry: &RetrySpec) -> Option<Finding> {
    let deadline = subject.spec.deadline?;
    if subject.worst.calls >= retry.max_attempts {
        return None;
    }
    let first = ErrorClass::ALL.iter().filter_map(|class| retry.strategy_of(*class));
    let least = first.map(|strategy| WaitRange::of(&strategy, 1, None).least).min()?;
    if subject.retries() == 0 && least >= deadline {
        let why = format!("the first wait is at least {}, and the deadline is {}", time(least), time(deadline));
        let how = "make the first wait shorter than the deadline, or set one attempt";
        return Some(Finding::warning(Code::WithoutEffect, "policy.deadline", why, how));
    }
    let why = format!(
        "of {} attempts, the waits and caps let at most {} start before the deadline of {}",
        grouped(retry.max_attempts.into()),
        grouped(subject.worst.calls.into()),
        time(deadline),
    );
    let how = format!("set {}, or a longer deadline", count(subject.worst.calls.into(), "attempt"));
    Some(Finding::warning(Code::WithoutEffect, "retry.max_attempts", why, how))
}

/// A cap of hints that the deadline ends before.
fn hints(subject: &Subject<'_>, retry: &RetrySpec) -> Option<Finding> {
    let (longest, deadline) = (retry.max_retry_after?, subject.spec.deadline?);
    (longest >= deadline).then(|| {
        let why = format!("a hint of {} never fits the deadline of {}", time(longest), time(deadline));
        let how = "set a cap below the deadline, or leave it out";
        Finding::warning(Code::WithoutEffect, "retry.max_retry_after", why, how)
    })
}

/// Letting attempts finish that are cut at their timeout, which is never later than the deadline.
fn finishing(subject: &Subject<'_>) -> Option<Finding> {
    let (true, Some(timeout)) = (subject.spec.finish_running_attempt, subject.spec.attempt_timeout) else {
        return None;
    };
    let why =
        format!("no attempt finishes after the deadline: its timeout of {} shrinks to the time left", time(timeout));
    let how = "leave it out, or the attempt timeout";
    Some(Finding::warning(Code::WithoutEffect, "policy.finish_running_attempt", why, how))
}

/// Strategies of classes that are never retried.
fn strategies(retry: &RetrySpec) -> impl Iterator<Item = Finding> {
    let set = retry.strategies.iter().filter(|(_, strategy)| strategy.is_some()).map(|(class, _)| class);
    set.filter_map(|class| {
        let why = match (class.is_retryable(), retry.max_retries_for[class]) {
            (false, _) => format!("{class} is never retried, so its strategy computes no wait"),
            (true, Some(0)) => format!("no retry of {class} is allowed, so its strategy computes no wait"),
            _ => return None,
        };
        let finding = Finding::warning(Code::WithoutEffect, "retry.strategy_for", why, "leave the strategy out");
        Some(finding.of_class(Some(class)))
    })
}

/// A budget that grants nothing to normal calls.
fn budget(subject: &Subject<'_>) -> Option<Finding> {
    match subject.budget()? {
        BudgetSpec::Window { max_retries: 0, .. } => {
            let why = "a budget of 0 retries grants none, so no failure is retried";
            Some(Finding::warning(Code::WithoutEffect, "budget.max_retries", why, "set at least 1, or one attempt"))
        }
        BudgetSpec::Earned(budget) if budget.reserve >= budget.capacity => {
            let (reserve, capacity) = (number(budget.reserve), number(budget.capacity));
            let why = format!("a reserve of {reserve} of {capacity} tokens leaves none to calls of normal priority");
            Some(Finding::warning(Code::WithoutEffect, "budget.reserve", why, "set it below the capacity"))
        }
        _ => None,
    }
}

/// Settings of the breaker that others make pointless.
fn breaker(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |field, why: String, how| findings.push(Finding::warning(Code::WithoutEffect, field, why, how));
    let Some(breaker) = subject.breaker() else {
        if subject.spec.judge_attempts && subject.spec.breaker.is_none() {
            let why = "there is no breaker that attempts could be judged by".to_owned();
            add("policy.judge_attempts", why, "leave it out, or add a breaker");
        }
        return findings;
    };
    let recovery = breaker.recovery_timeout;
    if let Some(growth) = breaker.recovery_growth.filter(|growth| growth.max <= recovery || growth.factor <= 1.0) {
        let why = format!("an open wait of {} never grows to {}", time(recovery), time(growth.max));
        add("circuit_breaker.recovery_growth", why, "set a factor above 1 and a longer limit, or leave it out");
    }
    if let Some(cap) = breaker.honour_retry_after.filter(|cap| *cap <= recovery) {
        let why = format!("an open wait of {} is never shorter than a hint of up to {}", time(recovery), time(cap));
        add("circuit_breaker.honour_retry_after", why, "set it above the recovery timeout, or leave it out");
    }
    let limit = subject.spec.attempt_timeout.unwrap_or(Duration::MAX);
    if let Some(slow) = breaker.slow_call.filter(|slow| *slow >= limit) {
        let why = format!("an attempt is cut after {}, and slow from {}", time(limit), time(slow));
        add("circuit_breaker.slow_call", why, "set it below the attempt timeout");
    }
    findings
}
