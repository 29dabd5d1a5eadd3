//! Runs one fuzz target over its inputs: seeds, committed corpus, and the inputs found by earlier
//! runs.
//!
//! Builds libFuzzer's command line and reads its output. All inputs but the seeds are in the target
//! directory, where the committed corpus is unpacked before a run; its archive changes only when it
//! is minimised.

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::PACKAGE;
use super::archive;
use super::build::Programs;
use crate::command;
use crate::workspace::Workspace;

/// An input that takes longer, in seconds, is a crash. The slowest takes a few milliseconds.
const TIMEOUT: u32 = 10;

/// A run that needs more memory, in MiB, is a crash.
const MEMORY: u32 = 2048;

/// The longest input, in bytes. Every target reaches all of its code with less.
const LONGEST: u32 = 4096;

pub(super) struct Campaign<'w> {
    workspace: &'w Workspace,
    target: &'w str,
    program: PathBuf,
    seeds: PathBuf,
    archive: PathBuf,
    committed: PathBuf,
    found: PathBuf,
    merged: PathBuf,
    artifacts: PathBuf,
    log: PathBuf,
    dictionary: PathBuf,
}

pub(super) enum Ending {
    Held(Figures),
    Crashed(String),
}

impl<'w> Campaign<'w> {
    pub(super) fn new(workspace: &'w Workspace, programs: &Programs, target: &'w str) -> Self {
        let source = workspace.root().join("crates/internal/fuzz");
        let made = |kind: &str| programs.root().join(kind).join(target);
        Self {
            workspace,
            target,
            program: programs.program(target),
            seeds: source.join("seeds").join(target),
            archive: source.join("corpus").join(target).with_extension("tar"),
            committed: made("committed"),
            found: made("corpus"),
            merged: made("merged"),
            artifacts: made("artifacts"),
            log: made("logs").with_extension("log"),
            dictionary: source.join("dictionaries").join(target).with_extension("dict"),
        }
    }

    pub(super) fn run(&self, time: Duration) -> Result<Ending> {
        for folder in [&self.found, &self.artifacts, &self.seeds] {
            create(folder)?;
        }
        empty(&self.committed)?;
        archive::unpack(&self.archive, &self.committed)?;
        let mut fuzzer = self.fuzzer();
        fuzzer.arg(format!("-max_total_time={}", time.as_secs()));
        fuzzer.arg("-print_final_stats=1");
        if self.reads_text() {
            fuzzer.arg(format!("-dict={}", self.dictionary.display()));
        }
        fuzzer.args([&self.found, &self.committed, &self.seeds]);
        let (succeeded, output) = self.logged(&mut fuzzer)?;
        if !succeeded {
            return Ok(Ending::Crashed(self.crash(&output)));
        }
        let figures = Figures::read(&output)
            .with_context(|| format!("{} does not say how the run went: has libFuzzer changed?", self.log.display()))?;
        Ok(Ending::Held(figures))
    }

    /// Replaces the committed corpus by the smallest one that covers as much as it and the found
    /// inputs together. Returns its new size in words. Needs the inputs that `run` unpacks.
    pub(super) fn minimise(&self) -> Result<String> {
        empty(&self.merged)?;
        let mut merge = self.fuzzer();
        merge.arg("-set_cover_merge=1").args([&self.merged, &self.committed, &self.found]);
        if self.reads_text() {
            merge.arg("-use_counters=0");
        }
        if !self.logged(&mut merge)?.0 {
            bail!("the corpus of {} could not be minimised: {} says why", self.target, self.log.display());
        }
        let inputs = archive::pack(&self.merged, &self.archive)?;
        Ok(format!("committed corpus: {inputs} inputs in {}", self.archive.display()))
    }

    /// A target that reads text has a dictionary. The number of times that it takes an edge means
    /// little, and keeping an input for each count would keep thousands; for a schedule, the count
    /// says how far it got.
    fn reads_text(&self) -> bool {
        self.dictionary.is_file()
    }

    fn fuzzer(&self) -> Command {
        let mut fuzzer = command::program(self.workspace, &self.program.display().to_string());
        fuzzer.arg(format!("-max_len={LONGEST}"));
        fuzzer.arg(format!("-timeout={TIMEOUT}"));
        fuzzer.arg(format!("-rss_limit_mb={MEMORY}"));
        fuzzer.arg(format!("-artifact_prefix={}/", self.artifacts.display()));
        fuzzer
    }

    fn logged(&self, fuzzer: &mut Command) -> Result<(bool, String)> {
        create(self.log.parent().unwrap_or(&self.log))?;
        let unwritable = || format!("could not write {}", self.log.display());
        let log = File::create(&self.log).with_context(unwritable)?;
        fuzzer.stdout(log.try_clone().with_context(unwritable)?).stderr(log);
        let status = fuzzer.status().with_context(|| format!("could not start {}", self.program.display()))?;
        let output = fs::read(&self.log).with_context(|| format!("could not read {}", self.log.display()))?;
        Ok((status.success(), String::from_utf8_lossy(&output).into_owned()))
    }

    /// The last lines of the fuzzer, the path of the input, and the command that replays it.
    fn crash(&self, output: &str) -> String {
        let lines: Vec<&str> = output.lines().collect();
        let last = lines[lines.len().saturating_sub(30)..].join("\n    ");
        let written =
            lines.iter().find_map(|line| line.split_once("Test unit written to ")).map(|(_, path)| path.trim());
        let replay = written.map_or_else(
            || format!("no input was written: the output is in {}", self.log.display()),
            |path| format!("replay it: cargo run -p {PACKAGE} --bin {} -- {path}", self.target),
        );
        format!("    {last}\n    {replay}")
    }
}

/// The figures of a run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Figures {
    executions: u64,
    a_second: u64,
    edges: u64,
    features: u64,
    inputs: String,
    memory: u64,
}

impl Figures {
    /// The last status line and the statistics after it.
    fn read(output: &str) -> Option<Self> {
        let status = output.lines().rfind(|line| line.split_whitespace().nth(1) == Some("DONE"))?;
        let words: Vec<&str> = status.split_whitespace().collect();
        let after = |name: &str| words.iter().skip_while(|word| **word != name).nth(1).copied();
        let number = |name: &str| after(name)?.parse().ok();
        let statistic = |name: &str| {
            let line = output.lines().rfind(|line| line.starts_with(&format!("stat::{name}:")))?;
            line.rsplit(' ').next()?.parse().ok()
        };
        Some(Self {
            executions: statistic("number_of_executed_units")?,
            a_second: statistic("average_exec_per_sec")?,
            edges: number("cov:")?,
            features: number("ft:")?,
            inputs: after("corp:")?.to_owned(),
            memory: statistic("peak_rss_mb")?,
        })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { executions, a_second, edges, features, inputs, memory } = self;
        write!(f, "{executions} executions, {a_second}/s, coverage {edges} edges and {features} features, ")?;
        write!(f, "corpus {inputs}, {memory} MiB, no crash")
    }
}

fn create(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))
}

/// Makes the folder, without what an earlier run left in it.
fn empty(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        fs::remove_dir_all(folder).with_context(|| format!("could not empty {}", folder.display()))?;
    }
    create(folder)
}

#[cfg(test)]
mod tests {
    use super::Figures;

    const OUTPUT: &str = "\
#2\tINITED cov: 8 ft: 9 corp: 1/1b exec/s: 0 rss: 27Mb
#2000000\tDONE   cov: 9 ft: 10 corp: 2/4b lim: 4096 exec/s: 666666 rss: 27Mb
Done 2000000 runs in 3 second(s)
stat::number_of_executed_units: 2000000
stat::average_exec_per_sec:     666666
stat::new_units_added:          1
stat::slowest_unit_time_sec:    0
stat::peak_rss_mb:              27
";

    #[test]
    fn reads_the_figures_of_a_run_that_came_to_its_end() {
        let figures = Figures::read(OUTPUT).expect("figures");
        let told = "2000000 executions, 666666/s, coverage 9 edges and 10 features, corpus 2/4b, 27 MiB, no crash";
        assert_eq!(figures.to_string(), told);
    }

    #[test]
    fn a_run_without_an_end_has_no_figures() {
        let cut = OUTPUT.lines().take(1).collect::<String>();
        assert_eq!(Figures::read(&cut), None);
    }
}
