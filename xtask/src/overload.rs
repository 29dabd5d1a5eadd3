//! Runs the tables of `docs/guide/overload.md` at full size.
//!
//! `redress-overload` makes them with `redress-sim`; this file passes its arguments on.

use anyhow::Result;

use crate::command::{self, PassedOn};
use crate::workspace::Workspace;

const PACKAGE: &str = "redress-overload";

pub(crate) fn run(workspace: &Workspace, arguments: &PassedOn) -> Result<()> {
    arguments.run(workspace, PACKAGE)
}

/// The step of `prove`: the page's tables are those that the engine makes.
pub(crate) fn run_long(workspace: &Workspace) -> Result<()> {
    command::run_program(workspace, PACKAGE, &["--check"])
}
