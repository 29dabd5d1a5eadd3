//! The dependency rules of `deny.toml`, and finding or building the tool that reads them.
//!
//! Licences, bans and sources only: the advisory database is fetched from a place that not every machine
//! that runs this can reach, and a check that fails for that says nothing about the change.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use semver::Version;

use crate::command;
use crate::workspace::Workspace;

/// The oldest that reads `deny.toml` as it is written.
const OLDEST: Version = Version::new(0, 18, 0);

/// What is built when none is there: its own minor, so that a release that reads `deny.toml` differently waits for us.
const INSTALLED: &str = "^0.20";

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let tool = match find(workspace) {
        Some(tool) => tool,
        None => install(workspace)?,
    };
    command::run(command::program(workspace, &tool).args(["check", "licenses", "bans", "sources"]))
}

fn find(workspace: &Workspace) -> Option<String> {
    let built = built(workspace).display().to_string();
    ["cargo-deny".to_owned(), built].into_iter().find(|tool| is_recent(workspace, tool))
}

fn is_recent(workspace: &Workspace, tool: &str) -> bool {
    command::answer(command::program(workspace, tool).arg("--version"))
        .and_then(|answer| version_in(&answer))
        .is_some_and(|version| version >= OLDEST)
}

fn version_in(answer: &str) -> Option<Version> {
    Version::parse(answer.split_whitespace().nth(1)?).ok()
}

fn install(workspace: &Workspace) -> Result<String> {
    let root = tools(workspace);
    println!("no cargo-deny {OLDEST} or newer: building one into {} (once)", root.display());
    command::run(
        command::cargo(workspace, &["install", "cargo-deny", "--locked", "--version", INSTALLED, "--root"]).arg(&root),
    )
    .context("cargo-deny could not be installed: the dependency rules are unchecked; put cargo-deny on the PATH")?;
    Ok(built(workspace).display().to_string())
}

fn tools(workspace: &Workspace) -> PathBuf {
    workspace.target().join("tools")
}

fn built(workspace: &Workspace) -> PathBuf {
    tools(workspace).join("bin").join("cargo-deny")
}

#[cfg(test)]
mod tests {
    use super::{OLDEST, version_in};

    #[test]
    fn reads_the_version_out_of_the_answer() {
        assert_eq!(version_in("cargo-deny 0.18.0\n"), Some(OLDEST));
        assert!(version_in("cargo-deny 0.17.9").is_some_and(|version| version < OLDEST));
        assert_eq!(version_in("cargo-deny"), None);
        assert_eq!(version_in("no such command: deny"), None);
    }
}
