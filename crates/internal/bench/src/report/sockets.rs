//! The tables of calls over sockets, in which what a guard adds to the bare call counts, not their
//! ratio.

use std::fmt::Write as _;

use super::{Figures, RowReport, emphasis, number};
use crate::case::Who;

pub(super) fn of_row(report: &RowReport) -> String {
    let note = report.row.note.map_or_else(String::new, |note| format!("{note}\n\n"));
    let mut text = format!(
        "\n## {}\n\n{note}Each call is timed by itself. What is added is beside the first row, by the median. Instructions are \
         those of client and server together, and differ by a hundred between runs.\n\n\
         | | p50 µs | p99 µs | added µs | added instructions | allocations | reach | met |\n\
         |---|--:|--:|--:|--:|--:|---|---|\n",
        report.row.title
    );
    let bare = report.figures.iter().find(|figures| figures.case.who == Who::Bare);
    let peers = report.figures.iter().filter(|figures| figures.case.who == Who::Peer);
    let fewest = peers.map(|figures| figures.allocations).min_by(f64::total_cmp);
    for figures in &report.figures {
        let Figures { case, timing, allocations, .. } = figures;
        let instructions = added(bare, figures, |figures| figures.instructions.as_ref().ok().copied());
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            emphasis(case),
            number(timing.map(|timing| timing.median / 1e3), 1),
            number(timing.map(|timing| timing.p99 / 1e3), 1),
            number(added(bare, figures, |figures| Some(figures.timing?.median / 1e3)), 1),
            number(instructions, 0),
            written(*allocations),
            told(case.who, *allocations, fewest),
        );
    }
    text
}

/// What a figure has more than that of the bare call.
fn added(bare: Option<&Figures>, of: &Figures, figure: impl Fn(&Figures) -> Option<f64>) -> Option<f64> {
    Some(figure(of)? - figure(bare?)?)
}

/// The last two columns: fewer allocations than the peer with the fewest.
fn told(who: Who, allocations: f64, fewest: Option<f64>) -> String {
    let Some(fewest) = fewest.filter(|_| who == Who::Redress) else { return " | ".to_owned() };
    let met = if allocations < fewest { "yes".to_owned() } else { format!("no: {}", written(allocations)) };
    format!("< {} allocations | {met}", written(fewest))
}

/// A count that may not be whole, since a connection's buffers do not grow in each call.
fn written(allocations: f64) -> String {
    number(Some(allocations), usize::from((allocations * 10.0).round() % 10.0 != 0.0))
}
