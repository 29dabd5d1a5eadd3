//! What happened in a call, in the scenarios' shape, and the comparison with what must have happened.
//!
//! Owns the output format and the tolerance. Does not know how the trace came about.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

/// How far two numbers may be apart: the format's own tolerance.
const TOLERANCE: f64 = 2e-6;

/// What happened in one call: the object that a scenario's expectation is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace(pub(super) Value);

impl Trace {
    /// The trace as JSON, to be written for others to compare.
    #[must_use]
    pub const fn as_json(&self) -> &Value {
        &self.0
    }
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Mismatch {
    /// Where, such as `calls[1].events[0].class`.
    pub path: String,
    /// What must have happened.
    pub expected: Value,
    /// What happened.
    pub actual: Value,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, was {}", self.path, self.expected, self.actual)
    }
}

pub(super) fn compare(expected: &[Value], actual: &[Trace]) -> Vec<Mismatch> {
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
