//! The tests and the doctests.
//!
//! It prefers nextest, which runs tests side by side across crates, and does without it where it is not installed.
//! Benchmarks are not tests, and are not built here.

use anyhow::Result;

use crate::command;
use crate::workspace::Workspace;

/// Cases of each property in a long run; an ordinary one has proptest's 256.
const LONG_CASES: &str = "100000";

pub(crate) fn tests(workspace: &Workspace) -> Result<()> {
    let nextest = command::answer(&mut command::cargo(workspace, &["nextest", "--version"])).is_some();
    let arguments: &[&str] = if nextest {
        &["nextest", "run", "--profile", "ci", "--workspace", "--all-features"]
    } else {
        println!("cargo-nextest is not installed: running the tests with `cargo test`");
        &["test", "--workspace", "--all-features", "--lib", "--bins", "--tests", "--examples"]
    };
    command::run(&mut command::cargo(workspace, arguments))
}

/// Doctests apart: nextest does not run them.
pub(crate) fn doctests(workspace: &Workspace) -> Result<()> {
    command::run(&mut command::cargo(workspace, &["test", "--workspace", "--doc", "--all-features"]))
}

/// The property tests alone, with as many cases as a long run takes.
pub(crate) fn properties(workspace: &Workspace) -> Result<()> {
    let mut command = command::cargo(
        workspace,
        &["test", "--release", "--package", "redress-core", "--test", "model", "--", "--nocapture"],
    );
    command::run(command.env("PROPTEST_CASES", LONG_CASES))
}
