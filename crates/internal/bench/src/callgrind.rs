//! Counts instructions per call exactly: runs one case under callgrind twice, with different
//! numbers of iterations, and subtracts, which leaves only the calls.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::case::{Case, Setting};
use crate::cases;

/// Few enough to be quick under an emulated processor; enough to make the once-only work of a run
/// negligible.
const ITERATIONS: [u64; 2] = [1_000, 11_000];

/// The same for calls over sockets, each of which takes a hundred times as long.
const OVER_SOCKETS: [u64; 2] = [200, 1_200];

pub(crate) fn is_available() -> bool {
    let version = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// Counts the instructions in one call of the case. The error says why they could not be counted.
pub(crate) fn instructions(case: &Case) -> Result<f64, String> {
    let program = env::current_exe().map_err(|error| format!("this program could not be found: {error}"))?;
    instructions_in(&program, case)
}

/// The same for another build of this program.
pub(crate) fn instructions_in(program: &Path, case: &Case) -> Result<f64, String> {
    let [few, many] = if cases::setting(case) == Some(Setting::Sockets) { OVER_SOCKETS } else { ITERATIONS };
    let difference = total(program, case, many)?.saturating_sub(total(program, case, few)?);
    Ok(difference as f64 / (many - few) as f64)
}

fn total(program: &Path, case: &Case, iterations: u64) -> Result<u64, String> {
    let output = counting(program, case, iterations).output();
    let output = output.map_err(|error| format!("valgrind could not be run: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    collected(&said).ok_or_else(|| format!("valgrind printed no count: {}", said.lines().last().unwrap_or("")))
}

fn counting(program: &Path, case: &Case, iterations: u64) -> Command {
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["--case", &case.id(), "--iterations", &iterations.to_string()])
        .stdin(Stdio::null());
    command
}

/// The number after `Collected :`, which callgrind prints at its end.
fn collected(said: &str) -> Option<u64> {
    let (_, count) = said.lines().rev().find_map(|line| line.split_once("Collected :"))?;
    count.trim().parse().ok()
}
