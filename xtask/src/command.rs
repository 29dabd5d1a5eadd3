//! Runs other programs in the workspace's root, without input; a failure is an error that names the
//! command.
//!
//! The output of a program reaches the user unchanged. Each command line is printed to standard
//! error, which leaves standard output to the program.

use std::env;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;

/// A `cargo` command in the workspace's root.
pub(crate) fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = program(workspace, "cargo");
    if !workspace.is_incremental() {
        command.env("CARGO_INCREMENTAL", "0");
    }
    command.args(arguments);
    command
}

/// A command in the workspace's root.
///
/// `cargo run` sets environment variables that describe the package it runs. They are removed here:
/// build scripts that watch them would otherwise run again at each change between `cargo xtask` and
/// plain `cargo`.
pub(crate) fn program(workspace: &Workspace, name: &str) -> Command {
    let mut command = Command::new(name);
    command.current_dir(workspace.root()).stdin(Stdio::null());
    for (variable, _) in env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&variable);
        }
    }
    command
}

/// Arguments that a task passes on to a program.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct PassedOn {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl PassedOn {
    /// Runs a program of the workspace with them, as [`run_program`] does.
    pub(crate) fn run(&self, workspace: &Workspace, package: &str) -> Result<()> {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        run_program(workspace, package, &arguments)
    }
}

/// Builds a program of the workspace for release, and runs it with these arguments.
pub(crate) fn run_program(workspace: &Workspace, package: &str, arguments: &[&str]) -> Result<()> {
    let run = ["run", "--release", "--package", package, "--"];
    self::run(cargo(workspace, &run).args(arguments))
}

/// Prints the command, then runs it until it exits.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    run_judging(command, &[])
}

/// The same for a program whose exit codes say more than pass or fail: those given here are not
/// failures.
pub(crate) fn run_judging(command: &mut Command, verdicts: &[i32]) -> Result<()> {
    let line = spelled(command);
    eprintln!("$ {line}");
    let status = command
        .status()
        .with_context(|| format!("could not start `{line}`: is the program installed and on the PATH?"))?;
    if !status.success() && !status.code().is_some_and(|code| verdicts.contains(&code)) {
        bail!("`{line}` failed ({status}): its output above says why");
    }
    Ok(())
}

/// Runs it until it exits and returns its output, which is shown if it fails.
pub(crate) fn run_reading(command: &mut Command) -> Result<String> {
    let line = spelled(command);
    eprintln!("$ {line}");
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("could not start `{line}`: is the program installed and on the PATH?"))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        print!("{printed}");
        bail!("`{line}` failed ({}): its output above says why", output.status);
    }
    Ok(printed)
}

/// Returns its output, or `None` if it cannot be started or fails. Used to find out whether a tool
/// is installed.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    if !output.status.success() {
        return None;
    }
    String::from_utf8(output.stdout).ok()
}

fn spelled(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}
