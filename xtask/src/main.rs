//! `cargo xtask`: the command line of the workspace's automation.
//!
//! Each subcommand is implemented in the module of the same name.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

mod check;
mod ci;
mod tidy;

mod api;
mod bench;
mod conformance;
mod deny;
mod dependencies;
mod docs;
mod examples;
mod features;
mod lint;
mod minimal_versions;
mod msrv;
mod rustdoc;
mod servers;
mod suite;
mod toolchain;

mod prove;
mod fuzz;
mod miri;
mod models;
mod mutants;
mod overload;
mod soak;

mod command;
mod outside;
mod tool;
mod receipt;
mod slowest;
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
    /// Checks a change quickly: house rules, formatting, clippy, and the tests of the crates that
    /// changed.
    Check(check::Args),
    /// Runs every check that must pass before a change lands, in order; stops at the first failure.
    Ci(ci::Args),
    /// Checks the house rules that no compiler checks: file headers, names, sizes, forbidden words,
    /// manifests.
    Tidy,
    /// Runs the recorded scenarios against every driver, and judges the classifier tables; see its
    /// `--help`.
    Conformance(conformance::Args),
    /// Runs the tests with real servers; installs PostgreSQL, MariaDB, Redis, moto and ODBC first.
    Servers,
    /// Runs the benchmarks; arguments after `--` are passed on to them.
    Bench(bench::Args),
    /// Runs the evidence in its long form: models, properties, fuzz, soak, overload, mutants, miri,
    /// lowest versions.
    Prove(prove::Args),
    /// Explores the interleavings of the state that calls share.
    Models(models::Args),
    /// Runs the fuzz targets, for ten minutes each by default.
    Fuzz(fuzz::Args),
    /// Changes the code in one place at a time and checks that a test fails.
    Mutants(mutants::Args),
    /// Calls shared policies from many threads and tasks; `--help` lists the settings.
    Soak(command::PassedOn),
    /// Simulates what survives an outage, at full size; `--write` puts it into the guide.
    Overload(command::PassedOn),
    /// Checks the dependency rules of deny.toml, and writes down that they hold.
    Deny,
    /// Counts the crates that each feature compiles, into docs/dependencies.md.
    Dependencies(dependencies::Args),
    /// Builds the published crates with the lowest versions that their manifests accept, and writes
    /// docs/minimal-versions.md.
    MinimalVersions,
    /// Compares the public API of each published crate with docs/api.
    Api(api::Args),
    /// Builds the documentation; warnings are errors.
    Docs(docs::Args),
}

fn main() -> ExitCode {
    if let Some(code) = rustdoc::stand_in() {
        return code;
    }
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not `Debug`: that would add this program's backtrace, which says nothing about the
            // change.
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    let workspace = Workspace::load()?;
    match &cli.task {
        Task::Check(args) => check::run(&workspace, args),
        Task::Ci(args) => ci::run(&workspace.incremental_only_if_begun(), args),
        Task::Tidy => tidy::run(&workspace),
        Task::Conformance(args) => conformance::run(&workspace, args),
        Task::Servers => servers::run(&workspace),
        Task::Bench(args) => bench::run(&workspace, args),
        Task::Prove(args) => prove::run(&workspace, args),
        Task::Models(args) => models::run(&workspace, args),
        Task::Fuzz(args) => fuzz::run(&workspace, args),
        Task::Mutants(args) => mutants::run(&workspace, args),
        Task::Soak(args) => soak::run(&workspace, args),
        Task::Overload(args) => overload::run(&workspace, args),
        Task::Deny => deny::run(&workspace),
        Task::Dependencies(args) => dependencies::run(&workspace, args),
        Task::MinimalVersions => minimal_versions::run(&workspace),
        Task::Api(args) => api::run(&workspace, args),
        Task::Docs(args) => docs::run(&workspace, args),
    }
}
