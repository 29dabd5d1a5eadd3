//! The dependency rules of `deny.toml`.
//!
//! Licences, bans and sources only: the advisory database is fetched from a place that not every
//! machine that runs this can reach, and a check that fails for that says nothing about the change.

use anyhow::Result;
use semver::Version;

use crate::command;
use crate::tool::Tool;
use crate::workspace::Workspace;

/// The oldest that reads `deny.toml` as it is written.
const TOOL: Tool = Tool {
    package: "cargo-deny",
    probe: &["--version"],
    oldest: Version::new(0, 18, 0),
    installed: "^0.20",
    without: "the dependency rules are unchecked",
};

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let tool = TOOL.get(workspace)?;
    command::run(command::program(workspace, &tool).args(["check", "licenses", "bans", "sources"]))
}
