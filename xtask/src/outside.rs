//! The packages that are not members of the workspace, because a dependency of theirs cannot stand
//! in its lock file: each has a lock file of its own, and its manifest says why.
//!
//! Members share these steps with them: `tidy`, `format`, `clippy`, `servers` and `deny`. The
//! others concern published crates (`features`, `msrv`, `minimal-versions`, `examples`, `docs`,
//! `api`, `dependencies`), or take what a server does not need to be there for (`tests`,
//! `doctests`).

use std::process::Command;

use anyhow::{Context as _, Result};
use cargo_metadata::{MetadataCommand, Package};

use crate::command;
use crate::workspace::Workspace;

/// Their folders. Each is under `exclude` in the root manifest.
pub(crate) const FOLDERS: &[&str] = &["crates/internal/apalis-redis"];

/// Reads their manifests.
pub(crate) fn packages(workspace: &Workspace) -> Result<Vec<Package>> {
    FOLDERS.iter().map(|folder| package(workspace, folder)).collect()
}

fn package(workspace: &Workspace, folder: &str) -> Result<Package> {
    let metadata = MetadataCommand::new()
        .manifest_path(workspace.root().join(folder).join("Cargo.toml"))
        .no_deps()
        .exec()
        .with_context(|| format!("`cargo metadata` failed in {folder}: fix the manifest it names"))?;
    metadata.root_package().cloned().with_context(|| format!("{folder} is in a workspace: `exclude` it in Cargo.toml"))
}

/// Cargo with one of its commands on a package, in the workspace's target directory: what both
/// builds have in common is built once.
pub(crate) fn cargo(workspace: &Workspace, package: &Package, arguments: &[&str]) -> Command {
    let [subcommand, rest @ ..] = arguments else { return command::cargo(workspace, arguments) };
    let mut cargo = command::cargo(workspace, &[subcommand, "--manifest-path", package.manifest_path.as_str()]);
    cargo.args(["--locked", "--target-dir"]).arg(workspace.target()).args(rest);
    cargo
}
