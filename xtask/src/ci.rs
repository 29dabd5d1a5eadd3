//! The steps of `cargo xtask ci`, their order, and the report of a run: a heading and a time for
//! each step.
//!
//! All steps share the workspace's target directory, so later ones reuse the builds of earlier
//! ones.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::builder::PossibleValuesParser;

use crate::workspace::Workspace;
use crate::{
    api, deny, dependencies, docs, examples, features, lint, minimal_versions, models, msrv, mutants, servers, suite,
    tidy, toolchain,
};

struct Step {
    name: &'static str,
    run: fn(&Workspace) -> Result<()>,
}

/// Cheap checks come first: a misplaced space should not cost a build.
const STEPS: &[Step] = &[
    Step { name: "toolchain", run: toolchain::run },
    Step { name: "tidy", run: tidy::run },
    Step { name: "format", run: lint::format },
    Step { name: "clippy", run: lint::clippy_together },
    Step { name: "features", run: features::run },
    Step { name: "msrv", run: msrv::run },
    Step { name: "minimal-versions", run: minimal_versions::check },
    Step { name: "tests", run: suite::tests },
    Step { name: "servers", run: servers::run },
    Step { name: "doctests", run: suite::doctests },
    Step { name: "examples", run: examples::run },
    Step { name: "docs", run: docs::check },
    Step { name: "api", run: api::check },
    Step { name: "external-types", run: api::check_external },
    Step { name: "deny", run: deny::run_if_due },
    Step { name: "dependencies", run: dependencies::check },
    Step { name: "models", run: models::run_if_due },
    Step { name: "mutants", run: mutants::run_if_due },
];

/// Without steps, runs all of them.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Runs only these, in their usual order.
    #[arg(value_parser = PossibleValuesParser::new(STEPS.iter().map(|step| step.name)))]
    steps: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let steps: Vec<&Step> = STEPS.iter().filter(|step| args.asks_for(step)).collect();
    let mut times = Vec::with_capacity(steps.len());
    for (index, step) in steps.iter().enumerate() {
        println!("\n==> [{}/{}] {}", index + 1, steps.len(), step.name);
        let started = Instant::now();
        let result = (step.run)(workspace);
        let took = started.elapsed();
        println!("    {}: {}", if result.is_ok() { "ok" } else { "FAILED" }, seconds(took));
        result.with_context(|| format!("ci stopped at step `{}`", step.name))?;
        times.push((step.name, took));
    }
    summarise(&times);
    Ok(())
}

impl Args {
    fn asks_for(&self, step: &Step) -> bool {
        self.steps.is_empty() || self.steps.iter().any(|name| name == step.name)
    }
}

fn summarise(times: &[(&str, Duration)]) {
    println!("\nPassed.");
    for (name, took) in times {
        println!("  {:>9}  {name}", seconds(*took));
    }
    println!("  {:>9}  together", seconds(times.iter().map(|(_, took)| *took).sum()));
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
