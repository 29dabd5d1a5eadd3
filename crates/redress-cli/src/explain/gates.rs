//! The gates that a failure passes before it is retried, in the engine's order, with the numbers
//! that each compares with.

use std::io::{self, Write};

use redress_core::budget::BudgetSpec;
use redress_core::observe::Readable;
use redress_core::policy::{PolicySpec, RetrySpec};
use redress_core::{ErrorClass, StopReason};
use serde::Serialize;

use super::sentences::{cap, retries};

/// The widths of the first two columns.
const GATE_WIDTH: usize = 23;
const LIMIT_WIDTH: usize = 28;

/// One gate.
#[derive(Debug, Serialize)]
pub(super) struct Gate {
    /// What is compared.
    gate: &'static str,
    /// With what.
    limit: String,
    /// The stop reason of a call that it ends.
    stops: &'static str,
}

/// The gates of a policy. Those that a program adds in code, such as abort predicates, are listed
/// as what they may be.
pub(super) fn of(spec: &PolicySpec) -> Vec<Gate> {
    let Some(retry) = retries(spec) else { return Vec::new() };
    let gate = |gate, limit: String, stops: StopReason| Gate { gate, limit, stops: stops.as_str() };
    let deadline = spec.deadline.map_or_else(|| "none".to_owned(), |deadline| Readable(deadline).to_string());
    let unknown = retry.max_unknown_retries.map_or_else(|| "no cap".to_owned(), |cap| cap.to_string());
    let mut gates = vec![
        gate("abort handles", "not aborted".into(), StopReason::Aborted),
        gate("retries of the class", caps(retry), StopReason::MaxAttemptsPerClass),
        gate("class", format!("not {}", never()), StopReason::NonRetryableClass),
        gate("retries of UNKNOWN", unknown, StopReason::MaxUnknownAttempts),
        gate("time used", deadline.clone(), StopReason::DeadlineExceeded),
        gate("strategy of the class", strategies(retry), StopReason::NoStrategy),
        gate("attempts made", retry.max_attempts.to_string(), StopReason::MaxAttempts),
        gate("the failure itself", "allows a retry".into(), StopReason::RetryForbidden),
        gate("end of the wait", deadline, StopReason::DeadlineExceeded),
    ];
    if spec.breaker.is_some() && spec.judge_attempts {
        gates.push(gate("circuit", "admits after the wait".into(), StopReason::CircuitOpen));
    }
    if let Some(budget) = &retry.budget {
        gates.push(gate("budget", grants(budget), StopReason::BudgetExhausted));
    }
    gates
}

pub(super) fn write(gates: &[Gate], out: &mut dyn Write) -> io::Result<()> {
    for (index, Gate { gate, limit, stops }) in gates.iter().enumerate() {
        let lines = textwrap::wrap(limit, LIMIT_WIDTH - 1);
        let mut lines = lines.iter();
        let first = lines.next().map_or("", |line| line);
        writeln!(out, "  {:>2}  {gate:<GATE_WIDTH$}{first:<LIMIT_WIDTH$}{stops}", index + 1)?;
        for line in lines {
            writeln!(out, "      {:GATE_WIDTH$}{line}", "")?;
        }
    }
    Ok(())
}

fn never() -> String {
    let never = ErrorClass::ALL.iter().filter(|class| !class.is_retryable());
    never.map(|class| class.as_str()).collect::<Vec<_>>().join(", ")
}

fn caps(retry: &RetrySpec) -> String {
    let capped = ErrorClass::ALL.iter().filter(|class| **class != ErrorClass::Unknown);
    let capped = capped.filter_map(|class| Some(format!("{class} {}", cap(retry, *class)?)));
    let capped: Vec<_> = capped.collect();
    if capped.is_empty() { "no caps".into() } else { capped.join(", ") }
}

fn strategies(retry: &RetrySpec) -> String {
    let without = ErrorClass::ALL.iter().filter(|class| class.is_retryable() && retry.strategy_of(**class).is_none());
    let without: Vec<_> = without.map(|class| class.as_str()).collect();
    if without.is_empty() { "every class has one".into() } else { format!("none for {}", without.join(", ")) }
}

fn grants(budget: &BudgetSpec) -> String {
    match budget {
        BudgetSpec::Window { max_retries, window } => format!("{max_retries} in {}", Readable(*window)),
        BudgetSpec::Earned(earned) => format!("{} a success, at most {}", earned.share, earned.capacity),
        budget => budget.to_string(),
    }
}
