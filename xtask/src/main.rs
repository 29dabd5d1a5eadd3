//! `cargo xtask`: the workspace's only automation.
//!
//! This file owns the command line. It does not know how a task is done: each task is a module of its own.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

mod ci;
mod tidy;

mod bench;
mod conformance;
mod deny;
mod docs;
mod lint;
mod suite;
mod toolchain;

mod command;
mod workspace;

/// Automation for the redress workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that must pass before a change lands, in order, stopping at the first failure.
    Ci(ci::Args),
    /// The house rules no compiler checks: file heads, names, forbidden words, manifests.
    Tidy,
    /// Runs the recorded scenarios against every driver.
    Conformance(conformance::Args),
    /// Runs the benchmarks; what follows `--` goes to them.
    Bench(bench::Args),
    /// Builds the documentation, a warning being an error.
    Docs,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not `Debug`: a failed check is news about the change, and a stack of this program is not.
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    let workspace = Workspace::load()?;
    match &cli.task {
        Task::Ci(args) => ci::run(&workspace, args),
        Task::Tidy => tidy::run(&workspace),
        Task::Conformance(args) => conformance::run(&workspace, args),
        Task::Bench(args) => bench::run(&workspace, args),
        Task::Docs => docs::run(&workspace),
    }
}
