//! Checks the dependency rules of `deny.toml`.
//!
//! Checks licences, bans and sources, but not advisories: not every machine can fetch their
//! database, and a check that fails for that reason says nothing about the change.

use anyhow::Result;
use semver::Version;

use crate::command;
use crate::tool::Tool;
use crate::workspace::Workspace;

/// The oldest version that reads this format of `deny.toml`.
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
