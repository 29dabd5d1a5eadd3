//! Finds the recordings to judge, this crate's or files and folders, and distinguishes scenarios
//! from tables.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use redress_conformance::{
    BREAKER_VECTORS, BUDGET_VECTORS, BreakerVector, BudgetVector, RECORDED_TABLES, Scenario, Vector, parse,
    recorded_scenarios,
};

/// A recording from a file, or from this crate.
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) content: Content,
}

pub(crate) enum Content {
    Scenarios(Vec<Scenario>),
    Breakers(Vec<BreakerVector>),
    Budgets(Vec<BudgetVector>),
    /// Not parsed yet: a file of tables is parsed when it is judged.
    Tables(String),
}

/// The recordings compiled into this crate.
pub(crate) fn own() -> Vec<Recording> {
    vec![
        Recording { name: "engine.jsonl".to_owned(), content: Content::Scenarios(recorded_scenarios()) },
        Recording { name: "classifiers.json".to_owned(), content: Content::Tables(RECORDED_TABLES.to_owned()) },
        Recording { name: "breaker.jsonl".to_owned(), content: own_breakers() },
        Recording { name: "budget.jsonl".to_owned(), content: own_budgets() },
    ]
}

fn own_breakers() -> Content {
    Content::Breakers(BreakerVector::parse(BREAKER_VECTORS).expect("a test reads them"))
}

fn own_budgets() -> Content {
    Content::Budgets(BudgetVector::parse(BUDGET_VECTORS).expect("a test reads them"))
}

/// The recordings in these files, and in the files of these folders.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<Recording>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(files_in(path)?);
        } else {
            files.push(path.clone());
        }
    }
    files.iter().map(|file| Ok(Recording { name: file.display().to_string(), content: content(file)? })).collect()
}

/// The message for a file of this name that could not be parsed.
pub(crate) fn not_in_the_format(name: &str) -> String {
    format!("{name} is not in the format")
}

fn content(path: &Path) -> Result<Content> {
    let text = fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    match path.extension().and_then(OsStr::to_str) {
        Some("jsonl") if is_of_breakers(&text) => {
            let vectors =
                BreakerVector::parse(&text).with_context(|| not_in_the_format(&path.display().to_string()))?;
            Ok(Content::Breakers(vectors))
        }
        Some("jsonl") if is_of_budgets(&text) => {
            let vectors = BudgetVector::parse(&text).with_context(|| not_in_the_format(&path.display().to_string()))?;
            Ok(Content::Budgets(vectors))
        }
        Some("jsonl") => {
            let scenarios = parse(&text).with_context(|| not_in_the_format(&path.display().to_string()))?;
            if scenarios.is_empty() {
                bail!("{} holds no scenario: there is nothing to judge", path.display());
            }
            Ok(Content::Scenarios(scenarios))
        }
        Some("json") => Ok(Content::Tables(text)),
        _ => bail!("{}: give .jsonl files of scenarios or .json files of tables", path.display()),
    }
}

/// Whether the first line is a vector of a breaker: it has steps instead of calls.
fn is_of_breakers(text: &str) -> bool {
    first_line(text).is_some_and(|first| first["breaker"].is_object() && first["steps"].is_array())
}

/// Whether the first line is a vector of an earned budget: its configuration has a share.
fn is_of_budgets(text: &str) -> bool {
    first_line(text).is_some_and(|first| first["budget"]["share"].is_number())
}

fn first_line(text: &str) -> Option<serde_json::Value> {
    text.lines().next().and_then(|line| serde_json::from_str(line).ok())
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = || format!("could not list {}: give a folder of .jsonl and .json files", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        if [Some(OsStr::new("jsonl")), Some(OsStr::new("json"))].contains(&path.extension()) {
            files.push(path);
        }
    }
    if files.is_empty() {
        bail!("{} holds no .jsonl or .json file: there is nothing to judge", folder.display());
    }
    files.sort();
    Ok(files)
}
