//! Storms over shared policies.
//!
//! What they do, and which laws hold when they are over, is `redress-soak`'s: this only hands it
//! its arguments.

use anyhow::Result;

use crate::command;
use crate::workspace::Workspace;

const PACKAGE: &str = "redress-soak";

/// Long enough for some hundred thousand calls on any machine. The seed fixes what is drawn, the
/// machine what interleaves.
const SHORT: &[&str] = &["--seconds", "5", "--seed", "1"];

/// An hour, with whatever seed comes: it is printed.
const LONG: &[&str] = &["--seconds", "3600", "--report-every", "60"];

/// What follows goes to the storm as it is.
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

/// The step of `ci`. The development profile: the verdict is about laws, not speed, overflow is
/// checked, and there is little to build.
pub(crate) fn run_short(workspace: &Workspace) -> Result<()> {
    command::run(command::cargo(workspace, &["run", "--quiet", "--package", PACKAGE, "--"]).args(SHORT))
}
