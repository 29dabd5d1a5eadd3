//! The benchmark program: its command line, and a run from the first row to the written report.
//!
//! A figure that cannot be measured is named in the report, and does not make the program fail.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use clap::builder::PossibleValuesParser;

use crate::allocations::{per_call, uncounted};
use crate::case::{Batch, Case, Row, Setting};
use crate::cases::further::{DIFFERENCE, FURTHER, Further};
use crate::cases::{ROWS, named, of_row};
use crate::report::{self, Figures, FurtherAttempt, KeyedReport, Measured, RowReport};
use crate::threads::{self, Sharing};
use crate::timing::Timing;
use crate::{callgrind, keyed, timing};

/// The name of the table of keyed breakers, which is no row.
const KEYED: &str = "keyed";

/// Compares redress with its peers, case by case, and prints the report as Markdown.
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Arguments {
    /// Also writes the report to this file; a relative path starts at the workspace's root.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Measures only this row, or the keyed breakers; may be given several times.
    #[arg(long, value_name = "ROW", value_parser = PossibleValuesParser::new(ROWS.iter().map(|row| row.key).chain([KEYED])))]
    only: Vec<String>,
    /// The number of turns of each contender. 0 leaves time out: instructions and allocations are
    /// exact without it.
    #[arg(long, default_value_t = 600)]
    rounds: usize,
    /// Runs one case `--iterations` times and nothing else, for callgrind or a profiler.
    #[arg(long, value_name = "ROW/NAME/KIND", requires = "iterations")]
    case: Option<String>,
    /// The number of times to run `--case`.
    #[arg(long, requires = "case")]
    iterations: Option<u64>,
    /// Also counts instructions in another build of this program. Passed by
    /// `cargo xtask bench --profiles`.
    #[arg(long, value_name = "PROFILE=PROGRAM", value_parser = build)]
    beside: Vec<Build>,
    /// Passed by `cargo bench`; has no effect.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Another build of this program.
#[derive(Clone, Debug)]
struct Build {
    profile: String,
    program: PathBuf,
}

fn build(argument: &str) -> Result<Build, String> {
    let (profile, program) = argument.split_once('=').ok_or("expected PROFILE=PROGRAM")?;
    Ok(Build { profile: profile.to_owned(), program: program.into() })
}

/// Runs the program.
///
/// # Panics
///
/// If a case does not do what its row says, or tokio's runtime cannot be built.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    // Futures are polled manually; tokio's timers only have to find a clock.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _inside = runtime.enter();
    if let (Some(id), Some(iterations)) = (&arguments.case, arguments.iterations) {
        return run_case(id, iterations);
    }
    let report = report::whole(&measure(&arguments));
    println!("{report}");
    let Some(path) = &arguments.out else { return ExitCode::SUCCESS };
    // `cargo bench` starts this in the package's folder.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(path);
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, report));
    if let Err(error) = written {
        eprintln!("could not write {}: {error}", path.display());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn run_case(id: &str, iterations: u64) -> ExitCode {
    let Some(case) = named(id) else {
        eprintln!("there is no case `{id}`: expected ROW/NAME/KIND, as in `retry/redress/blocking`");
        return ExitCode::FAILURE;
    };
    let batch = (case.prepare)();
    uncounted(|| batch(iterations));
    ExitCode::SUCCESS
}

fn measure(arguments: &Arguments) -> Measured {
    let is_asked = |key: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == key);
    let has_callgrind = callgrind::is_available();
    let further = if arguments.only.is_empty() { FURTHER } else { &[] };
    Measured {
        builds: arguments.beside.iter().map(|build| build.profile.clone()).collect(),
        rows: ROWS.iter().filter(|row| is_asked(row.key)).map(|row| of(row, arguments, has_callgrind)).collect(),
        keyed: is_asked(KEYED).then(|| keyed_breakers(arguments.rounds)),
        further: further.iter().map(|further| further_attempt(further, has_callgrind)).collect(),
    }
}

fn keyed_breakers(rounds: usize) -> KeyedReport {
    eprintln!("measuring: a breaker for each key");
    let is_timed = rounds > 0;
    KeyedReport { keyed: keyed::keyed(is_timed), full: is_timed.then(keyed::full) }
}

fn of(row: &Row, arguments: &Arguments, has_callgrind: bool) -> RowReport {
    eprintln!("measuring: {}", row.title);
    let cases = of_row(row);
    let batches: Vec<Batch> = cases.iter().map(|case| (case.prepare)()).collect();
    let timings = match arguments.rounds {
        0 => vec![None; batches.len()],
        rounds => uncounted(|| timed(row, &batches, rounds)).into_iter().map(Some).collect(),
    };
    let elsewhere = |case: &Case| {
        // Over sockets, what the profiles differ in is less than what the system's calls cost.
        let builds = arguments.beside.iter().filter(|_| row.setting != Setting::Sockets);
        builds.map(|build| counted(has_callgrind, || callgrind::instructions_in(&build.program, case))).collect()
    };
    let figures = cases.into_iter().zip(&batches).zip(timings).map(|((case, batch), timing)| Figures {
        case,
        timing,
        instructions: counted(has_callgrind, || callgrind::instructions(&case)),
        elsewhere: elsewhere(&case),
        allocations: per_call(batch),
        sharing: shared(row, batch, arguments.rounds),
    });
    RowReport { row: *row, figures: figures.collect() }
}

fn timed(row: &Row, batches: &[Batch], rounds: usize) -> Vec<Timing> {
    match row.setting {
        Setting::OneThread | Setting::TwoThreads => timing::time(batches, rounds),
        Setting::Sockets => timing::time_each(batches, rounds),
    }
}

fn further_attempt(&Further { few, many }: &Further, has_callgrind: bool) -> FurtherAttempt {
    eprintln!("measuring: each further attempt: {}, {}", many.name, many.kind);
    let [counted_few, counted_many] = [few, many].map(|case| counted(has_callgrind, || callgrind::instructions(&case)));
    let each = counted_many.as_ref().ok().zip(counted_few.as_ref().ok()).map(|(many, few)| (many - few) / DIFFERENCE);
    FurtherAttempt { case: many, few: counted_few, many: counted_many, each }
}

fn counted(has_callgrind: bool, count: impl FnOnce() -> Result<f64, String>) -> Result<f64, String> {
    if has_callgrind { count() } else { Err("valgrind is missing".to_owned()) }
}

fn shared(row: &Row, batch: &Batch, rounds: usize) -> Option<Result<Sharing, String>> {
    if row.setting != Setting::TwoThreads || rounds == 0 {
        return None;
    }
    // A round of two threads is long and steady, so fewer rounds are enough.
    let rounds = (rounds / 20).max(1);
    let missing = || "only one core is available".to_owned();
    Some(threads::two_cores().ok_or_else(missing).map(|cores| threads::share(batch, cores, rounds)))
}
