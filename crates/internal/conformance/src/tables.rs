//! Reads and judges the classifier tables: inputs with the original's answers, compared with ours.
//!
//! A row is as the original, an intended difference, or wrong. The module of each domain turns its
//! rows into error values.

mod difference;
mod named;

#[cfg(feature = "runtimes")]
mod boto3;
#[cfg(feature = "runtimes")]
mod boto3_differences;
mod default;
mod default_differences;
#[cfg(feature = "runtimes")]
mod grpc;
#[cfg(feature = "runtimes")]
mod grpc_differences;
mod http;
mod http_differences;
#[cfg(feature = "runtimes")]
mod redis;
#[cfg(feature = "runtimes")]
mod redis_differences;
mod llm;
mod llm_covers;
mod llm_differences;
mod reset_differences;
mod sql;
mod sql_differences;

mod report;

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::Value;

pub use self::difference::{Difference, differences};
pub use self::report::{BroadDifference, MetDifference, TableReport, TablesReport, UnbuiltTable, WrongRow};

/// The recorded tables, for [`judge_tables`].
pub const RECORDED_TABLES: &str = include_str!("../data/classifiers.json");

/// A table whose domain is compiled in, and the function that judges its rows.
struct Domain {
    table: &'static str,
    judge: fn(&Value, SystemTime) -> Result<Judged, serde_json::Error>,
    /// Our answer to the example of a difference.
    answer: fn(&str) -> Option<String>,
}

const BUILT: &[Domain] = &[
    #[cfg(feature = "runtimes")]
    Domain { table: "boto3", judge: boto3::judge, answer: boto3::answer },
    Domain { table: "anthropic", judge: llm::judge_anthropic, answer: llm::answer_anthropic },
    Domain { table: "anthropic_reset", judge: llm::judge_moment, answer: llm::answer_moment },
    Domain { table: "default", judge: default::judge, answer: default::answer },
    #[cfg(feature = "runtimes")]
    Domain { table: "grpc", judge: grpc::judge, answer: grpc::answer },
    Domain { table: "http", judge: http::judge_status, answer: http::answer_status },
    Domain { table: "http_retry_after", judge: http::judge_hint, answer: http::answer_hint },
    Domain { table: "http_retry_after_value", judge: http::judge_value, answer: http::answer_value },
    #[cfg(feature = "runtimes")]
    Domain { table: "redis", judge: redis::judge, answer: redis::answer },
    Domain { table: "openai", judge: llm::judge_openai, answer: llm::answer_openai },
    Domain { table: "openai_reset_duration", judge: llm::judge_duration, answer: llm::answer_duration },
    Domain { table: "sql", judge: sql::judge, answer: sql::answer },
];

fn domain(table: &str) -> Option<&'static Domain> {
    BUILT.iter().find(|domain| domain.table == table)
}

/// A judged row.
struct Judged {
    judgement: Judgement,
    /// The row's input, spelled like the examples of its table.
    input: String,
    /// The original's answers that are not ours, each with ours.
    differing: Vec<[String; 2]>,
}

impl Judged {
    /// A row with these answers, the original's and ours. Equal ones do not differ.
    fn new(judgement: Judgement, input: impl Into<String>, answers: impl IntoIterator<Item = [String; 2]>) -> Self {
        let differing = answers.into_iter().filter(|[original, ours]| original != ours).collect();
        Self { judgement, input: input.into(), differing }
    }

    /// A row with one answer.
    fn of_one(judgement: Judgement, input: impl Into<String>, original: &str, ours: &str) -> Self {
        Self::new(judgement, input, [[original.to_owned(), ours.to_owned()]])
    }
}

/// The judgement of a row.
enum Judgement {
    AsOriginal,
    Intended(&'static Difference),
    /// With our answer.
    Wrong(String),
}

/// Judges a file of classifier tables, row by row, by the public functions of redress.
///
/// Tables whose domain is not compiled in are named in the report, with the number of their rows.
/// The report always says whether a listed difference is stale, for any content of the file, and
/// names each row that a listed difference covers without being met by it.
///
/// ```
/// use redress_conformance::{RECORDED_TABLES, judge_tables};
///
/// let report = judge_tables(RECORDED_TABLES)?;
/// assert!(report.is_passed(), "{report}");
/// # Ok::<(), redress_conformance::TablesError>(())
/// ```
///
/// # Errors
///
/// If the text is not a file of tables, or a row of a judged table is not in the format.
pub fn judge_tables(text: &str) -> Result<TablesReport, TablesError> {
    let file: File = serde_json::from_str(text).map_err(TablesError::of_file)?;
    let now = humantime::parse_rfc3339(&file.now)
        .map_err(|error| TablesError::of_file(serde_json::Error::custom(format!("`now`: {error}"))))?;
    let mut report = TablesReport::new(difference::stale(|table, example| (domain(table)?.answer)(example)));
    for (name, rows) in &file.tables {
        match domain(name) {
            Some(domain) => report.tables.push(judge_table(domain, rows, now)?),
            None => report.unbuilt.push(UnbuiltTable { name: name.clone(), rows: rows.len() }),
        }
    }
    Ok(report)
}

fn judge_table(domain: &Domain, rows: &[Value], now: SystemTime) -> Result<TableReport, TablesError> {
    let mut report = TableReport::new(domain.table);
    for (index, row) in rows.iter().enumerate() {
        let judged =
            (domain.judge)(row, now).map_err(|source| TablesError { place: Some((domain.table, index)), source })?;
        report
            .broad
            .extend(broad(domain.table, &judged).map(|difference| BroadDifference { difference, row: row.clone() }));
        report.add(row, judged.judgement);
    }
    Ok(report)
}

/// The differences of the table that cover the row's input, although none of its answers differs as
/// they say.
fn broad(table: &str, judged: &Judged) -> impl Iterator<Item = &'static Difference> {
    differences().filter(move |listed| {
        let is_met = || judged.differing.iter().any(|[original, ours]| listed.is_between(original, ours));
        listed.covers(table, &judged.input) && !is_met()
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    now: String,
    #[serde(rename = "python")]
    _python: Option<String>,
    #[serde(rename = "versions")]
    _versions: Option<Value>,
    tables: BTreeMap<String, Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row<I, E> {
    input: I,
    expect: E,
}

fn read_row<I: DeserializeOwned, E: DeserializeOwned>(row: &Value) -> Result<(I, E), serde_json::Error> {
    let Row { input, expect } = Row::deserialize(row)?;
    Ok((input, expect))
}

/// The error for a file of tables that cannot be read.
#[derive(Debug)]
pub struct TablesError {
    place: Option<(&'static str, usize)>,
    source: serde_json::Error,
}

impl TablesError {
    fn of_file(source: serde_json::Error) -> Self {
        Self { place: None, source }
    }
}

impl fmt::Display for TablesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((table, index)) => write!(f, "row {index} of table `{table}` is not in the format"),
            None => f.write_str("this is not a file of classifier tables"),
        }
    }
}

impl std::error::Error for TablesError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

#[cfg(test)]
mod tests;
