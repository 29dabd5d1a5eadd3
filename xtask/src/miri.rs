//! Runs the core's tests under miri, if the toolchain has it.
//!
//! The workspace has no unsafe code; miri adds its scheduler and its leak check. Without the
//! component, the outcome says that the step did not run, which is not a pass.

use anyhow::Result;

use crate::command;
use crate::prove::Outcome;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace) -> Result<Outcome> {
    let has_miri = command::answer(command::program(workspace, "cargo").args(["+nightly", "miri", "--version"]));
    if has_miri.is_none() {
        return Ok(Outcome::DidNotRun(
            "no nightly toolchain with miri here: `rustup toolchain install nightly --component miri`",
        ));
    }
    let mut command = command::program(workspace, "cargo");
    command.args(["+nightly", "miri", "test", "--package", "redress-core", "--lib", "--test", "it"]);
    command.env("CARGO_TARGET_DIR", workspace.target().join("miri"));
    // Without isolation, since the tests read the real clock once, as the origin of their virtual
    // clocks.
    command.env("MIRIFLAGS", "-Zmiri-disable-isolation");
    command::run(&mut command)?;
    Ok(Outcome::Passed)
}
