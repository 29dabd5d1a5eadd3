//! The command `redress`: examines, explains and checks policy files.
//!
//! `args.rs` says what the command line may hold, `commands/` does it, `output/` writes it.

mod args;
mod commands;
mod explain;
mod files;
mod output;
mod style;

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::args::Arguments;
use crate::commands::{Failed, Verdict};

/// The exit code of a run that could not do its work, as clap's for wrong arguments.
const UNABLE: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.colour.write_global();
    let mut out = anstream::stdout().lock();
    let done = commands::run(&arguments.command, &mut out).and_then(|verdict| {
        out.flush()?;
        Ok(verdict)
    });
    match done {
        Ok(Verdict::Fine) => ExitCode::SUCCESS,
        Ok(Verdict::Denied) => ExitCode::FAILURE,
        // The reader, such as `head`, has closed the pipe because it has read enough.
        Err(Failed::Output(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failed) => {
            // Without a place for errors, the exit code alone tells.
            let _ = report(&failed);
            ExitCode::from(UNABLE)
        }
    }
}

fn report(failed: &Failed) -> io::Result<()> {
    let error = style::ERROR;
    writeln!(anstream::stderr(), "{error}error:{error:#} {failed}")
}
