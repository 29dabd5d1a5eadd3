//! Runs the tests and the doctests.
//!
//! Builds the tests of every crate at once, so that `servers`, `doctests` and `examples` find all
//! that they need, and leaves those that need servers to the step `servers`. Uses nextest, which
//! runs the tests of all crates in parallel, or `cargo test` where nextest is not installed.
//! Benchmarks are not built here.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::slowest;
use crate::workspace::{self, NEED_SERVERS, Workspace};
use crate::{command, servers};

/// The cases of each property in a long run; an ordinary run has proptest's default of 256.
const LONG_CASES: &str = "100000";

pub(crate) fn tests(workspace: &Workspace) -> Result<()> {
    if !has_nextest(workspace) {
        return run_tests(workspace, &workspace::without_servers());
    }
    servers::provide(workspace)?;
    let need_servers: Vec<String> = NEED_SERVERS.iter().map(|package| format!("package({package})")).collect();
    run_tests(workspace, &["--workspace", "-E", &format!("not ({})", need_servers.join(" + "))])
}

/// Runs the tests and the doctests of these crates.
pub(crate) fn tests_of(workspace: &Workspace, packages: &BTreeSet<String>) -> Result<()> {
    let selected: Vec<&str> = packages.iter().flat_map(|package| ["--package", package]).collect();
    run_tests(workspace, &selected)?;
    let libraries = workspace.libraries().map(|package| package.name.as_str());
    let documented: Vec<&str> =
        libraries.filter(|&name| packages.contains(name)).flat_map(|name| ["--package", name]).collect();
    if documented.is_empty() { Ok(()) } else { run_doctests(workspace, &documented) }
}

fn run_tests(workspace: &Workspace, selected: &[&str]) -> Result<()> {
    let nextest = has_nextest(workspace);
    let (tool, targets): (&[&str], &[&str]) = if nextest {
        (&["nextest", "run", "--profile", "ci", "--no-tests", "pass"], &[])
    } else {
        println!("cargo-nextest is not installed: running the tests with `cargo test`");
        (&["test"], &["--lib", "--bins", "--tests", "--examples"])
    };
    command::run(&mut command::cargo(workspace, &[tool, selected, &["--all-features"], targets].concat()))?;
    if nextest { slowest::print(workspace) } else { Ok(()) }
}

fn has_nextest(workspace: &Workspace) -> bool {
    command::answer(&mut command::cargo(workspace, &["nextest", "--version"])).is_some()
}

/// Runs the doctests, which nextest does not run.
pub(crate) fn doctests(workspace: &Workspace) -> Result<()> {
    run_doctests(workspace, &["--workspace"])
}

fn run_doctests(workspace: &Workspace, selected: &[&str]) -> Result<()> {
    command::run(&mut command::cargo(workspace, &[&["test", "--doc", "--all-features"], selected].concat()))
}

/// Runs every case of the enumerations of drops and panics, of which an ordinary run tries a part.
pub(crate) fn drops(workspace: &Workspace) -> Result<()> {
    let of_core = ["--package", "redress-core", "--test", "it", "--", "--nocapture", "cancellation", "panic_points"];
    let of_integrations = [
        "--all-features",
        "--package",
        "redress-hyper",
        "--package",
        "redress-tower",
        "--package",
        "redress-tonic",
        "--package",
        "redress-reqwest",
        "--package",
        "redress-axum",
        "--test",
        "network",
        "--",
        "--nocapture",
        "a_drop_at",
        "a_panic_at",
    ];
    for selected in [&of_core[..], &of_integrations] {
        let mut command = command::cargo(workspace, &[&["test", "--release"], selected].concat());
        command::run(command.env("REDRESS_WHOLE", "1"))?;
    }
    Ok(())
}

/// Runs only the property tests, with the number of cases of a long run.
pub(crate) fn properties(workspace: &Workspace) -> Result<()> {
    let mut command = command::cargo(
        workspace,
        &["test", "--release", "--package", "redress-proof", "--package", "redress-fuzz", "--", "--nocapture"],
    );
    command::run(command.env("PROPTEST_CASES", LONG_CASES))
}
