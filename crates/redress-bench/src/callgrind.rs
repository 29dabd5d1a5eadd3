//! Instructions per call, exactly: the harness runs one case under callgrind, twice.
//!
//! Owns the subtraction that leaves only the calls: two runs that differ in their number of iterations, and in nothing else.

use std::env;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::case::Case;

/// Few enough to be quick under an emulated processor, many enough that a thousandth of an instruction is not noise.
const ITERATIONS: [u64; 2] = [1_000, 11_000];

/// Why instructions could not be counted.
#[derive(Debug)]
pub(crate) enum Missing {
    Valgrind,
    /// It ran, and did not say what it was asked.
    Figure(String),
}

pub(crate) fn is_available() -> bool {
    let version = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// Instructions in one call of the case.
pub(crate) fn instructions(case: &Case) -> Result<f64, Missing> {
    let [few, many] = ITERATIONS;
    let difference = total(case, many)?.saturating_sub(total(case, few)?);
    Ok(difference as f64 / (many - few) as f64)
}

fn total(case: &Case, iterations: u64) -> Result<u64, Missing> {
    let output = command(case, iterations, None).and_then(|mut command| command.output());
    let output = output.map_err(|error| Missing::Figure(error.to_string()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    collected(&said).ok_or_else(|| Missing::Figure(said.lines().last().unwrap_or("nothing said").to_owned()))
}

/// One case under callgrind; what it counted by function goes to `profile`.
pub(crate) fn command(case: &Case, iterations: u64, profile: Option<&Path>) -> io::Result<Command> {
    let out = profile.map_or("/dev/null".to_owned(), |path| path.display().to_string());
    let mut command = Command::new("valgrind");
    command
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={out}"))
        .arg(env::current_exe()?)
        .args(["--case", &case.id(), "--iterations", &iterations.to_string()])
        .stdin(Stdio::null());
    Ok(command)
}

/// The number after `Collected :` in what callgrind prints at its end.
fn collected(said: &str) -> Option<u64> {
    let line = said.lines().rev().find_map(|line| line.split_once("Collected :"))?;
    line.1.trim().parse().ok()
}
