//! Runs the models of the core's shared state under loom, the model checker, and sums up what they
//! print.
//!
//! The models are in `crates/redress-core/src/loom/`.

use std::env;
use std::process::Command;

use anyhow::{Result, bail};

use crate::command;
use crate::receipt::Receipt;
use crate::workspace::Workspace;

/// The preemptions explored for `ci`: two reveal nearly every known concurrency bug.
pub(crate) const SHORT: u32 = 2;

/// The preemptions explored by `prove`.
const LONG: u32 = 3;

/// The models are exhaustive and deterministic: on the same sources they explore the same
/// interleavings and find the same.
const RECEIPT: Receipt =
    Receipt { check: "models", file: "models", inputs: &["crates/redress-core/src", "crates/redress-core/Cargo.toml"] };

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The most preemptions of a thread in one interleaving.
    #[arg(long, default_value_t = SHORT)]
    preemptions: u32,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    explore(workspace, args.preemptions)?;
    if args.preemptions >= SHORT { RECEIPT.renew(workspace) } else { Ok(()) }
}

/// The step of `ci`.
pub(crate) fn run_if_due(workspace: &Workspace) -> Result<()> {
    if RECEIPT.is_due(workspace)? {
        explore(workspace, SHORT)?;
        RECEIPT.suggest_renewal(workspace)?;
    }
    Ok(())
}

/// The step of `prove`.
pub(crate) fn run_long(workspace: &Workspace) -> Result<()> {
    explore(workspace, LONG)
}

fn explore(workspace: &Workspace, preemptions: u32) -> Result<()> {
    let mut command = command::cargo(
        workspace,
        &["test", "--release", "--package", "redress-core", "--lib", "loom::", "--", "--nocapture"],
    );
    set_environment(&mut command, preemptions);
    // A separate target directory: the flags differ, and in a shared one each switch would rebuild
    // everything.
    command.env("CARGO_TARGET_DIR", workspace.target().join("models"));
    let printed = command::run_reading(&mut command)?;
    let explored: Vec<u64> = printed.lines().filter_map(interleavings).collect();
    if explored.is_empty() {
        bail!("no model was explored: redress-core has no module `loom`, or prints in another format");
    }
    let all: u64 = explored.iter().sum();
    println!("{} models, {all} interleavings, at most {preemptions} preemptions each: all hold", explored.len());
    Ok(())
}

/// Makes cargo build and run the models.
pub(crate) fn set_environment(command: &mut Command, preemptions: u32) {
    command
        .env("RUSTFLAGS", format!("{} --cfg loom", env::var("RUSTFLAGS").unwrap_or_default()))
        .env("LOOM_MAX_PREEMPTIONS", preemptions.to_string());
}

/// The count in a line such as `model: three probes: 17 interleavings, at most 2 preemptions`.
fn interleavings(line: &str) -> Option<u64> {
    let (before, _) = line.split_once("model: ")?.1.split_once(" interleavings, ")?;
    before.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::interleavings;

    #[test]
    fn reads_the_count_wherever_the_harness_put_it() {
        let line = "test models::x ... model: two, [A, B]: 17 interleavings, at most 2 preemptions";
        assert_eq!(interleavings(line), Some(17));
        assert_eq!(interleavings("test result: ok. 17 passed"), None);
    }
}
