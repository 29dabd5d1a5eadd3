//! The recorded scenarios, run against every driver.
//!
//! This owns which files are read and what a failure says. How a scenario is read and judged is
//! `redress_testing::conformance`'s.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;

const PUBLIC_SET: &str = "crates/redress-testing/conformance";

/// Without files, the repository's own scenarios.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Scenario files (`.jsonl`), tables (`.json`), or folders of them.
    files: Vec<PathBuf>,
    /// Prints what each driver answered, not only where it differs.
    #[arg(long)]
    print: bool,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    if args.files.is_empty() {
        return judge(&files_in(&workspace.root().join(PUBLIC_SET))?, args.print);
    }
    let mut files = Vec::new();
    for path in &args.files {
        if path.is_dir() {
            files.extend(files_in(path)?);
        } else {
            files.push(path.clone());
        }
    }
    judge(&files, args.print)
}

/// The step of `ci`: the repository's own scenarios, differences only.
pub(crate) fn run_public(workspace: &Workspace) -> Result<()> {
    run(
        workspace,
        &Args {
            files: Vec::new(),
            print: false,
        },
    )
}

fn judge(files: &[PathBuf], print: bool) -> Result<()> {
    // LEAD: replace this line with the call into `redress_testing::conformance`.
    bail!(
        "conformance is not wired to redress-testing yet ({} files, print: {print})",
        files.len()
    )
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = || {
        format!(
            "could not list {}: give a folder of .jsonl and .json files",
            folder.display()
        )
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        if [Some(OsStr::new("jsonl")), Some(OsStr::new("json"))].contains(&path.extension()) {
            files.push(path);
        }
    }
    if files.is_empty() {
        bail!(
            "{} holds no .jsonl or .json file: there is nothing to judge",
            folder.display()
        );
    }
    files.sort();
    Ok(files)
}
