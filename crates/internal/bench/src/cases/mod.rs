//! The table of cases: every row and its contenders.
//!
//! Each file of this module holds the cases of the crate that it is named after.

mod backon;
mod bare;
mod counting;
mod failsafe;
pub(crate) mod further;
mod http;
mod recloser;
mod redress;
mod redress_tower;
mod seatbelt;
mod tokio_retry2;
mod tower;
mod tower_resilience;

use std::time::Duration;

use crate::case::{Case, Row, Setting};

/// The deadline of the rows that name one, which is the default of redress.
const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) const ROWS: &[Row] = &[
    Row {
        key: "retry",
        title: "Retry alone, no deadline: success",
        note: Some("Six attempts allowed, the first succeeds."),
        setting: Setting::OneThread,
    },
    Row {
        key: "retry-deadline",
        title: "Retry alone with a deadline of 60 s: success",
        note: Some("The others have no deadline: each is wrapped in a timeout, which only futures allow."),
        setting: Setting::OneThread,
    },
    Row {
        key: "breaker",
        title: "Breaker alone, closed: success",
        note: Some(
            "Windows that count calls, where a breaker has them, since they cost least: the last 100 calls, or 100 failures in a row.",
        ),
        setting: Setting::TwoThreads,
    },
    Row {
        key: "ratio",
        title: "A closed breaker that judges by the share of failures, with a deadline of 60 s: success",
        note: Some(
            "The first two of redress count failures, for comparison. redress, failsafe and seatbelt judge a window of time, recloser \
             and tower-resilience the last 100 calls. The deadline of others is a timeout around the call, which only futures allow.",
        ),
        setting: Setting::TwoThreads,
    },
    Row {
        key: "stack",
        title: "Retry, breaker and budget, no deadline: success",
        note: Some("backon over recloser has no budget."),
        setting: Setting::OneThread,
    },
    Row {
        key: "stack-deadline",
        title: "Retry, breaker and budget, with a deadline of 60 s: success",
        note: Some("The others have no deadline: each is wrapped in a timeout. backon over recloser has no budget."),
        setting: Setting::OneThread,
    },
    Row {
        key: "second-try",
        title: "Retry alone: one failure, then success, no delay",
        note: Some(
            "tokio-retry2 and tower-resilience pass a delay of zero to tokio's timer, which waits a tick: not comparable.",
        ),
        setting: Setting::OneThread,
    },
    Row {
        key: "rejected",
        title: "Rejected by an open breaker",
        note: Some("The operation does not run."),
        setting: Setting::OneThread,
    },
    Row {
        key: "failure-recorded",
        title: "A failure recorded by a breaker that stays closed",
        note: Some(
            "redress and tower-resilience count in an exact window of time, failsafe averages over one, recloser counts calls.",
        ),
        setting: Setting::OneThread,
    },
    Row {
        key: "budget",
        title: "One withdrawal from a budget, granted",
        note: Some(
            "redress receives the time, as from its policies; the others read the clock, at the cost in the last row.",
        ),
        setting: Setting::TwoThreads,
    },
    Row {
        key: "earned",
        title: "Retry with a budget that successes pay for, no deadline: success",
        note: Some("Each success pays in."),
        setting: Setting::TwoThreads,
    },
    Row {
        key: "counted",
        title: "Ways to count a success in slices of a window",
        note: Some("Models. redress uses the first, with a multiplication in place of the shift."),
        setting: Setting::TwoThreads,
    },
    Row {
        key: "counted-1000",
        title: "The same with a thousand counters",
        note: Some(
            "Each is four cache lines for each thread and more, so the counters do not stay in the nearest cache.",
        ),
        setting: Setting::TwoThreads,
    },
    Row { key: "clock", title: "For reference: one reading of the clock", note: None, setting: Setting::OneThread },
    Row {
        key: "http",
        title: "A GET over a socket: 200",
        note: Some("Four attempts allowed, the first succeeds. The body is read in every call."),
        setting: Setting::Sockets,
    },
    Row {
        key: "http-second-try",
        title: "A GET over a socket: 503, then 200, no delay",
        note: Some(
            "reqwest-retry passes a delay of zero to tokio's timer, which waits a tick: its time is not comparable. It drops the \
             503 unread; reqwest alone and redress read its body.",
        ),
        setting: Setting::Sockets,
    },
];

/// The cases of a row, in the order of the report.
pub(crate) fn of_row(row: &Row) -> Vec<Case> {
    all().filter(|case| case.row == row.key).collect()
}

/// Where a case of the main rows is measured.
pub(crate) fn setting(case: &Case) -> Option<Setting> {
    ROWS.iter().find(|row| row.key == case.row).map(|row| row.setting)
}

pub(crate) fn named(id: &str) -> Option<Case> {
    let further = further::FURTHER.iter().flat_map(|further| [further.few, further.many]);
    all().chain(further).find(|case| case.id() == id)
}

fn all() -> impl Iterator<Item = Case> {
    let contenders = [
        bare::CASES,
        redress::CASES,
        redress_tower::CASES,
        backon::CASES,
        recloser::CASES,
        failsafe::CASES,
        tower::CASES,
        tokio_retry2::CASES,
        tower_resilience::CASES,
        seatbelt::CASES,
        http::CASES,
        counting::CASES,
    ];
    contenders.into_iter().flatten().copied()
}
