//! `cargo xtask`: the workspace's only automation.
//!
//! This file owns the command line. It does not know how a task is done: each task is a module of
//! its own.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

mod check;
mod ci;
mod tidy;

mod bench;
mod conformance;
mod deny;
mod dependencies;
mod docs;
mod lint;
mod suite;
mod toolchain;

mod prove;
mod fuzz;
mod miri;
mod models;
mod mutants;
mod soak;

mod command;
mod tool;
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
    /// What has changed, quickly: house rules, formatting, clippy, and the tests of the crates that
    /// changed.
    Check(check::Args),
    /// Everything that must pass before a change lands, in order, stopping at the first failure.
    Ci(ci::Args),
    /// The house rules no compiler checks: file heads, names, forbidden words, manifests.
    Tidy,
    /// Runs the recorded scenarios against every driver, and judges the classifier tables; `--help`
    /// says what else.
    Conformance(conformance::Args),
    /// Runs the benchmarks; what follows `--` goes to them.
    Bench(bench::Args),
    /// The evidence in its long forms: models, properties, fuzz, soak, mutants, miri.
    Prove(prove::Args),
    /// Explores the interleavings of what calls share.
    Models(models::Args),
    /// Runs the fuzz targets, ten minutes each unless told otherwise.
    Fuzz(fuzz::Args),
    /// Changes the code in one place at a time, to see the tests notice.
    Mutants(mutants::Args),
    /// Hammers shared policies from threads and tasks; `--help` says for how long and from how
    /// many.
    Soak(soak::Args),
    /// Counts the crates that each feature compiles, into docs/dependencies.md.
    Dependencies(dependencies::Args),
    /// Builds the documentation, a warning being an error.
    Docs,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not `Debug`: a failed check is news about the change, and a stack of this program is
            // not.
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    let workspace = Workspace::load()?;
    match &cli.task {
        Task::Check(args) => check::run(&workspace, args),
        Task::Ci(args) => ci::run(&workspace, args),
        Task::Tidy => tidy::run(&workspace),
        Task::Conformance(args) => conformance::run(&workspace, args),
        Task::Bench(args) => bench::run(&workspace, args),
        Task::Prove(args) => prove::run(&workspace, args),
        Task::Models(args) => models::run(&workspace, args),
        Task::Fuzz(args) => fuzz::run(&workspace, args),
        Task::Mutants(args) => mutants::run(&workspace, args),
        Task::Soak(args) => soak::run(&workspace, args),
        Task::Dependencies(args) => dependencies::run(&workspace, args),
        Task::Docs => docs::run(&workspace),
    }
}
