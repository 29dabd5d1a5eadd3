//! The arguments of the command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use redress_doctor::Severity;

/// Examines, explains and checks the policies of redress.
///
/// Exit codes: 0 all is well; 1 there are findings that `--deny` names; 2 a file cannot be read, or the
/// arguments are wrong.
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
    /// Each finding has a stable code, a place, a sentence why and one how. Checks that depend on the
    /// traffic or on other layers run if the file says what they are.
    Doctor(Doctor),
    /// Says in sentences, tables and a picture what a policy does
    Explain(Explain),
    /// Reads and builds policies, without examining them
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
    #[arg(long, value_enum, default_value_t = ExplainFormat::Text)]
    pub(crate) format: ExplainFormat,
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

/// How explanations are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExplainFormat {
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
