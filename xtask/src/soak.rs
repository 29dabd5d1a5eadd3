//! Runs storms of calls over shared policies.
//!
//! `redress-soak` makes the calls and checks the laws; this file passes its arguments on.

use anyhow::Result;

use crate::command::{self, PassedOn};
use crate::workspace::Workspace;

const PACKAGE: &str = "redress-soak";

/// An hour, with a random seed, which is printed.
const LONG: &[&str] = &["--seconds", "3600", "--report-every", "60"];

pub(crate) fn run(workspace: &Workspace, arguments: &PassedOn) -> Result<()> {
    arguments.run(workspace, PACKAGE)
}

/// The step of `prove`.
pub(crate) fn run_long(workspace: &Workspace) -> Result<()> {
    command::run_program(workspace, PACKAGE, LONG)
}
