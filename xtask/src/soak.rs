//! Runs storms of calls over shared policies.
//!
//! `redress-soak` makes the calls and checks the laws; this file passes its arguments on.

use anyhow::Result;

use crate::command;
use crate::workspace::Workspace;

const PACKAGE: &str = "redress-soak";

/// Long enough for some hundred thousand calls on any machine. The seed fixes the random choices,
/// not the interleaving.
const SHORT: &[&str] = &["--seconds", "5", "--seed", "1"];

/// An hour, with a random seed, which is printed.
const LONG: &[&str] = &["--seconds", "3600", "--report-every", "60"];

/// Arguments passed on to the storm.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let arguments: Vec<&str> = args.arguments.iter().map(String::as_str).collect();
    storm(workspace, &arguments)
}

/// The step of `prove`.
pub(crate) fn run_long(workspace: &Workspace) -> Result<()> {
    storm(workspace, LONG)
}

fn storm(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    let cargo = ["run", "--release", "--package", PACKAGE, "--"];
    command::run(command::cargo(workspace, &cargo).args(arguments))
}

/// The step of `ci`. Uses the development profile: it checks overflow and builds quickly, and the
/// laws do not depend on speed.
pub(crate) fn run_short(workspace: &Workspace) -> Result<()> {
    command::run(command::cargo(workspace, &["run", "--quiet", "--package", PACKAGE, "--"]).args(SHORT))
}
