//! A policy in sentences.

use std::time::Duration;

use redress_core::ErrorClass;
use redress_core::budget::BudgetSpec;
use redress_core::observe::Readable;
use redress_core::policy::{PolicyBreaker, PolicySpec, RetrySpec};
use redress_doctor::WorstCase;

pub(super) fn of(spec: &PolicySpec) -> Vec<String> {
    let mut sentences = vec![limits(spec), worst(spec)];
    if let Some(retry) = retries(spec) {
        sentences.push(classes(retry));
        sentences.extend(hints(retry));
        sentences.push(budget(retry));
    }
    sentences.extend(breaker(spec));
    if let Some(nested) = spec.nested {
        sentences.push(format!("Within another call of a policy it follows the rule `{}`.", nested.as_str()));
    }
    sentences
}

/// The retry component, if it allows a retry.
pub(super) fn retries(spec: &PolicySpec) -> Option<&RetrySpec> {
    spec.retry.as_ref().filter(|retry| retry.max_attempts > 1)
}

fn limits(spec: &PolicySpec) -> String {
    let attempts = match retries(spec) {
        None => "A call makes one attempt".to_owned(),
        Some(retry) => format!("A call makes at most {} attempts", retry.max_attempts),
    };
    let cuts = |timeout: &Duration| spec.deadline.is_none_or(|deadline| *timeout < deadline);
    let each = spec.attempt_timeout.filter(cuts);
    let each = each.map_or_else(String::new, |timeout| format!(", each within {}", Readable(timeout)));
    let late = spec.attempt_timeout.filter(|timeout| !cuts(timeout));
    let late =
        late.map_or_else(String::new, |timeout| format!("; its attempt timeout of {} cuts none", Readable(timeout)));
    let ends = match (spec.deadline, spec.finish_running_attempt && spec.attempt_timeout.is_none()) {
        (None, _) => "and has no deadline".to_owned(),
        (Some(deadline), false) => format!("and ends within {}", Readable(deadline)),
        (Some(deadline), true) => {
            format!("and starts none after {}; one that is running then may finish", Readable(deadline))
        }
    };
    format!("{attempts}{each}, {ends}{late}.")
}

fn worst(spec: &PolicySpec) -> String {
    let worst = WorstCase::of(spec);
    let calls = if worst.calls == 1 { "1 attempt".to_owned() } else { format!("{} attempts", worst.calls) };
    match worst.time {
        None => format!("At worst it makes {calls}, and nothing limits its time."),
        Some(time) => format!("At worst it makes {calls} and takes {}.", Readable(time)),
    }
}

/// Which classes are retried, and how often.
fn classes(retry: &RetrySpec) -> String {
    let mut never = Vec::new();
    let mut capped = Vec::new();
    for class in ErrorClass::ALL.iter().copied() {
        match cap(retry, class) {
            _ if retry.strategy_of(class).is_none() => never.push(class.as_str()),
            Some(0) => never.push(class.as_str()),
            Some(1) => capped.push(format!("{class} once")),
            Some(times) => capped.push(format!("{class} {times} times")),
            None => {}
        }
    }
    let capped = if capped.is_empty() { String::new() } else { format!("; {} at most", capped.join(", ")) };
    format!("It retries every class but {}{capped}.", never.join(", "))
}

/// How many failures of a class are retried, if fewer than the attempts allow.
pub(super) fn cap(retry: &RetrySpec, class: ErrorClass) -> Option<u32> {
    let of_unknown = retry.max_unknown_retries.filter(|_| class == ErrorClass::Unknown);
    let cap = [retry.max_retries_for[class], of_unknown].into_iter().flatten().min();
    cap.filter(|cap| *cap < retry.max_attempts - 1)
}

fn hints(retry: &RetrySpec) -> Option<String> {
    (!retry.ignore_retry_after).then(|| match retry.max_retry_after {
        None => "It waits at least as long as the dependency asks for.".to_owned(),
        Some(longest) => {
            format!("It waits at least as long as the dependency asks for, up to {}.", Readable(longest))
        }
    })
}

fn budget(retry: &RetrySpec) -> String {
    match &retry.budget {
        None => "No budget limits the retries of all calls together.".to_owned(),
        Some(BudgetSpec::Window { max_retries, window }) => {
            format!("All calls together make at most {max_retries} retries in {}.", Readable(*window))
        }
        Some(BudgetSpec::Earned(earned)) => format!(
            "Each success pays for {} retries of all calls together, and up to {} are saved up.",
            earned.share, earned.capacity
        ),
        Some(budget) => format!("All calls together have a {budget}."),
    }
}

fn breaker(spec: &PolicySpec) -> Option<String> {
    let judged = match (spec.judge_attempts, retries(spec)) {
        (true, _) => "each attempt",
        (false, None) => "each call",
        (false, Some(_)) => "each call, after its retries",
    };
    match spec.breaker.as_ref()? {
        PolicyBreaker::Circuit(breaker) => {
            let text = breaker.to_string();
            let text = text.split_once(": ").map_or(&*text, |(_, rest)| rest).to_owned();
            Some(format!("The circuit breaker judges {judged}: it {text}."))
        }
        _ => Some(format!("A circuit breaker of the program judges {judged}.")),
    }
}
