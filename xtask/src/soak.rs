//! Runs storms of calls over shared policies.
//!
//! `redress-soak` makes the calls and checks the laws; this file passes its arguments on.

use anyhow::Result;

use crate::command;
use crate::workspace::Workspace;

const PACKAGE: &str = "redress-soak";

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
    command::run_program(workspace, PACKAGE, &arguments)
}

/// The step of `prove`.
pub(crate) fn run_long(workspace: &Workspace) -> Result<()> {
    command::run_program(workspace, PACKAGE, LONG)
}
