//! The trace of a call, in the shape of a scenario's expectation, and the comparison of the two.

use std::collections::BTreeSet;
use std::fmt;
use std::iter;

use serde_json::Value;

/// The largest difference between two equal numbers, as the format sets it.
const TOLERANCE: f64 = 2e-6;

/// The course of one call: the object that is compared with a scenario's expectation.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace(pub(crate) Value);

impl Trace {
    /// The trace as JSON, for writing to a file.
    #[must_use]
    pub const fn as_json(&self) -> &Value {
        &self.0
    }
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// The path of the field, such as `calls[1].events[0].class`.
    pub path: String,
    /// The expected value.
    pub expected: Value,
    /// The value in the trace.
    pub actual: Value,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, was {}", self.path, self.expected, self.actual)
    }
}

/// The keys of an expectation, and of the entries of its lists.
const KEYS: [&str; 15] = [
    "result",
    "value_attempt",
    "failure_attempt",
    "stop_reason",
    "attempts",
    "last_class",
    "cause",
    "elapsed_s",
    "next_sleep_s",
    "slept_s",
    "events",
    "timeline",
    "attempt_hooks",
    "breaker_state",
    "budget_remaining",
];
const EVENT_KEYS: [&str; 8] = ["event", "attempt", "sleep_s", "class", "stop_reason", "cause", "state", "operation"];
const TIMELINE_KEYS: [&str; 7] = ["attempt", "event", "elapsed_s", "sleep_s", "error_class", "stop_reason", "cause"];
const HOOK_KEYS: [&str; 8] = ["hook", "attempt", "decision", "stop_reason", "cause", "sleep_s", "elapsed_s", "class"];

/// A key of this expectation that is not in the format. A misspelt one would otherwise read as null
/// and agree.
pub(crate) fn unknown_key(expected: &Value) -> Option<&str> {
    let entries = |list: &str, known: &'static [&'static str]| {
        let entries = expected[list].as_array().into_iter().flatten();
        entries.zip(iter::repeat(known))
    };
    let objects = iter::once((expected, KEYS.as_slice()))
        .chain(entries("events", &EVENT_KEYS))
        .chain(entries("timeline", &TIMELINE_KEYS))
        .chain(entries("attempt_hooks", &HOOK_KEYS));
    objects
        .flat_map(|(object, known)| object.as_object().into_iter().flatten().map(move |(key, _)| (key, known)))
        .find(|(key, known)| !known.contains(&key.as_str()))
        .map(|(key, _)| key.as_str())
}

pub(crate) fn compare(expected: &[Value], actual: &[Trace]) -> Vec<Mismatch> {
    let actual = actual.iter().map(|trace| trace.0.clone()).collect();
    let mut found = Vec::new();
    differ("calls", &Value::Array(expected.to_vec()), &Value::Array(actual), &mut found);
    found
}

fn differ(path: &str, expected: &Value, actual: &Value, found: &mut Vec<Mismatch>) {
    match (expected, actual) {
        (Value::Object(left), Value::Object(right)) => {
            for key in left.keys().chain(right.keys()).collect::<BTreeSet<_>>() {
                let side = |object: &serde_json::Map<_, _>| object.get(key).cloned().unwrap_or(Value::Null);
                differ(&format!("{path}.{key}"), &side(left), &side(right), found);
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            for index in 0..left.len().max(right.len()) {
                let side = |array: &[Value]| array.get(index).cloned().unwrap_or(Value::Null);
                differ(&format!("{path}[{index}]"), &side(left), &side(right), found);
            }
        }
        _ if agree(expected, actual) => {}
        _ => found.push(Mismatch { path: path.to_owned(), expected: expected.clone(), actual: actual.clone() }),
    }
}

fn agree(expected: &Value, actual: &Value) -> bool {
    match (expected.as_f64(), actual.as_f64()) {
        (Some(left), Some(right)) => (left - right).abs() <= TOLERANCE,
        _ => expected == actual,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Trace, compare};

    #[track_caller]
    fn differing(expected: serde_json::Value, actual: serde_json::Value) -> Vec<String> {
        compare(&[expected], &[Trace(actual)]).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn numbers_agree_within_the_tolerance_and_all_else_exactly() {
        assert!(
            differing(json!({"elapsed_s": 1, "result": "ok"}), json!({"elapsed_s": 1.000_001_9, "result": "ok"}))
                .is_empty()
        );
        assert_eq!(
            differing(json!({"elapsed_s": 1, "result": "ok"}), json!({"elapsed_s": 1.000_002_1, "result": "error"})),
            ["calls[0].elapsed_s: expected 1, was 1.0000021", r#"calls[0].result: expected "ok", was "error""#]
        );
    }

    #[test]
    fn what_is_missing_is_null_on_either_side() {
        assert!(differing(json!({"cause": null}), json!({})).is_empty());
        assert!(differing(json!({}), json!({"cause": null})).is_empty());
        assert_eq!(
            differing(json!({}), json!({"cause": "result"})),
            [r#"calls[0].cause: expected null, was "result""#]
        );
        assert_eq!(
            differing(json!({"slept_s": [1]}), json!({"slept_s": [1, 2]})),
            ["calls[0].slept_s[1]: expected null, was 2"]
        );
    }

    #[test]
    fn a_call_without_a_trace_differs() {
        assert_eq!(compare(&[json!({"result": "ok"})], &[]).len(), 1);
    }
}
