//! Formatting and clippy.
//!
//! Which lints hold is not decided here: the workspace's `[workspace.lints]` says so, and a warning
//! is an error.

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

/// Each library with its default features, as a user gets it: `--workspace` unites the members'
/// features, and so hides a crate that only builds because a neighbour asked for what it needs.
///
/// Only the library target is looked at, and clippy leaves what it checked before alone: a second
/// each.
pub(crate) fn clippy_apart(workspace: &Workspace) -> Result<()> {
    for package in workspace.libraries() {
        let name = package.name.as_str();
        command::run(&mut command::cargo(
            workspace,
            &["clippy", "--quiet", "--package", name, "--lib", "--", "-D", "warnings"],
        ))?;
    }
    Ok(())
}
