//! The program of this crate: runs recorded scenarios through every driver and judges classifier
//! tables, or prints the traces.
//!
//! `recording` finds and reads the files, `scenarios` and `budgets` run them and print the results.

#![forbid(unsafe_code)]

use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use redress_conformance::judge_tables;

use crate::recording::{Content, Recording};

mod budgets;
mod recording;
mod scenarios;

/// Runs recorded scenarios through every driver, and judges tables of classifiers' answers.
#[derive(Parser)]
#[command(name = "cargo xtask conformance", bin_name = "cargo xtask conformance")]
struct Arguments {
    /// Scenario files (`.jsonl`), tables (`.json`), or folders of them; without any, those of this
    /// repository.
    files: Vec<PathBuf>,
    /// Writes the trace of each driver and scenario, one JSON object a line, and judges nothing.
    #[arg(long)]
    print: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let recordings = if arguments.files.is_empty() { recording::own() } else { recording::read(&arguments.files)? };
    if arguments.print { print(&recordings) } else { judge(&recordings) }
}

fn judge(recordings: &[Recording]) -> Result<()> {
    let mut failed = Vec::new();
    for Recording { name, content } in recordings {
        println!("{name}");
        let passed = match content {
            Content::Scenarios(scenarios) => scenarios::judge(scenarios),
            Content::Budgets(vectors) => budgets::judge(vectors),
            Content::Tables(text) => {
                let report = judge_tables(text).with_context(|| recording::not_in_the_format(name))?;
                print!("{report}");
                report.is_passed()
            }
        };
        if !passed {
            failed.push(name.as_str());
        }
    }
    if !failed.is_empty() {
        bail!("not as recorded: {}; the differences are listed above", failed.join(", "));
    }
    Ok(())
}

/// Standard output carries the traces and nothing else.
fn print(recordings: &[Recording]) -> Result<()> {
    let mut output = BufWriter::new(io::stdout().lock());
    let mut panicked = 0;
    for Recording { name, content } in recordings {
        match content {
            Content::Scenarios(scenarios) => panicked += scenarios::print(scenarios, &mut output)?,
            Content::Budgets(_) => eprintln!("{name}: vectors have no traces"),
            Content::Tables(_) => eprintln!("{name}: tables have no traces"),
        }
    }
    output.flush()?;
    if panicked > 0 {
        bail!("{panicked} run(s) panicked and have no trace: see above");
    }
    Ok(())
}
