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

/// Checks each library with its default features, as a user gets it. `--workspace` unites the
/// members' features, which hides a crate that builds only because another one enables the features
/// it needs.
///
/// Checks only the library target, and clippy reuses earlier results: this takes a second for each.
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
