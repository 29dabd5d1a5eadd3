//! Reports for a terminal, in 80 columns: a sentence, a table of the parts of the run, the course
//! of the run in a line, and why calls failed.

use std::fmt;

use redress_core::StopReason;

use crate::outline::Phase;
use crate::report::Report;
use crate::second::Second;
use crate::sentence::{self, clients, each, grouped, headline, share, success};

/// Two reports of one scenario, side by side. Made by [`Report::against`]. `Display` writes it for
/// a terminal of 80 columns.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'r> {
    pub(crate) report: &'r Report,
    pub(crate) other: &'r Report,
}

impl Report {
    /// Compares the report with another of the same scenario.
    ///
    /// ```
    /// use redress::{AsyncPolicy, Retry};
    /// use redress_sim::{Clients, Scenario};
    ///
    /// let scenario = Scenario::named("blip")?;
    /// let run = |attempts| {
    ///     let policy = AsyncPolicy::builder().retry(Retry::builder().max_attempts(attempts));
    ///     let report = scenario.run(Clients::alike(scenario.client_count(), policy))?;
    ///     Ok::<_, redress_sim::SimulationError>(report.label(format!("{attempts} attempts")))
    /// };
    /// println!("{}", run(3)?.against(&run(1)?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn against<'r>(&'r self, other: &'r Self) -> Comparison<'r> {
        Comparison { report: self, other }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, &[self])
    }
}

impl fmt::Display for Comparison<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, &[self.report, self.other])
    }
}

const WIDTH: usize = 80;

/// The width of the first column.
const NAMES: usize = 18;

/// How many points the course of a run has.
const POINTS: usize = 60;

fn write(f: &mut fmt::Formatter<'_>, reports: &[&Report]) -> fmt::Result {
    let Some(first) = reports.first() else { return Ok(()) };
    let outline = &first.outline;
    let name = if outline.name.is_empty() { "scenario" } else { &outline.name };
    writeln!(f, "{name}: {}, {} s", clients(outline.clients), outline.seconds)?;
    wrapped(f, &outline.about, "  ")?;
    writeln!(f)?;
    for report in reports {
        wrapped(f, &headline(report), "")?;
    }
    writeln!(f)?;
    table(f, reports)?;
    writeln!(f)?;
    for report in reports {
        course(f, report, reports.len() > 1)?;
    }
    for report in reports {
        failures(f, report, reports.len() > 1)?;
    }
    Ok(())
}

/// A column of the table: the seconds of a report.
type Column<'r> = (&'r Report, Phase);

/// A cell of the table.
pub(crate) type Cell = fn(&Report, Phase) -> String;

/// The rows of the table, with their names. Calls that still run at the horizon have a row if there
/// are any: they explain a share of successes below 100 % without a failed call.
pub(crate) fn rows(reports: &[&Report]) -> Vec<(&'static str, Cell)> {
    let are_all_over = reports.iter().all(|report| unfinished(&report.total()) == 0);
    let rows = cells().into_iter();
    rows.filter(|(name, _)| !(are_all_over && *name == STILL_RUNNING)).collect()
}

const STILL_RUNNING: &str = "still running";

fn cells() -> [(&'static str, Cell); 8] {
    [
        ("calls made", |report, phase| grouped(sum(report, phase).offered)),
        ("succeeded", |report, phase| success(&sum(report, phase))),
        (STILL_RUNNING, |report, phase| grouped(unfinished(&sum(report, phase)))),
        ("attempts a call", |report, phase| each(&sum(report, phase))),
        ("latency p50", |report, phase| latency(report, phase, 0.5)),
        ("latency p99", |report, phase| latency(report, phase, 0.99)),
        ("rejected", |report, phase| share(sum(report, phase).rejected, sum(report, phase).offered)),
        ("circuits open", |report, phase| grouped(sum(report, phase).open)),
    ]
}

/// The parts of the run that the table shows, with their names.
pub(crate) fn phases(reports: &[&Report]) -> &'static [(Phase, &'static str)] {
    let has_trouble = reports.iter().all(|report| report.outline.trouble.is_some());
    if has_trouble {
        &[(Phase::Before, "before"), (Phase::During, "during"), (Phase::After, "after")]
    } else {
        &[(Phase::Before, "all")]
    }
}

fn sum(report: &Report, phase: Phase) -> Second {
    report.sum(report.phase(phase))
}

/// The calls that were made and have not ended.
const fn unfinished(seconds: &Second) -> u64 {
    seconds.offered.saturating_sub(seconds.good).saturating_sub(seconds.failed)
}

fn latency(report: &Report, phase: Phase, share: f64) -> String {
    let latency = report.latency(share, report.phase(phase));
    latency.map_or_else(|| "none".to_owned(), sentence::latency)
}

fn table(f: &mut fmt::Formatter<'_>, reports: &[&Report]) -> fmt::Result {
    let phases = phases(reports);
    let columns: Vec<Column<'_>> =
        reports.iter().flat_map(|report| phases.iter().map(move |(phase, _)| (*report, *phase))).collect();
    let rows: Vec<(&str, Vec<String>)> = rows(reports)
        .into_iter()
        .map(|(name, cell)| (name, columns.iter().map(|(report, phase)| cell(report, *phase)).collect()))
        .collect();
    let width = column_width(&rows, columns.len());
    if reports.len() > 1 {
        write!(f, "{:NAMES$}", "")?;
        for report in reports {
            let width = phases.len() * width;
            write!(f, "{:>width$}", shortened(&report.label, width - 2))?;
        }
        writeln!(f)?;
    }
    write!(f, "{:NAMES$}", "")?;
    for (_, name) in reports.iter().flat_map(|_| phases) {
        write!(f, "{name:>width$}")?;
    }
    writeln!(f)?;
    for (name, cells) in rows {
        write!(f, "{name:NAMES$}")?;
        for cell in cells {
            write!(f, "{cell:>width$}")?;
        }
        writeln!(f)?;
    }
    Ok(())
}

/// As wide as the terminal allows, and so wide that no two cells touch.
fn column_width(rows: &[(&str, Vec<String>)], columns: usize) -> usize {
    let longest = rows.iter().flat_map(|(_, cells)| cells).map(|cell| cell.chars().count()).max().unwrap_or(0);
    ((WIDTH - NAMES) / columns.max(1)).min(14).max(longest + 1)
}

/// The share of good calls and the attempts over the run, each as a line of blocks.
fn course(f: &mut fmt::Formatter<'_>, report: &Report, is_named: bool) -> fmt::Result {
    if is_named {
        writeln!(f, "{}", report.label)?;
    }
    let step = report.seconds().len().div_ceil(POINTS).max(1);
    let points: Vec<Second> =
        (0..report.seconds().len()).step_by(step).map(|from| report.sum(from..from + step)).collect();
    let most = points.iter().map(|point| point.attempts).max().unwrap_or(0);
    let succeeded = blocks(points.iter().map(|point| (point.good, point.offered)));
    writeln!(f, "{:NAMES$}{}", "succeeded", succeeded.trim_end())?;
    let attempts = blocks(points.iter().map(|point| (point.attempts, most)));
    writeln!(f, "{:NAMES$}{}", "attempts", attempts.trim_end())?;
    if let Some(trouble) = &report.outline.trouble {
        let marks: String =
            (0..points.len()).map(|point| if trouble.contains(&(point * step)) { '^' } else { ' ' }).collect();
        writeln!(f, "{:NAMES$}{}", "trouble", marks.trim_end())?;
    }
    writeln!(f)
}

fn blocks(points: impl Iterator<Item = (u64, u64)>) -> String {
    const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    points
        .map(|(part, whole)| {
            let eighths = if whole == 0 { 0 } else { (u128::from(part) * 8).div_ceil(u128::from(whole)) as usize };
            BLOCKS[eighths.min(8)]
        })
        .collect()
}

fn failures(f: &mut fmt::Formatter<'_>, report: &Report, is_named: bool) -> fmt::Result {
    let mut reasons: Vec<(u64, StopReason)> = StopReason::ALL
        .iter()
        .map(|reason| (report.ended(Some(*reason)), *reason))
        .filter(|(calls, _)| *calls > 0)
        .collect();
    reasons.sort_by_key(|(calls, _)| std::cmp::Reverse(*calls));
    let listed: Vec<String> =
        reasons.iter().map(|(calls, reason)| format!("{} {}", grouped(*calls), reason.as_str())).collect();
    let listed = if listed.is_empty() { "none".to_owned() } else { listed.join(", ") };
    let whose = if is_named { format!(", {}", report.label) } else { String::new() };
    wrapped(f, &format!("failed calls{whose}: {listed}"), "")
}

/// Writes lines of words, each after this indent.
pub(crate) fn wrapped(f: &mut fmt::Formatter<'_>, text: &str, indent: &str) -> fmt::Result {
    hanging(f, text, indent, indent)
}

/// Writes lines of words, with another indent before the first.
pub(crate) fn hanging(f: &mut fmt::Formatter<'_>, text: &str, first: &str, indent: &str) -> fmt::Result {
    let mut line = first.to_owned();
    for word in words(text) {
        if line.chars().count() + word.chars().count() > WIDTH {
            writeln!(f, "{}", line.trim_end())?;
            indent.clone_into(&mut line);
        }
        line.push_str(&word);
        line.push(' ');
    }
    if line.trim().is_empty() { Ok(()) } else { writeln!(f, "{}", line.trim_end()) }
}

/// The words of a text. A number is one word with what it counts.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match words.last_mut().filter(|last| last.ends_with(|letter: char| letter.is_ascii_digit())) {
            Some(number) => *number += &format!(" {word}"),
            None => words.push(word.to_owned()),
        }
    }
    words
}

pub(crate) fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width { text.to_owned() } else { text.chars().take(width - 1).chain(['…']).collect() }
}
