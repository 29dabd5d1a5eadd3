//! Runs the tests of the crates that talk to real servers: PostgreSQL, MariaDB, Redis, moto, and
//! the drivers of ODBC.
//!
//! Installs what is missing where it may, and otherwise fails with the names of all that is
//! missing. Uses `cargo test`, so that the tests of one executable share a server.

mod install;

use anyhow::Result;

use crate::workspace::{NEED_SERVERS, Workspace};
use crate::{command, examples};

/// The step of `ci`.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let path = install::provide(workspace)?;
    let mut arguments = vec!["test", "--all-features"];
    arguments.extend(NEED_SERVERS.iter().flat_map(|package| ["--package", package]));
    command::run(command::cargo(workspace, &arguments).env("PATH", path))?;
    examples::run_with_servers(workspace)
}
