//! The evidence in its long form: the checks that `ci` runs for seconds, here run for hours, and
//! fuzzing, of which `ci` replays the inputs.
//!
//! Holds the order and the report. A kind of evidence that could not run here is named in the
//! report, since it has not passed.

use std::time::Instant;

use anyhow::Result;
use clap::builder::PossibleValuesParser;

use crate::workspace::Workspace;
use crate::{deny, features, fuzz, minimal_versions, miri, models, mutants, overload, soak, suite};

/// How a kind of evidence ended, if it did not fail.
pub(crate) enum Outcome {
    Passed,
    /// Could not run, with the reason.
    DidNotRun(&'static str),
}

struct Evidence {
    name: &'static str,
    run: fn(&Workspace) -> Result<Outcome>,
}

const EVIDENCE: &[Evidence] = &[
    Evidence { name: "models", run: |workspace| models::run_long(workspace).map(passed) },
    Evidence { name: "properties", run: |workspace| suite::properties(workspace).map(passed) },
    Evidence { name: "drops", run: |workspace| suite::drops(workspace).map(passed) },
    Evidence { name: "fuzz", run: |workspace| fuzz::run_long(workspace).map(passed) },
    Evidence { name: "soak", run: |workspace| soak::run_long(workspace).map(passed) },
    Evidence { name: "overload", run: |workspace| overload::run_long(workspace).map(passed) },
    Evidence { name: "advisories", run: deny::advisories },
    Evidence { name: "mutants", run: |workspace| mutants::run_long(workspace).map(passed) },
    Evidence { name: "miri", run: miri::run },
    Evidence { name: "features", run: |workspace| features::run_all(workspace).map(passed) },
    Evidence { name: "minimal-versions", run: |workspace| minimal_versions::build(workspace).map(passed) },
];

/// Without names, runs all of it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Runs only these, in their usual order.
    #[arg(value_parser = PossibleValuesParser::new(EVIDENCE.iter().map(|evidence| evidence.name)))]
    kinds: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let mut report = Vec::new();
    let mut failed = 0;
    for evidence in EVIDENCE.iter().filter(|evidence| args.asks_for(evidence)) {
        println!("\n==> {}", evidence.name);
        let started = Instant::now();
        let outcome = (evidence.run)(workspace);
        let took = started.elapsed().as_secs();
        failed += u32::from(outcome.is_err());
        report.push(match outcome {
            Ok(Outcome::Passed) => format!("{}: passed in {took} s", evidence.name),
            Ok(Outcome::DidNotRun(why)) => format!("{}: DID NOT RUN: {why}", evidence.name),
            Err(error) => format!("{}: FAILED after {took} s: {error:#}", evidence.name),
        });
    }
    println!("\n{}", report.join("\n"));
    anyhow::ensure!(failed == 0, "{failed} kind(s) of evidence failed: see above");
    Ok(())
}

impl Args {
    fn asks_for(&self, evidence: &Evidence) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|name| name == evidence.name)
    }
}

fn passed((): ()) -> Outcome {
    Outcome::Passed
}
