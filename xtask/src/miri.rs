//! The core's tests under miri, where the toolchain has it.
//!
//! There is no unsafe code to look into; what miri adds is its own scheduler and leak check. Where
//! the component is missing this says that nothing ran: a step that did not run has not passed.

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
    // The tests read the real clock for the origin of their virtual ones.
    command.env("MIRIFLAGS", "-Zmiri-disable-isolation");
    command::run(&mut command)?;
    Ok(Outcome::Passed)
}
