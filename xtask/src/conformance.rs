//! Runs the recorded scenarios against every driver, the classifier tables, and the vectors of
//! earned budgets.
//!
//! `redress-conformance` reads, runs and judges the files; this file passes its arguments on.

use std::fs;

use anyhow::Result;

use crate::command;
use crate::workspace::Workspace;

const PACKAGE: &str = "redress-conformance";

/// The folder beside the checkout that holds the recordings on some machines.
const ORIGIN: &str = "../shared/conformance";

/// The files in it that are judged.
const RECORDINGS: [&str; 3] = ["engine.jsonl", "classifiers.json", "budget.jsonl"];

/// Without files, judges the recordings beside the checkout, or else those in the repository.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Arguments passed on to the program; `--help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let mut arguments = args.arguments.clone();
    if arguments.iter().all(|argument| argument.starts_with('-')) {
        arguments.extend(beside(workspace));
    }
    judge(workspace, &arguments)
}

/// The recordings beside the checkout, if none is missing.
fn beside(workspace: &Workspace) -> Vec<String> {
    let files = RECORDINGS.map(|name| fs::canonicalize(workspace.root().join(ORIGIN).join(name)));
    let files: Option<Vec<_>> = files.into_iter().map(Result::ok).collect();
    files.unwrap_or_default().iter().map(|file| file.display().to_string()).collect()
}

fn judge(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let mut command = command::cargo(workspace, &["run", "--quiet", "--package", PACKAGE, "--"]);
    // Relative paths start at the directory that the user ran this in.
    command::run(command.current_dir(".").args(arguments))
}
