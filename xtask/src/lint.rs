//! Checks formatting and runs clippy.
//!
//! The lints are set in the workspace's `[workspace.lints]`; every warning is an error.

use anyhow::Result;

use crate::command;
use crate::workspace::Workspace;

pub(crate) fn format(workspace: &Workspace) -> Result<()> {
    command::run(&mut command::cargo(workspace, &["fmt", "--all", "--check"]))
}

pub(crate) fn clippy_together(workspace: &Workspace) -> Result<()> {
    command::run(&mut command::cargo(
        workspace,
        &["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"],
    ))
}
