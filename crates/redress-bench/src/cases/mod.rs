//! The table of cases: every row, and who stands in it.
//!
//! Owns the rows. What a contender does in a row is in the file that bears its name.

mod bare;
mod redress;

use crate::case::{Case, Row};

const fn row(key: &'static str, title: &'static str) -> Row {
    Row { key, title, shared: false }
}

/// A row that two threads share as well.
const fn shared(key: &'static str, title: &'static str) -> Row {
    Row { key, title, shared: true }
}

pub(crate) const ROWS: &[Row] = &[
    row("retry", "Retry alone, no deadline: success"),
    row("retry-deadline", "Retry alone with a deadline: success"),
    shared("breaker", "Breaker alone, closed: success"),
    row("stack", "Retry, breaker and budget, no deadline: success"),
    row("stack-deadline", "Retry, breaker and budget, with a deadline: success"),
    row("second-try", "One failure, then success, no delay"),
    row("rejected", "Rejected by an open breaker"),
    row("failure-recorded", "A failure recorded by a closed breaker"),
    shared("budget", "One withdrawal from a budget"),
    row("clock", "For reference: one reading of the clock"),
];

/// Every case, in the order of the report.
pub(crate) fn all() -> Vec<Case> {
    let contenders = [bare::CASES, redress::CASES];
    let of = |row: &Row| {
        let key = row.key;
        contenders.into_iter().flatten().copied().filter(move |case| case.row == key)
    };
    ROWS.iter().flat_map(of).collect()
}
