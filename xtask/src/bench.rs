//! The benchmarks, under the workspace's bench profile.
//!
//! What is measured, and how the figures are printed, is `redress-bench`'s: this only hands it its arguments.

use anyhow::{Result, bail};

use crate::command;
use crate::workspace::Workspace;

const PACKAGE: &str = "redress-bench";

/// What follows goes to the benchmarks as it is.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    if !workspace.members().iter().any(|package| package.name == PACKAGE) {
        bail!("there is no crate `{PACKAGE}` in this workspace: the benchmarks belong in crates/{PACKAGE}");
    }
    command::run(command::cargo(workspace, &["bench", "--package", PACKAGE, "--"]).args(&args.arguments))
}
