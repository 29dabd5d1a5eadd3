//! The arguments of the command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use redress_doctor::Severity;
use redress_sim::{ReplayRequirement, Requirement};

/// Examines, explains and simulates the policies of redress, and plays logs of calls under them.
///
/// Exit codes: 0 all is well; 1 a file is refused, there are findings that `--deny` names, or a
/// requirement does not hold; 2 a file cannot be read, or the arguments are wrong.
#[derive(Debug, Parser)]
#[command(name = "redress", version, max_term_width = 80, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// When to colour the output
    #[arg(long = "color", global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub(crate) colour: Colour,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Finds what is wrong with policies
    ///
    /// Each finding has a stable code, a place, a sentence why and one how. Checks that depend on
    /// the traffic or on other layers run if the file says what they are.
    Doctor(Doctor),
    /// Says in sentences, tables and a picture what a policy does
    Explain(Explain),
    /// Plays a policy against a server that fails, in virtual time
    ///
    /// The calls run through the real engine, with real budgets, breakers and waits. The same seed
    /// gives the same result on every machine.
    Simulate(Simulate),
    /// Plays a log of calls under another policy, in virtual time
    ///
    /// The log is that of redress-journal. An attempt that it has ends as it did, unless the
    /// policy cuts it. One that it lacks is drawn from those of the same minute, in many runs, and
    /// the result is a range. The same log, file and seed give the same result on every machine.
    Replay(Replay),
    /// Reads and builds policies, without examining them
    ///
    /// What is wrong is what the loader of a program refuses: unknown settings, and values that
    /// break a rule. Settings that have no effect are findings of `doctor`.
    Check(Check),
    /// Prints the JSON Schema of policy files
    Schema,
    /// Prints the completions of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Prints the manual page, or writes one for each command into a directory
    Man {
        /// The directory
        #[arg(long, value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Policy files
    #[arg(required = true, value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
    /// Examine the policy of this name alone
    #[arg(long, value_name = "NAME")]
    pub(crate) policy: Option<String>,
    /// How to write findings
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Exit with 1 if there are findings of this severity or above
    #[arg(long, value_enum, default_value_t = Level::Error, value_name = "SEVERITY")]
    pub(crate) deny: Level,
    /// Write notes too, such as the worst cases
    #[arg(long)]
    pub(crate) notes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The policy file
    #[arg(value_hint = ValueHint::FilePath, required_unless_present = "preset", conflicts_with = "preset")]
    pub(crate) file: Option<PathBuf>,
    /// The policy; may be left out if the file has one alone
    pub(crate) policy: Option<String>,
    /// Explain a preset instead of a policy in a file
    #[arg(long, value_name = "NAME")]
    pub(crate) preset: Option<String>,
    /// Write a picture of the waits into this file, as SVG
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) svg: Option<PathBuf>,
    /// How to write the explanation
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    pub(crate) format: TextOrJson,
}

#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// The policy file
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Scenarios: names of those that come with redress, or files
    #[arg(default_value = "hard-outage", value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<String>,
    /// The policy; may be left out if the file has one alone
    #[arg(long, value_name = "NAME")]
    pub(crate) policy: Option<String>,
    /// Exit with 1 unless this holds, such as 'recover < 30s' or 'attempts/offered < 1.3'; may be
    /// repeated
    #[arg(long, value_name = "REQUIREMENT")]
    pub(crate) require: Vec<Requirement>,
    /// Compare with the policy of the same name in this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) against: Option<PathBuf>,
    /// Write a page with charts into this file, as HTML
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) html: Option<PathBuf>,
    /// The seed of all random choices, instead of that of the scenario
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// How many clients there are, each with a budget and a breaker, instead of as many as the
    /// scenario has
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) clients: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The policy file
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// The journals of one process, in any order; `-` is the standard input
    #[arg(required = true, value_name = "LOG", value_hint = ValueHint::FilePath)]
    pub(crate) logs: Vec<PathBuf>,
    /// The policy; may be left out if the file has one alone
    #[arg(long, value_name = "NAME")]
    pub(crate) policy: Option<String>,
    /// Play the calls of this policy of the log, instead of those of the same name; '' is for
    /// policies without a name
    #[arg(long, value_name = "NAME")]
    pub(crate) calls_of: Option<String>,
    /// Exit with 1 unless this holds over the whole likely range, such as 'success > 99%' or
    /// 'p99 < 2s'; may be repeated
    #[arg(long, value_name = "REQUIREMENT")]
    pub(crate) require: Vec<ReplayRequirement>,
    /// Compare with the policy of the same name in this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) against: Option<PathBuf>,
    /// Write a page with charts into this file, as HTML
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) html: Option<PathBuf>,
    /// The seed of all random choices
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) seed: u64,
    /// How often to play the calls, instead of 100 times, or less often if there are many
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) runs: Option<u32>,
    /// How to write the result
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    pub(crate) format: TextOrJson,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Policy files
    #[arg(required = true, value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
    /// How to write what is wrong
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// How findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people, 80 columns wide
    Text,
    /// One JSON object
    Json,
    /// Annotations of GitHub Actions
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// How explanations and replays are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextOrJson {
    /// For people, 80 columns wide
    Text,
    /// One JSON object
    Json,
}

/// A severity as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    /// Notes, warnings and errors
    Note,
    /// Warnings and errors
    Warning,
    /// Errors alone
    Error,
}

impl Level {
    pub(crate) const fn severity(self) -> Severity {
        match self {
            Self::Note => Severity::Note,
            Self::Warning => Severity::Warning,
            Self::Error => Severity::Error,
        }
    }
}

/// When the output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Colour {
    pub(crate) fn write_global(self) {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}
