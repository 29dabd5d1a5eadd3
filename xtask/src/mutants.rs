//! Mutation testing: changes the code in one place at a time, and expects a test to fail.
//!
//! Survivors that no test can notice are rows of `docs/reliability.md`, which `survivors` reads.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use semver::Version;

use crate::command;
use crate::receipt::Receipt;
use crate::tool::Tool;
use crate::workspace::Workspace;

mod modelled;
mod survivors;

const TOOL: Tool = Tool {
    package: "cargo-mutants",
    probe: &["mutants", "--version"],
    oldest: Version::new(27, 0, 0),
    installed: "^27",
    without: "whether the tests notice changes is unchecked",
};

/// A crate to mutate, and the tests to run for each mutant: the quick ones of that crate.
struct Subject {
    package: &'static str,
    /// The test targets that cargo builds and runs for each mutant.
    tests: &'static [&'static str],
    /// Parts of the names of tests that take too long and are left out.
    skipped: &'static [&'static str],
}

impl Subject {
    fn owns(&self, file: &str) -> bool {
        file.strip_prefix("crates/")
            .and_then(|file| file.strip_prefix(self.package))
            .is_some_and(|file| file.starts_with('/'))
    }
}

const SUBJECTS: &[Subject] = &[
    // All of its behaviour tests, except the enumerations of every drop and every panic: their time
    // is better spent on more mutants.
    Subject { package: "redress-core", tests: &["--lib", "--test=it"], skipped: &["cancellation", "panic_points"] },
    // Without the features, the files that need them would be mutated and not compiled.
    Subject { package: "redress-http", tests: &["--all-features", "--lib", "--tests"], skipped: &[] },
    // Tests that need a feature have it: the crate is among its dev-dependencies, with all
    // features. The simulated network alone takes nearly as long as a mutant may.
    Subject { package: "redress-tower", tests: &["--lib", "--test=it", "--test=places"], skipped: &[] },
    Subject { package: "redress-aws", tests: &["--lib", "--test=it"], skipped: &[] },
    Subject { package: "redress-axum", tests: &["--lib", "--test=it"], skipped: &["ten_thousand"] },
    // Its tests are built with and without the feature for HTTP/2.
    Subject { package: "redress-hyper", tests: &["--all-features", "--lib", "--test=it"], skipped: &[] },
    Subject { package: "redress-redis", tests: &["--all-features", "--lib", "--test=it"], skipped: &[] },
    Subject { package: "redress-reqwest", tests: &["--all-features", "--lib", "--test=it"], skipped: &[] },
    Subject { package: "redress-llm", tests: &["--all-features", "--lib", "--test=it"], skipped: &[] },
    Subject { package: "redress-tonic", tests: &["--lib", "--test=it"], skipped: &[] },
    Subject { package: "redress-config", tests: &["--all-features", "--lib", "--test=it"], skipped: &["storm"] },
    Subject { package: "redress-journal", tests: &["--lib", "--test=it"], skipped: &[] },
    Subject { package: "redress-macros", tests: &["--lib", "--test=it"], skipped: &[] },
    // Links the manager of ODBC.
    Subject { package: "redress-sql", tests: &["--all-features", "--lib", "--test=it"], skipped: &[] },
    Subject { package: "redress-sim", tests: &["--all-features", "--lib", "--test=it"], skipped: &[] },
    Subject { package: "redress-doctor", tests: &["--lib", "--test=it"], skipped: &[] },
    Subject { package: "redress-cli", tests: &["--bins", "--test=it"], skipped: &["thousand"] },
    Subject { package: "redress-metric-sink", tests: &["--lib", "--test=it"], skipped: &[] },
    Subject { package: "redress-metrics", tests: &["--lib", "--test=it"], skipped: &[] },
    Subject { package: "redress-opentelemetry", tests: &["--lib", "--test=it"], skipped: &[] },
    Subject { package: "redress-prometheus", tests: &["--lib", "--test=it"], skipped: &[] },
    Subject { package: "redress-datadog", tests: &["--lib", "--test=it"], skipped: &[] },
    Subject { package: "redress-sentry", tests: &["--lib", "--test=it"], skipped: &[] },
    Subject { package: "redress-tracing", tests: &["--lib", "--tests"], skipped: &[] },
    Subject { package: "redress-apalis", tests: &["--lib", "--test=it"], skipped: &[] },
    Subject { package: "redress-ureq", tests: &["--lib", "--test=it"], skipped: &[] },
];

/// Packages whose tests run for a mutant as well, because they test the crate through a real
/// client.
const TESTED_BY: &[(&str, &str)] = &[("redress-metric-sink", "redress-metrics")];

/// The models are tests, compiled for the model checker alone.
const NOT_MUTATED: &str = "crates/redress-core/src/loom/**";

/// Exit codes of a complete run: a mutant survived, a mutant timed out. Neither is an error of the
/// tool.
const VERDICTS: [i32; 2] = [2, 3];

/// The smallest share of viable mutants that tests must catch, in percent.
const FLOOR: f64 = 95.0;

/// The sample mutated by `ci`: small files that everything else depends on.
const SAMPLE: &[&str] = &[
    "crates/redress-core/src/breaker/state.rs",
    "crates/redress-core/src/budget/cell.rs",
    "crates/redress-http/src/status.rs",
];

/// The sample's crates with their tests: what else they depend on changes no verdict on the sample.
const RECEIPT: Receipt = Receipt {
    check: "mutants --sample",
    file: "mutants",
    inputs: &[
        "crates/redress-core/src",
        "crates/redress-core/tests",
        "crates/redress-http/src",
        "crates/redress-http/tests",
    ],
};

/// Without files, mutates everything.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Mutates the sample of `ci`, and writes down that its mutants are caught.
    #[arg(long, conflicts_with = "files")]
    sample: bool,
    /// Mutates only these files.
    files: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    if !args.sample {
        return mutate(workspace, &args.files);
    }
    mutate_sample(workspace)?;
    RECEIPT.renew(workspace)
}

/// The step of `ci`.
pub(crate) fn run_if_due(workspace: &Workspace) -> Result<()> {
    if RECEIPT.is_due_with(workspace, &TOOL)? {
        mutate_sample(workspace)?;
        RECEIPT.suggest_renewal(workspace)?;
    }
    Ok(())
}

fn mutate_sample(workspace: &Workspace) -> Result<()> {
    let files: Vec<String> = SAMPLE.iter().map(|file| (*file).to_owned()).collect();
    mutate(workspace, &files)
}

/// The step of `prove`.
pub(crate) fn run_long(workspace: &Workspace) -> Result<()> {
    mutate(workspace, &[])
}

fn mutate(workspace: &Workspace, files: &[String]) -> Result<()> {
    for file in files {
        let is_mutated = SUBJECTS.iter().any(|subject| subject.owns(file)) && workspace.root().join(file).is_file();
        ensure!(is_mutated, "{file} is not in a crate that is mutated: nothing would be tested");
    }
    let tool = TOOL.get(workspace)?;
    let explained = survivors::explained(workspace)?;
    explained.check_that_all_exist(&list(workspace, &tool)?)?;
    let mut all = Counts::default();
    let mut unexplained = Vec::new();
    for subject in SUBJECTS {
        let of_subject: Vec<&String> = files.iter().filter(|file| subject.owns(file)).collect();
        if of_subject.is_empty() && !files.is_empty() {
            continue;
        }
        let counts = test(workspace, &tool, subject, &of_subject)?;
        println!("{}: {counts}", subject.package);
        let missed: Vec<String> = counts.missed.iter().filter(|missed| !explained.covers(missed)).cloned().collect();
        unexplained.extend(modelled::missed_by_models(workspace, &tool, missed)?);
        all.add(counts);
    }
    println!("together: {all}");
    for missed in &unexplained {
        println!("not noticed: {missed}");
    }
    if !unexplained.is_empty() {
        bail!("{} mutant(s) survive: write the test that notices, or a row in {}", unexplained.len(), survivors::PAGE);
    }
    if all.share() < FLOOR && files.is_empty() {
        bail!("{:.1} % of the mutants are caught, which is less than {FLOOR} %", all.share());
    }
    Ok(())
}

/// Every mutant, by the name that the tool gives it.
fn list(workspace: &Workspace, tool: &str) -> Result<String> {
    let mut command = command::program(workspace, tool);
    command.args(["mutants", "--list", "--exclude", NOT_MUTATED, "--colors", "never"]);
    for subject in SUBJECTS {
        command.args(["--package", subject.package]);
    }
    command::run_reading(&mut command)
}

fn test(workspace: &Workspace, tool: &str, subject: &Subject, files: &[&String]) -> Result<Counts> {
    let output = workspace.target().join("mutants").join(subject.package);
    fs::create_dir_all(&output).with_context(|| format!("could not make {}", output.display()))?;
    let mut command = command::program(workspace, tool);
    // Smaller test programs link faster, over a thousand builds.
    command.env("CARGO_PROFILE_DEV_DEBUG", "none");
    command.args(["mutants", "--package", subject.package, "--timeout", "20", "--colors", "never"]);
    command.args(["--exclude", NOT_MUTATED, "--no-shuffle", "--output"]).arg(&output);
    for file in files {
        command.arg("--file").arg(file);
    }
    for (_, other) in TESTED_BY.iter().filter(|(mutated, _)| *mutated == subject.package) {
        command.args(["--test-package", subject.package, "--test-package", other]);
    }
    // Passed to every build, so that examples and benchmarks are not built for each mutant.
    command.args(subject.tests.iter().map(|argument| format!("--cargo-arg={argument}")));
    command.args(["--", "--"]).args(subject.skipped.iter().flat_map(|skipped| ["--skip", skipped]));
    command::run_judging(&mut command, &VERDICTS)?;
    Counts::read(&output.join("mutants.out"))
}

/// The results of a run, mutant by mutant.
#[derive(Default)]
struct Counts {
    caught: usize,
    /// The tests hung, which counts as caught.
    timed_out: usize,
    missed: Vec<String>,
    /// They do not compile.
    unviable: usize,
}

impl Counts {
    fn read(folder: &Path) -> Result<Self> {
        let lines = |name: &str| -> Result<Vec<String>> {
            let path = folder.join(name);
            let text = fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
            Ok(text.lines().map(str::to_owned).collect())
        };
        Ok(Self {
            caught: lines("caught.txt")?.len(),
            timed_out: lines("timeout.txt")?.len(),
            missed: lines("missed.txt")?,
            unviable: lines("unviable.txt")?.len(),
        })
    }

    fn add(&mut self, other: Self) {
        self.caught += other.caught;
        self.timed_out += other.timed_out;
        self.missed.extend(other.missed);
        self.unviable += other.unviable;
    }

    fn viable(&self) -> usize {
        self.caught + self.timed_out + self.missed.len()
    }

    fn share(&self) -> f64 {
        100.0 * (self.caught + self.timed_out) as f64 / self.viable().max(1) as f64
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { caught, timed_out, missed, unviable } = self;
        let (viable, share, missed) = (self.viable(), self.share(), missed.len());
        write!(
            f,
            "{share:.1} % of {viable} caught ({caught} by a failing test, {timed_out} by one that hangs), {missed} missed; \
             {unviable} do not compile"
        )
    }
}
