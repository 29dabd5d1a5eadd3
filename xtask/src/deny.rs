//! Checks the dependency rules of `deny.toml`.
//!
//! `ci` and `cargo xtask deny` check licences, bans and sources. Only `prove` checks advisories:
//! not every machine can fetch their database, and a check that fails for that reason says nothing
//! about the change.

use anyhow::Result;
use semver::Version;

use crate::command;
use crate::outside;
use crate::prove::Outcome;
use crate::receipt::Receipt;
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

/// Manifests need not be listed: what they add or remove is in the lock files.
const RECEIPT: Receipt = Receipt {
    check: "deny",
    file: "deny",
    inputs: &["Cargo.lock", "crates/internal/apalis-redis/Cargo.lock", "deny.toml"],
};

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    check(workspace)?;
    RECEIPT.renew(workspace)
}

/// The step of `ci`.
pub(crate) fn run_if_due(workspace: &Workspace) -> Result<()> {
    if RECEIPT.is_due_with(workspace, &TOOL)? {
        check(workspace)?;
        RECEIPT.suggest_renewal(workspace)?;
    }
    Ok(())
}

/// The step of `prove`.
pub(crate) fn advisories(workspace: &Workspace) -> Result<Outcome> {
    let tool = TOOL.get(workspace)?;
    if command::answer(command::program(workspace, &tool).args(["fetch", "db"])).is_none() {
        return Ok(Outcome::DidNotRun("the database of advisories could not be fetched"));
    }
    command::run(command::program(workspace, &tool).args(["check", "advisories"]))?;
    Ok(Outcome::Passed)
}

fn check(workspace: &Workspace) -> Result<()> {
    let tool = TOOL.get(workspace)?;
    command::run(command::program(workspace, &tool).args(["check", "licenses", "bans", "sources"]))?;
    for package in outside::packages(workspace)? {
        let mut deny = command::program(workspace, &tool);
        deny.args(["--manifest-path", package.manifest_path.as_str(), "--config", "deny.toml"]);
        // Each exception that only the workspace needs would be a warning.
        deny.args(["check", "--allow", "license-exception-not-encountered", "licenses", "bans", "sources"]);
        command::run(&mut deny)?;
    }
    Ok(())
}
