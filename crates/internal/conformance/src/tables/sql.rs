//! The table of SQLSTATEs, and how an exception becomes an error.
//!
//! The original reads a code out of an exception's text where it has no attribute for one. An error
//! here has the attribute alone, as the errors of Rust's drivers do. `sql_differences.rs` lists the
//! intended differences.

use std::fmt;
use std::time::SystemTime;

use redress_core::ErrorClass;
use redress_sql::sqlstate_classifier;
use serde::Deserialize;
use serde_json::Value;

use super::difference::{Difference, listed};
use super::named::Named;
use super::sql_differences::TEXT;
use super::{Judged, Judgement, read_row};
use crate::class_name::ClassName;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    sqlstate: Option<String>,
    args: Vec<Value>,
    name: String,
}

/// The answers of the original's two classifiers: the second does not guess from names.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    sqlstate: ClassName,
    pyodbc: ClassName,
}

/// An error of a driver, which carries a SQLSTATE.
#[derive(Debug)]
struct DriverError(String);

impl fmt::Display for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the statement failed")
    }
}

impl std::error::Error for DriverError {}

pub(super) fn judge(row: &Value, _now: SystemTime) -> Result<Judged, serde_json::Error> {
    let (input, expect): (Input, Expect) = read_row(row)?;
    let [guessing, strict] = classes(&input.name, input.state());
    let described = input.described();
    let columns = [(expect.sqlstate.0, guessing), (expect.pyodbc.0, strict)];
    let judgement =
        judge_columns(&described, &columns).unwrap_or_else(|| Judgement::Wrong(format!("{guessing}, strict {strict}")));
    let answers = columns.map(|(original, ours)| [original, ours].map(|class| class.to_string()));
    Ok(Judged::new(judgement, described, answers))
}

/// Each column may differ, but needs a reason for it. `None` if one has none.
fn judge_columns(input: &str, columns: &[(ErrorClass, ErrorClass)]) -> Option<Judgement> {
    let differing = columns.iter().filter(|(original, ours)| original != ours);
    let reasons: Option<Vec<&'static Difference>> =
        differing.map(|(original, ours)| listed("sql", input, original.as_str(), ours.as_str())).collect();
    Some(reasons?.first().map_or(Judgement::AsOriginal, |reason| Judgement::Intended(reason)))
}

impl Input {
    /// An empty attribute counts as none.
    fn state(&self) -> Option<&str> {
        self.sqlstate.as_deref().filter(|state| !state.is_empty())
    }

    /// The SQLSTATE, or the texts in which the original looks for one.
    fn described(&self) -> String {
        // The original looks into texts alone.
        let texts = || self.args.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
        self.state().map_or_else(|| format!("{TEXT}{}", texts()), str::to_owned)
    }
}

/// Our classes for an error of this name: with guesses from names, and without.
fn classes(name: &str, state: Option<&str>) -> [ErrorClass; 2] {
    let source = state.map(|state| Box::new(DriverError(state.to_owned())) as _);
    let error = Named { name: name.to_owned(), source };
    let guessing = sqlstate_classifier(|error: &DriverError| Some(&error.0));
    [guessing, guessing.strict()].map(|classifier| classifier.classify_error(&error).class())
}

/// Our answer to the example of a difference.
pub(super) fn answer(example: &str) -> Option<String> {
    let state = Some(example).filter(|example| !example.starts_with(TEXT));
    let [guessing, _] = classes("DbError", state);
    Some(guessing.to_string())
}
