//! Runs the tables of `docs/guide/overload.md` at full size.
//!
//! `redress-overload` makes them with `redress-sim`; this file passes its arguments on.

use anyhow::Result;

use crate::command;
use crate::workspace::Workspace;

const PACKAGE: &str = "redress-overload";

/// Arguments passed on to the simulation.
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

/// The step of `prove`: the page's tables are those that the engine makes.
pub(crate) fn run_long(workspace: &Workspace) -> Result<()> {
    command::run_program(workspace, PACKAGE, &["--check"])
}
