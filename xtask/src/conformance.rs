//! The recorded scenarios against every driver, and the classifier tables.
//!
//! How a file is read, run and judged is `redress-conformance`'s: this only hands it its arguments.

use std::fs;

use anyhow::Result;

use crate::command;
use crate::workspace::Workspace;

const PACKAGE: &str = "redress-conformance";

/// Where the recordings come from, on machines that have them beside the checkout.
const ORIGIN: &str = "../shared/conformance";

/// What is judged of them.
const RECORDINGS: [&str; 2] = ["engine.jsonl", "classifiers.json"];

/// Without files, the recordings beside the checkout, or else the repository's own.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// What follows goes to the program as it is; `--help` says what it takes.
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

/// The step of `ci`: the repository's own.
pub(crate) fn run_own(workspace: &Workspace) -> Result<()> {
    judge(workspace, &[])
}

/// The recordings beside the checkout, if all are there.
fn beside(workspace: &Workspace) -> Vec<String> {
    let files = RECORDINGS.map(|name| fs::canonicalize(workspace.root().join(ORIGIN).join(name)));
    let files: Option<Vec<_>> = files.into_iter().map(Result::ok).collect();
    files.unwrap_or_default().iter().map(|file| file.display().to_string()).collect()
}

fn judge(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let mut command = command::cargo(workspace, &["run", "--quiet", "--package", PACKAGE, "--"]);
    // Files are named as seen from where this was started.
    command::run(command.current_dir(".").args(arguments))
}
