//! The recorded scenarios, run against every driver, and the classifier tables.
//!
//! This owns which files are read and whether they passed. How a file is read and judged is
//! `redress_testing::conformance`'s; which drivers there are is `drivers`'s.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use redress_testing::conformance::{Scenario, judge_tables, parse};

use crate::workspace::Workspace;

mod drivers;
mod scenarios;

/// The copy that is published with `redress-testing`.
const PUBLIC_SET: &str = "crates/redress-testing/conformance";

/// Where the scenarios come from, on machines that have them beside the checkout.
const ORIGIN: &str = "../shared/conformance";

/// What is read of either.
const SET: [&str; 2] = ["engine.jsonl", "classifiers.json"];

/// Without files, the scenarios and tables beside the checkout, or else the repository's own.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Scenario files (`.jsonl`), tables (`.json`), or folders of them.
    files: Vec<PathBuf>,
    /// Writes what each driver did with each scenario, one JSON object a line, and judges nothing.
    #[arg(long)]
    print: bool,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let files = if args.files.is_empty() { default_files(workspace) } else { given_files(&args.files)? };
    if args.print { print(&files) } else { judge(&files) }
}

/// The step of `ci`: the repository's own scenarios and tables.
pub(crate) fn run_public(workspace: &Workspace) -> Result<()> {
    judge(&set_in(&workspace.root().join(PUBLIC_SET)))
}

fn default_files(workspace: &Workspace) -> Vec<PathBuf> {
    let folder = workspace.root().join(ORIGIN);
    let origin = set_in(&fs::canonicalize(&folder).unwrap_or(folder));
    if origin.iter().all(|file| file.is_file()) {
        return origin;
    }
    eprintln!("{ORIGIN} does not hold {SET:?}: reading the copies in {PUBLIC_SET}");
    set_in(&workspace.root().join(PUBLIC_SET))
}

fn set_in(folder: &Path) -> Vec<PathBuf> {
    SET.iter().map(|name| folder.join(name)).collect()
}

fn given_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(files_in(path)?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

/// What a file holds, by its name.
enum Content {
    Scenarios(Vec<Scenario>),
    Tables(String),
}

fn judge(files: &[PathBuf]) -> Result<()> {
    let mut failed = Vec::new();
    for path in files {
        println!("{}", path.display());
        let passed = match read(path)? {
            Content::Scenarios(scenarios) => scenarios::judge(&scenarios),
            Content::Tables(text) => {
                let report = judge_tables(&text).with_context(|| in_file(path))?;
                print!("{report}");
                report.is_passed()
            }
        };
        if !passed {
            failed.push(path.display().to_string());
        }
    }
    if !failed.is_empty() {
        bail!("not as recorded: {}; what differs is listed above", failed.join(", "));
    }
    Ok(())
}

/// Standard output carries the traces and nothing else.
fn print(files: &[PathBuf]) -> Result<()> {
    let mut output = BufWriter::new(io::stdout().lock());
    let mut panicked = 0;
    for path in files {
        match read(path)? {
            Content::Scenarios(scenarios) => panicked += scenarios::print(&scenarios, &mut output)?,
            Content::Tables(_) => eprintln!("{}: tables have no traces", path.display()),
        }
    }
    output.flush()?;
    if panicked > 0 {
        bail!("{panicked} run(s) panicked and have no trace: see above");
    }
    Ok(())
}

fn read(path: &Path) -> Result<Content> {
    let text = fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    match path.extension().and_then(OsStr::to_str) {
        Some("jsonl") => {
            let scenarios = parse(&text).with_context(|| in_file(path))?;
            if scenarios.is_empty() {
                bail!("{} holds no scenario: there is nothing to judge", path.display());
            }
            Ok(Content::Scenarios(scenarios))
        }
        Some("json") => Ok(Content::Tables(text)),
        _ => bail!("{}: give .jsonl files of scenarios or .json files of tables", path.display()),
    }
}

fn in_file(path: &Path) -> String {
    format!("{} is not in the format", path.display())
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
