//! Scenarios as the files write them: configuration, calls and expectations. Reading refuses a file
//! that is not in the format.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Error as _, IgnoredAny};
use serde_json::Value;

use crate::class_name::ClassName;
use crate::number::Seconds;
use crate::trace::{Mismatch, Trace, compare, unknown_key};

/// The recorded scenarios, as JSON lines.
const RECORDED: &str = include_str!("../data/engine.jsonl");

/// One scenario: a configuration, a series of calls that share its policy, and an expectation for
/// each.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub(crate) id: String,
    #[serde(default, rename = "differs")]
    _differs: IgnoredAny,
    #[serde(default, rename = "tags")]
    _tags: IgnoredAny,
    pub(crate) retry: Option<RetrySpec>,
    pub(crate) budget: Option<BudgetSpec>,
    pub(crate) breaker: Option<BreakerSpec>,
    pub(crate) calls: Vec<CallSpec>,
    #[serde(default)]
    expect: Vec<Value>,
}

impl Scenario {
    /// The scenario's name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Compares the traces with the expectations, field by field. Empty if the scenario passes.
    #[must_use]
    pub fn mismatches(&self, actual: &[Trace]) -> Vec<Mismatch> {
        compare(&self.expect, actual)
    }

    /// Checks rules that the types of the fields do not express.
    fn check(&self) -> Result<(), String> {
        if self.budget.is_some() && self.retry.is_none() {
            return Err("a budget without `retry`".to_owned());
        }
        for (index, call) in self.calls.iter().enumerate() {
            if call.attempts.is_empty() {
                return Err(format!("call {index} has no attempts"));
            }
            if call.sleep.as_ref().is_some_and(Vec::is_empty) {
                return Err(format!("call {index} has a sleep handler without answers"));
            }
        }
        if !self.expect.is_empty() && self.expect.len() != self.calls.len() {
            return Err(format!("{} expectations for {} calls", self.expect.len(), self.calls.len()));
        }
        match self.expect.iter().find_map(unknown_key) {
            Some(key) => Err(format!("expectations have no key `{key}`")),
            None => Ok(()),
        }
    }
}

/// The error for a scenario file that cannot be read.
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

/// Reads a file of scenarios, one a line; skips blank lines.
///
/// Expectations, tags and the list of differences may be left out: none of them is part of the
/// input.
///
/// # Errors
///
/// The first line that is not a scenario, with its number and the reason as source.
pub fn parse(text: &str) -> Result<Vec<Scenario>, ScenarioError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let scenario = |(index, line): (usize, &str)| {
        let read = serde_json::from_str(line).and_then(|scenario: Scenario| {
            scenario.check().map_err(serde_json::Error::custom)?;
            Ok(scenario)
        });
        read.map_err(|source| ScenarioError { line: index + 1, source })
    };
    lines.map(scenario).collect()
}

/// The recorded scenarios, as JSON lines.
///
/// # Panics
///
/// Never: a test of this crate reads the file.
#[must_use]
pub fn recorded_scenarios() -> Vec<Scenario> {
    parse(RECORDED).expect("the recorded scenarios can be read")
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetrySpec {
    pub(crate) deadline_s: f64,
    pub(crate) max_attempts: u32,
    pub(crate) max_unknown_attempts: Option<u32>,
    pub(crate) per_class_max_attempts: BTreeMap<ClassName, u32>,
    pub(crate) strategy: Option<StrategySpec>,
    pub(crate) strategies: Option<BTreeMap<ClassName, StrategySpec>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BudgetSpec {
    pub(crate) max_retries: u32,
    pub(crate) window_s: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BreakerSpec {
    pub(crate) failure_threshold: u32,
    pub(crate) window_s: f64,
    pub(crate) recovery_timeout_s: f64,
    pub(crate) trip_on: Option<Vec<ClassName>>,
    pub(crate) class_thresholds: Option<BTreeMap<ClassName, u32>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum StrategySpec {
    Fixed { sleeps: Vec<Seconds>, default: Option<Seconds> },
    RetryAfterOr { jitter_s: f64, fallback: Box<Self> },
    Adaptive { window_s: f64, target_success: f64, min_multiplier: f64, max_multiplier: f64, fallback: Box<Self> },
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    Call,
    Execute,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SleepAnswer {
    Sleep,
    Defer,
    Abort,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallSpec {
    pub(crate) mode: Mode,
    pub(crate) advance_s: f64,
    pub(crate) operation: Option<String>,
    pub(crate) attempts: Vec<AttemptSpec>,
    pub(crate) sleep: Option<Vec<SleepAnswer>>,
    pub(crate) oversleep_s: f64,
    pub(crate) abort_at_s: Option<f64>,
    pub(crate) abort_after_retry_events: Option<u32>,
}

impl CallSpec {
    /// The specification of attempt `number`, counted from 1; the last entry repeats.
    pub(crate) fn attempt(&self, number: u32) -> &AttemptSpec {
        let index = usize::try_from(number).unwrap_or(usize::MAX) - 1;
        &self.attempts[index.min(self.attempts.len() - 1)]
    }
}

/// One run of the operation: how long it takes, then how it ends.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "AttemptFields")]
pub(crate) struct AttemptSpec {
    pub(crate) takes_s: f64,
    pub(crate) end: AttemptEnd,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum AttemptEnd {
    Ok,
    Error(ClassName, Option<Seconds>),
    Result(ClassName, Option<Seconds>),
    Abort,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AttemptFields {
    takes_s: f64,
    #[serde(default)]
    ok: bool,
    error: Option<ClassName>,
    result: Option<ClassName>,
    #[serde(default)]
    abort: bool,
    retry_after_s: Option<Seconds>,
}

impl TryFrom<AttemptFields> for AttemptSpec {
    type Error = &'static str;

    fn try_from(fields: AttemptFields) -> Result<Self, &'static str> {
        let AttemptFields { takes_s, ok, error, result, abort, retry_after_s: hint } = fields;
        let end = match (ok, error, result, abort) {
            (true, None, None, false) => AttemptEnd::Ok,
            (false, Some(class), None, false) => AttemptEnd::Error(class, hint),
            (false, None, Some(class), false) => AttemptEnd::Result(class, hint),
            (false, None, None, true) => AttemptEnd::Abort,
            _ => return Err("an attempt has exactly one of `ok`, `error`, `result` and `abort`"),
        };
        if hint.is_some() && matches!(end, AttemptEnd::Ok | AttemptEnd::Abort) {
            return Err("only a failure has `retry_after_s`");
        }
        Ok(Self { takes_s, end })
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use serde_json::{Value, json};

    use super::{parse, recorded_scenarios};

    fn scenario() -> Value {
        json!({
            "id": "one",
            "retry": {
                "deadline_s": 60, "max_attempts": 3, "max_unknown_attempts": null, "per_class_max_attempts": {"AUTH": 1},
                "strategy": {"kind": "fixed", "sleeps": [1, "nan", -1], "default": null}, "strategies": {},
            },
            "budget": {"max_retries": 1, "window_s": 60},
            "breaker": null,
            "calls": [{
                "mode": "call", "advance_s": 0, "operation": null, "attempts": [{"takes_s": 1, "ok": true}], "sleep": null,
                "oversleep_s": 0, "abort_at_s": null, "abort_after_retry_events": null,
            }],
        })
    }

    /// Replaces the part of the scenario at `place` and returns the reason for which reading
    /// refuses it.
    #[track_caller]
    fn refused_with(place: &str, part: Value) -> String {
        let mut scenario = scenario();
        *scenario.pointer_mut(place).expect("a part of the scenario") = part;
        let refused = parse(&format!("\n{scenario}\n")).expect_err("a scenario that is none");
        format!("{refused}: {}", refused.source().expect("a reason"))
    }

    #[track_caller]
    fn refused_attempt(attempt: Value) -> String {
        refused_with("/calls/0/attempts/0", attempt)
    }

    #[test]
    fn the_recorded_scenarios_are_read() {
        assert!(recorded_scenarios().len() > 200);
    }

    #[test]
    fn expectations_and_tags_may_be_left_out() {
        let scenarios = parse(&scenario().to_string()).expect("a scenario");
        assert_eq!(scenarios[0].id(), "one");
    }

    #[test]
    fn the_line_that_is_no_scenario_is_named() {
        let refused = parse(&format!("{}\n\n{{", scenario())).expect_err("half a line");
        assert_eq!(refused.to_string(), "line 3 is not a scenario");
    }

    #[test]
    fn unknown_keys_and_classes_are_refused() {
        assert!(refused_with("", json!({"id": "two", "wait": 1})).contains("unknown field `wait`"));
        let strategy = json!({"kind": "fixed", "sleeps": [], "default": null, "jitter": 1});
        assert!(refused_with("/retry/strategy", strategy).contains("unknown field `jitter`"));
        assert!(refused_with("/retry/strategy", json!({"kind": "guess"})).contains("unknown variant `guess`"));
        assert!(refused_with("/retry/strategies", json!({"BAD": null})).contains("`BAD` is not an error class"));
        assert!(refused_with("/retry/per_class_max_attempts", json!({"auth": 1})).contains("`auth` is not an"));
        assert!(refused_attempt(json!({"takes_s": 0, "error": "BAD"})).contains("`BAD` is not an error class"));
    }

    #[test]
    fn an_attempt_ends_in_exactly_one_way() {
        let one = "exactly one of `ok`, `error`, `result` and `abort`";
        assert!(refused_attempt(json!({"takes_s": 0})).contains(one));
        assert!(refused_attempt(json!({"takes_s": 0, "ok": false})).contains(one));
        assert!(refused_attempt(json!({"takes_s": 0, "ok": true, "abort": true})).contains(one));
        assert!(refused_attempt(json!({"takes_s": 0, "error": "AUTH", "result": "AUTH"})).contains(one));
        assert!(refused_attempt(json!({"takes_s": 0, "abort": true, "retry_after_s": 1})).contains("only a failure"));
    }

    #[test]
    fn parts_that_make_no_sense_together_are_refused() {
        assert!(refused_with("/retry", Value::Null).contains("a budget without `retry`"));
        assert!(refused_with("/calls/0/attempts", json!([])).contains("call 0 has no attempts"));
        assert!(refused_with("/calls/0/sleep", json!([])).contains("a sleep handler without answers"));
    }

    #[test]
    fn expectations_are_as_many_as_calls_and_in_the_format() {
        let with = |expect: Value| {
            let mut scenario = scenario();
            scenario["expect"] = expect;
            parse(&scenario.to_string()).map_err(|refused| refused.source().map(ToString::to_string))
        };
        assert!(with(json!([{"result": "ok", "events": [{"event": "success"}], "timeline": null}])).is_ok());
        assert!(
            with(json!([{}, {}])).is_err_and(|why| why.is_some_and(|why| why.contains("2 expectations for 1 calls")))
        );
        for unknown in [json!([{"reslut": null}]), json!([{"events": [{"reslut": null}]}])] {
            assert!(with(unknown).is_err_and(|why| why.is_some_and(|why| why.contains("no key `reslut`"))));
        }
    }
}
