//! Builds and runs the benchmarks under the workspace's bench profile, and builds them in the
//! profiles that users choose to count instructions there.
//!
//! `redress-bench` measures and prints; this file passes its arguments on.

use std::process::Command;

use anyhow::{Context as _, Result, bail};
use cargo_metadata::Message;

use crate::command;
use crate::workspace::Workspace;

const PACKAGE: &str = "redress-bench";

/// The name of the benchmark program.
const PROGRAM: &str = "compare";

/// The profiles of users' builds: the name in the report, which holds no `=`, and the profile in
/// the workspace's manifest.
const BESIDE: [(&str, &str); 2] = [("plain `--release`", "release"), ("fat LTO", "bench-fat")];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Also counts instructions under plain `--release` and fat LTO. Must come first; takes twice
    /// as long.
    #[arg(long)]
    profiles: bool,
    /// Arguments passed on to the benchmarks.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    if !workspace.members().iter().any(|package| package.name == PACKAGE) {
        bail!("the workspace has no crate `{PACKAGE}`: the benchmarks belong in crates/internal/bench");
    }
    let mut beside = Vec::new();
    for (name, profile) in BESIDE.into_iter().filter(|_| args.profiles) {
        beside.extend(["--beside".to_owned(), format!("{name}={}", built(workspace, profile)?)]);
    }
    command::run(bench(workspace).arg("--").args(beside).args(&args.arguments))
}

/// Builds the benchmarks in a profile and returns the path of the program.
fn built(workspace: &Workspace, profile: &str) -> Result<String> {
    let mut command = bench(workspace);
    command.args(["--no-run", "--profile", profile, "--message-format", "json-render-diagnostics"]);
    let printed = command::run_reading(&mut command)?;
    let programs = Message::parse_stream(printed.as_bytes()).filter_map(|message| match message.ok()? {
        Message::CompilerArtifact(artifact) if artifact.target.name == PROGRAM => artifact.executable,
        _ => None,
    });
    let program = programs.last().with_context(|| format!("cargo built no program `{PROGRAM}` of {PACKAGE}"))?;
    Ok(program.into_string())
}

/// An incremental build ignores the profile's number of codegen units.
fn bench(workspace: &Workspace) -> Command {
    let mut command = command::cargo(workspace, &["bench", "--package", PACKAGE]);
    command.env("CARGO_INCREMENTAL", "0");
    command
}
