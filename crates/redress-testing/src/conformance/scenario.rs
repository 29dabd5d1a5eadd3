//! A scenario as it is written: configuration, calls, expectations.
//!
//! Owns the reading of scenario files. Knows nothing of policies.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::number::Seconds;
use super::trace::{Mismatch, Trace, compare};

/// The scenarios published with this crate.
const PUBLIC: &str = include_str!("../../conformance/engine.jsonl");

/// One scenario: a configuration, a series of calls that share its policy, and what must happen in each.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub(super) id: String,
    #[serde(rename = "differs")]
    _differs: Vec<u32>,
    #[serde(rename = "tags")]
    _tags: Vec<String>,
    pub(super) retry: Option<RetrySpec>,
    pub(super) budget: Option<BudgetSpec>,
    pub(super) breaker: Option<BreakerSpec>,
    pub(super) calls: Vec<CallSpec>,
    #[serde(default)]
    expect: Vec<Value>,
}

impl Scenario {
    /// The scenario's name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where what happened differs from what must happen, field by field; empty if the scenario passes.
    #[must_use]
    pub fn mismatches(&self, actual: &[Trace]) -> Vec<Mismatch> {
        compare(&self.expect, actual)
    }
}

/// A scenario file that cannot be read.
#[derive(Debug)]
pub struct ScenarioError {
    line: usize,
    source: serde_json::Error,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} is not a scenario", self.line)
    }
}

impl std::error::Error for ScenarioError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Reads a file of scenarios, one a line; blank lines are passed over.
///
/// # Errors
///
/// The first line that is not a scenario, with its number and the reason as source.
pub fn parse(text: &str) -> Result<Vec<Scenario>, ScenarioError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let scenario = |(index, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|source| ScenarioError { line: index + 1, source })
    };
    lines.map(scenario).collect()
}

/// The scenarios published with this crate.
///
/// # Panics
///
/// Never: a test of this crate reads the file.
#[must_use]
pub fn public_scenarios() -> Vec<Scenario> {
    parse(PUBLIC).expect("the published scenarios can be read")
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RetrySpec {
    pub(super) deadline_s: f64,
    pub(super) max_attempts: u32,
    pub(super) max_unknown_attempts: Option<u32>,
    pub(super) per_class_max_attempts: BTreeMap<String, u32>,
    pub(super) strategy: Option<StrategySpec>,
    pub(super) strategies: Option<BTreeMap<String, StrategySpec>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BudgetSpec {
    pub(super) max_retries: u32,
    pub(super) window_s: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BreakerSpec {
    pub(super) failure_threshold: u32,
    pub(super) window_s: f64,
    pub(super) recovery_timeout_s: f64,
    pub(super) trip_on: Option<Vec<String>>,
    pub(super) class_thresholds: Option<BTreeMap<String, u32>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum StrategySpec {
    Fixed {
        sleeps: Vec<Seconds>,
        default: Option<Seconds>,
    },
    RetryAfterOr {
        jitter_s: f64,
        fallback: Box<StrategySpec>,
    },
    Adaptive {
        window_s: f64,
        target_success: f64,
        min_multiplier: f64,
        max_multiplier: f64,
        fallback: Box<StrategySpec>,
    },
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    Call,
    Execute,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SleepAnswer {
    Sleep,
    Defer,
    Abort,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallSpec {
    pub(super) mode: Mode,
    pub(super) advance_s: f64,
    pub(super) operation: Option<String>,
    pub(super) attempts: Vec<AttemptSpec>,
    pub(super) sleep: Option<Vec<SleepAnswer>>,
    pub(super) oversleep_s: f64,
    pub(super) abort_at_s: Option<f64>,
    pub(super) abort_after_retry_events: Option<u32>,
}

impl CallSpec {
    /// What attempt `number` does, counted from 1: the last entry repeats.
    pub(super) fn attempt(&self, number: u32) -> &AttemptSpec {
        let index = usize::try_from(number).unwrap_or(usize::MAX) - 1;
        &self.attempts[index.min(self.attempts.len() - 1)]
    }
}

/// One run of the operation. Exactly one of `ok`, `error`, `result` and `abort` is set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AttemptSpec {
    pub(super) takes_s: f64,
    #[serde(default, rename = "ok")]
    _ok: bool,
    pub(super) error: Option<String>,
    pub(super) result: Option<String>,
    #[serde(default)]
    pub(super) abort: bool,
    pub(super) retry_after_s: Option<Seconds>,
}
