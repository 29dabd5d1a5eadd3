//! The tables of costs that grow: with attempts, with waiting calls, with hosts.

use std::fmt::Write as _;

use super::{Reach, emphasis, number, told};
use crate::case::Case;
use crate::growth::Each;

/// The cost of a call with few and with many attempts, and the difference for each attempt.
pub(crate) struct FurtherAttempt {
    /// The case with many attempts.
    pub(crate) case: Case,
    pub(crate) few: Result<f64, String>,
    pub(crate) many: Result<f64, String>,
    pub(crate) each: Option<f64>,
}

pub(super) fn of_attempts(further: &[FurtherAttempt]) -> String {
    if further.is_empty() {
        return String::new();
    }
    let mut text = "\n## Each further attempt, in instructions\n\n\
                    Every attempt fails, and no delay lies between them. \
                    The window of the breaker is so short that it stays closed.\n\n\
                    | | | five attempts | ten attempts | each further | reach | met |\n|---|---|--:|--:|--:|---|---|\n"
        .to_owned();
    for FurtherAttempt { case, few, many, each } in further {
        let [few, many] = [few, many].map(|count| number(count.as_ref().ok().copied(), 0));
        let reach = Reach::most(case.reach.instructions, *each, "instructions", 0);
        let _ = writeln!(
            text,
            "| {} | {} | {few} | {many} | {} | {} |",
            emphasis(case),
            case.kind,
            number(*each, 0),
            told(&[reach])
        );
    }
    text
}

pub(super) fn of_each(title: &str, note: &str, all: &[Each]) -> String {
    let mut text =
        format!("\n## {title}\n\n{note}\n\n| | bytes | allocations | reach | met |\n|---|--:|--:|---|---|\n");
    for each in all {
        let reach = Reach::most(each.reach, Some(each.bytes), "bytes", 0);
        let _ = writeln!(text, "| {} | {:.0} | {:.0} | {} |", each.name, each.bytes, each.allocations, told(&[reach]));
    }
    text
}
