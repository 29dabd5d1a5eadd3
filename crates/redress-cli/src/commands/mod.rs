//! What each subcommand does.

mod check;
mod doctor;
mod explain;
mod generate;
mod player;
mod replay;
mod simulate;

use std::io::{self, Write};
use std::path::PathBuf;

use crate::args::Command;

/// How a run that did its work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing that is denied was found.
    Fine,
    /// Something that is denied was found.
    Denied,
}

impl Verdict {
    pub(crate) const fn denied_if(denied: bool) -> Self {
        if denied { Self::Denied } else { Self::Fine }
    }
}

/// Why a run could not do its work. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{0}")]
    Unclear(String),
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("cannot draw the picture: {0}")]
    Picture(String),
}

/// Does what the arguments ask for.
pub(crate) fn run(command: &Command, out: &mut dyn Write) -> Result<Verdict, Failed> {
    match command {
        Command::Doctor(arguments) => doctor::run(arguments, out),
        Command::Explain(arguments) => explain::run(arguments, out),
        Command::Simulate(arguments) => simulate::run(arguments, out),
        Command::Replay(arguments) => replay::run(arguments, out),
        Command::Check(arguments) => check::run(arguments, out),
        Command::Schema => generate::schema(out),
        Command::Completions { shell } => generate::completions(*shell, out),
        Command::Man { dir } => generate::manual(dir.as_deref(), out),
    }
}
