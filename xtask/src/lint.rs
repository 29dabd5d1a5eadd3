//! Checks formatting and runs clippy.
//!
//! The lints are set in the workspace's `[workspace.lints]`; every warning is an error.

use anyhow::Result;

use crate::command;
use crate::outside;
use crate::workspace::Workspace;

pub(crate) fn format(workspace: &Workspace) -> Result<()> {
    command::run(&mut command::cargo(workspace, &["fmt", "--all", "--check"]))?;
    for package in outside::packages(workspace)? {
        let check = ["fmt", "--check", "--manifest-path", package.manifest_path.as_str()];
        command::run(&mut command::cargo(workspace, &check))?;
    }
    Ok(())
}

pub(crate) fn clippy_together(workspace: &Workspace) -> Result<()> {
    command::run(&mut command::cargo(
        workspace,
        &["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"],
    ))?;
    for package in outside::packages(workspace)? {
        let check = ["clippy", "--all-targets", "--", "-D", "warnings"];
        command::run(&mut outside::cargo(workspace, &package, &check))?;
    }
    Ok(())
}
