//! Replays for a terminal, in 80 columns: a sentence, a table with ranges, and what it does not
//! show.

use std::fmt;
use std::time::Duration;

use redress_core::StopReason;
use redress_core::observe::Readable;

use super::counts::Counts;
use super::moment::Moment;
use super::replayed::{Certainty, Replayed};
use crate::sentence::{self, grouped, share};
use crate::summary::{hanging, shortened, wrapped};

/// How many characters of a name of the log are shown.
pub(super) const LONGEST_NAME: usize = 40;

/// The width of the first column.
const NAMES: usize = 23;

/// Two replays of the same calls, side by side. Made by [`Replayed::against`]. `Display` writes it
/// for a terminal of 80 columns.
#[derive(Clone, Copy, Debug)]
pub struct ReplayComparison<'r> {
    pub(crate) replayed: &'r Replayed,
    pub(crate) other: &'r Replayed,
}

impl Replayed {
    /// Compares the replay with another of the same calls. Under one seed, the same attempts are
    /// drawn for both.
    #[must_use]
    pub const fn against<'r>(&'r self, other: &'r Self) -> ReplayComparison<'r> {
        ReplayComparison { replayed: self, other }
    }
}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, &[self])
    }
}

impl fmt::Display for ReplayComparison<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, &[self.replayed, self.other])
    }
}

fn write(f: &mut fmt::Formatter<'_>, replays: &[&Replayed]) -> fmt::Result {
    let Some(first) = replays.first() else { return Ok(()) };
    wrapped(f, &title(first), "")?;
    writeln!(f)?;
    for replayed in replays {
        wrapped(f, &headline(replayed), "")?;
    }
    writeln!(f)?;
    table(f, replays)?;
    writeln!(f)?;
    for (index, replayed) in replays.iter().enumerate() {
        for limit in replayed.limits() {
            // What both do not show is said once.
            if index == 0 || !first.limits().contains(&limit) {
                let whose = if index == 0 { String::new() } else { format!("{}: ", replayed.label) };
                hanging(f, &format!("{whose}{limit}"), "- ", "  ")?;
            }
        }
    }
    Ok(())
}

/// What is played: how many calls, and from when.
pub(crate) fn title(replayed: &Replayed) -> String {
    let told = &replayed.facts;
    let (from, until) = (Moment(told.from_us), Moment(told.until_us));
    let breakers = match told.breakers {
        0 | 1 => String::new(),
        breakers => format!(", through {breakers} breakers"),
    };
    let calls = counted(replayed.recorded.calls, "call", "calls");
    format!("{}: {calls} from {from} to {} UTC{breakers}", shortened(&told.name, LONGEST_NAME), until.after(from))
}

/// How many calls succeed, and what that rests on.
pub(crate) fn headline(replayed: &Replayed) -> String {
    let label = &replayed.label;
    let (low, high) = replayed.likely(|counts| counts.good);
    let calls = replayed.recorded.calls;
    let succeed = between(share(low, calls), &share(high, calls));
    let did = share(replayed.recorded.good, calls);
    match replayed.certainty() {
        Certainty::Certain => {
            format!("{label}: {succeed} of the calls succeed; {did} did. Nothing was drawn: every run gives this.")
        }
        Certainty::Policy => format!(
            "{label}: {succeed} of the calls succeed; {did} did. No attempt was drawn: ranges are those of the \
             policy's own random choices."
        ),
        Certainty::Drawn => {
            let [fail, succeeding] = [replayed.all_fail(), replayed.all_succeed()].map(|run| share(run.good, calls));
            format!(
                "{label}: {succeed} of the calls succeed, likely; {did} did. If every attempt that the log lacks \
                 failed, {fail} would; if every one succeeded, {succeeding}."
            )
        }
    }
}

/// A row of the table, for one side of a range.
type Cell = Box<dyn Fn(&Counts) -> Value>;

type Of = fn(&Counts) -> u64;

/// What a cell shows, in its order.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
enum Value {
    Missing,
    Count(u64),
    /// A part and its whole.
    Share(Share),
    /// A number of thousandths.
    Thousandths(u64),
    Time(Duration),
    Latency(Duration),
}

/// A share of a number that is the same in all runs.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
struct Share {
    part: u64,
    whole: u64,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("none"),
            Self::Count(count) => f.write_str(&grouped(*count)),
            Self::Share(Share { part, whole }) => f.write_str(&share(*part, *whole)),
            Self::Thousandths(number) => write!(f, "{}.{:02}", number / 1000, number % 1000 / 10),
            Self::Time(time) => Readable(*time).fmt(f),
            Self::Latency(time) => f.write_str(&sentence::latency(*time)),
        }
    }
}

/// The rows of the table, with their names.
pub(crate) fn rows(replays: &[&Replayed]) -> Vec<(String, Vec<String>)> {
    cells(replays)
        .into_iter()
        .map(|(name, recorded, cell)| {
            let recorded = recorded.then(|| replays.first().map(|first| cell(&first.recorded).to_string())).flatten();
            let mut row = vec![recorded.unwrap_or_default()];
            for replayed in replays {
                let (low, high) = replayed.likely(&cell);
                row.push(between(low.to_string(), &high.to_string()));
                if replays.len() == 1 && replayed.certainty() == Certainty::Drawn {
                    row.push(cell(replayed.all_fail()).to_string());
                    row.push(cell(replayed.all_succeed()).to_string());
                }
            }
            (name, row)
        })
        .collect()
}

/// The headings of the table, with the widths of its columns.
pub(crate) fn headings(replays: &[&Replayed]) -> Vec<(String, usize)> {
    let recorded = ("recorded".to_owned(), 13);
    match replays {
        [only] if only.certainty() == Certainty::Drawn => {
            vec![recorded, ("likely".to_owned(), 22), ("all fail".to_owned(), 10), ("all succeed".to_owned(), 12)]
        }
        [only] => vec![recorded, (only.label.clone(), 22)],
        _ => [recorded].into_iter().chain(replays.iter().map(|replayed| (replayed.label.clone(), 22))).collect(),
    }
}

/// The cells, each with its name and whether a log knows it.
fn cells(replays: &[&Replayed]) -> Vec<(String, bool, Cell)> {
    let of_calls =
        |part: Of| -> Cell { Box::new(move |counts| Value::Share(Share { part: part(counts), whole: counts.calls })) };
    let count = |of: Of| -> Cell { Box::new(move |counts| Value::Count(of(counts))) };
    let latency =
        |share: f64| -> Cell { Box::new(move |counts| counts.latency(share).map_or(Value::Missing, Value::Latency)) };
    let each: Cell = Box::new(|counts| Value::Thousandths(thousandths(counts.attempts, counts.calls)));
    let open: Cell = Box::new(|counts| counts.open.map_or(Value::Missing, Value::Time));
    let mut cells = vec![
        ("succeeded".to_owned(), true, of_calls(|counts| counts.good)),
        ("attempts a call".to_owned(), true, each),
        ("retries".to_owned(), true, count(|counts| counts.retries)),
        ("rejected".to_owned(), true, count(|counts| counts.rejected)),
        ("circuit open".to_owned(), false, open),
        ("latency p50".to_owned(), true, latency(0.5)),
        ("latency p99".to_owned(), true, latency(0.99)),
        ("attempts recorded".to_owned(), true, count(|counts| counts.attempts - counts.drawn)),
        ("attempts drawn".to_owned(), false, count(|counts| counts.drawn)),
    ];
    let ends: [(&str, Of); 3] = [
        ("dropped", |counts| counts.cancelled),
        ("panicked", |counts| counts.panicked),
        ("never ending", |counts| counts.unfinished),
    ];
    let all = |of: &dyn Fn(&Counts) -> u64| replays.iter().flat_map(|replayed| replayed.all()).any(|run| of(run) > 0);
    for (name, of) in ends.into_iter().filter(|(_, of)| all(of)) {
        cells.push((name.to_owned(), true, count(of)));
    }
    for reason in StopReason::ALL.iter().copied().filter(|reason| all(&|counts| counts.ended(Some(*reason)))) {
        let cell: Cell = Box::new(move |counts| Value::Count(counts.ended(Some(reason))));
        cells.push((reason.as_str().to_owned(), true, cell));
    }
    cells
}

fn thousandths(part: u64, whole: u64) -> u64 {
    if whole == 0 { 0 } else { (u128::from(part) * 1000 / u128::from(whole)) as u64 }
}

fn table(f: &mut fmt::Formatter<'_>, replays: &[&Replayed]) -> fmt::Result {
    let headings = headings(replays);
    write!(f, "{:NAMES$}", "")?;
    for (heading, width) in &headings {
        write!(f, "{:>width$}", shortened(heading, width - 1))?;
    }
    writeln!(f)?;
    for (name, row) in rows(replays) {
        let mut line = format!("{name:NAMES$}");
        for ((_, width), cell) in headings.iter().zip(row) {
            line.push_str(&format!("{cell:>width$}"));
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A range, or one value if its ends look alike.
fn between(low: String, high: &str) -> String {
    if low == *high { low } else { format!("{low} - {high}") }
}

/// A number of things: "1 call", "2,000 calls".
pub(crate) fn counted(number: u64, one: &str, more: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { more })
}
