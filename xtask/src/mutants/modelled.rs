//! Mutants of the state that calls share, against the models: a race that no test meets is met in
//! one of a model's interleavings.

use anyhow::Result;

use super::{Counts, VERDICTS};
use crate::workspace::Workspace;
use crate::{command, models};

/// The files whose state the models share between threads, and their folders.
const MODELLED: &[&str] = &[
    "crates/redress-core/src/breaker/",
    "crates/redress-core/src/budget/",
    "crates/redress-core/src/outcome/timeline.rs",
    "crates/redress-core/src/policy/abort_handle.rs",
    "crates/redress-core/src/strategy/",
];

/// All models take about 70 s on two cores. A mutant that makes one of them endless is caught.
const TIMEOUT: &str = "600";

/// Runs the models on those of these mutants that they attack, and returns the mutants that
/// survive.
pub(super) fn missed_by_models(workspace: &Workspace, tool: &str, missed: Vec<String>) -> Result<Vec<String>> {
    let (attacked, mut surviving): (Vec<_>, Vec<_>) =
        missed.into_iter().partition(|mutant| MODELLED.iter().any(|place| mutant.starts_with(place)));
    if attacked.is_empty() {
        return Ok(surviving);
    }
    let output = workspace.target().join("mutants/models");
    let mut command = command::program(workspace, tool);
    models::set_environment(&mut command, models::SHORT);
    command.args(["mutants", "--package", "redress-core", "--baseline", "skip", "--timeout", TIMEOUT]);
    command.args(["--colors", "never", "--no-shuffle", "--output"]).arg(&output);
    // The files as well: some kinds of mutants are listed whether or not the expression fits.
    command.args(attacked.iter().filter_map(|mutant| Some(format!("--file={}", mutant.split_once(':')?.0))));
    command.args(attacked.iter().map(|mutant| format!("--re=^{}$", escaped(mutant))));
    command.args(["--cargo-arg=--release", "--cargo-arg=--lib", "--", "--", "loom::"]);
    command::run_judging(&mut command, &VERDICTS)?;
    let counts = Counts::read(&output.join("mutants.out"))?;
    println!("of these, the models attack {}: {counts}", attacked.len());
    surviving.extend(counts.missed);
    Ok(surviving)
}

/// The name as a regular expression. `<` and `>` stand for themselves, and escaped they would not.
fn escaped(name: &str) -> String {
    let mut expression = String::with_capacity(name.len());
    for letter in name.chars() {
        if r"\.+*?()|[]{}^$#&-~".contains(letter) {
            expression.push('\\');
        }
        expression.push(letter);
    }
    expression
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_name_matches_itself_alone() {
        assert_eq!(
            escaped("a/b.rs:7:9: replace <T>::f -> u8 with (0)"),
            r"a/b\.rs:7:9: replace <T>::f \-> u8 with \(0\)"
        );
    }
}
