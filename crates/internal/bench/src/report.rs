//! The report in Markdown: a table for each row, in which each case of redress has its limits and
//! whether it keeps them.
//!
//! Takes its figures from the measurements; only the sizes, which are constant, are taken here.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::case::{Case, Kind, Row, Setting, Who};
use crate::growth as grown;
use crate::sizes::{self, Size};
use crate::threads::Sharing;
use crate::timing::Timing;

mod growth;
mod keyed;
mod profiles;
mod sockets;

pub(crate) use self::growth::FurtherAttempt;
pub(crate) use self::keyed::KeyedReport;

/// The figures of a case.
pub(crate) struct Figures {
    pub(crate) case: Case,
    pub(crate) timing: Option<Timing>,
    pub(crate) instructions: Result<f64, String>,
    /// The instructions in each further build.
    pub(crate) elsewhere: Vec<Result<f64, String>>,
    pub(crate) allocations: f64,
    /// The figures on two threads, if the row is measured so, or why they could not be measured.
    pub(crate) sharing: Option<Result<Sharing, String>>,
}

pub(crate) struct RowReport {
    pub(crate) row: Row,
    pub(crate) figures: Vec<Figures>,
}

/// The peers, by their names in the lock file.
const PEERS: [&str; 10] = [
    "backon",
    "recloser",
    "failsafe",
    "tower",
    "tokio-retry2",
    "tower-resilience",
    "seatbelt",
    "reqwest",
    "reqwest-middleware",
    "reqwest-retry",
];

/// All figures except the sizes.
pub(crate) struct Measured {
    /// The further builds, by the names of their profiles.
    pub(crate) builds: Vec<String>,
    pub(crate) rows: Vec<RowReport>,
    pub(crate) further: Vec<FurtherAttempt>,
    pub(crate) keyed: Option<KeyedReport>,
}

pub(crate) fn whole(Measured { builds, rows, further, keyed }: &Measured) -> String {
    let mut text = head(rows);
    for row in rows {
        text += &if row.row.setting == Setting::Sockets { sockets::of_row(row) } else { of_row(row) };
        text += &of_sharing(row);
    }
    text += &growth::of_attempts(further);
    text += &profiles::table(builds, rows);
    text += &of_sizes("Size of a call's future, in bytes", "polled", &sizes::futures());
    text += &growth::of_each(
        "A call asleep on tokio",
        "10,000 calls, one task each, that have failed once and sleep before their second attempt. Bytes and allocations are \
         those live for each; tokio aligns a task to 128 bytes, so that it takes up a multiple of them.",
        &grown::sleeping_calls(),
    );
    text += &growth::of_each(
        "A policy for each of many hosts",
        "100,000 policies with retry and one budget, each with a breaker made before. Bytes and allocations are those live for \
         each policy, its handle included and its breaker not. The breaker is one with the defaults.",
        &grown::policies(),
    );
    text += &keyed.as_ref().map_or_else(String::new, keyed::table);
    text += &of_sizes("Size of a breaker, in bytes", "made", &sizes::breakers());
    text += &of_sizes("Size of a budget, in bytes", "made", &sizes::budgets());
    text
}

fn head(rows: &[RowReport]) -> String {
    let peers: Vec<String> = PEERS.iter().map(|name| format!("{name} {}", locked_version(name))).collect();
    let spreads = rows.iter().flat_map(|row| &row.figures).filter_map(|figures| Some(figures.timing?.spread));
    let mut spreads: Vec<f64> = spreads.collect();
    spreads.sort_by(f64::total_cmp);
    let noise = spreads.get(spreads.len() / 2).map_or_else(
        || "time was not measured".to_owned(),
        |spread| {
            format!(
                "half the distance between a case's quartiles is {:.1} % of its median (median of all cases)",
                100.0 * spread
            )
        },
    );
    let causes = rows.iter().flat_map(|row| &row.figures).filter_map(|figures| figures.instructions.as_ref().err());
    let instructions =
        causes.into_iter().next().map_or(String::new(), |cause| format!("- Instructions: not measured: {cause}.\n"));
    format!(
        "# What a call costs\n\n\
         - With: {}.\n\
         - On: {}; {}.\n\
         - ns: median of the rounds, the bare operation included. Noise: {noise}.\n\
         - Instructions: callgrind's count, the bare operation included. A reading of the clock counts for less than it is: under \
         valgrind it is a call of the kernel, not of the vDSO.\n\
         {instructions}\
         - Ratios are to the bare operation and to the fastest peer of the same kind, blocking or async.\n",
        peers.join(", "),
        processor(),
        compiler(),
    )
}

fn of_row(report: &RowReport) -> String {
    let note = report.row.note.map_or_else(String::new, |note| format!("{note}\n\n"));
    let mut text = format!(
        "\n## {}\n\n{note}\
         | | | ns | x bare | x best peer | instructions | allocations | reach | met |\n\
         |---|---|--:|--:|--:|--:|--:|---|---|\n",
        report.row.title
    );
    for figures in &report.figures {
        let Figures { case, timing, instructions, allocations, .. } = figures;
        let ns = timing.map(|timing| timing.median);
        let beside = |who: Who| best(&report.figures, who, case.kind).zip(ns).map(|(other, own)| own / other);
        let best_peer = if case.who == Who::Redress { beside(Who::Peer) } else { None };
        let reaches = [Reach::most(case.reach.instructions, instructions.as_ref().ok().copied(), "instructions", 0)];
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            emphasis(case),
            case.kind,
            number(ns, 1),
            number(beside(Who::Bare), 2),
            number(best_peer, 2),
            number(instructions.as_ref().ok().copied(), 0),
            number(Some(*allocations), usize::from(allocations.fract() != 0.0)),
            told(&reaches),
        );
    }
    text
}

fn of_sharing(report: &RowReport) -> String {
    let shared = report.figures.iter().filter_map(|figures| Some((figures.case, figures.sharing.as_ref()?)));
    let mut text = String::new();
    for (case, sharing) in shared {
        let sharing = match sharing {
            Ok(sharing) => sharing,
            Err(cause) => return format!("\nOn two threads: not measured: {cause}.\n"),
        };
        if text.is_empty() {
            text += "\nOn two threads on separate cores, sharing one; the slower thread's ns, and the share each keeps of its \
                     speed alone. A future that waits for the other thread is polled again at once.\n\n| | | ns | keep | reach | met |\n|---|---|--:|--:|---|---|\n";
        }
        let [first, second] = sharing.percents;
        let reaches = [Reach::least(case.reach.shared_percent, Some(first.min(second)), "%", 0)];
        let _ = writeln!(
            text,
            "| {} | {} | {:.1} | {first:.0} %, {second:.0} % | {} |",
            emphasis(&case),
            case.kind,
            sharing.nanoseconds,
            told(&reaches),
        );
    }
    text
}

fn of_sizes(title: &str, moment: &str, sizes: &[Size]) -> String {
    let has_used = sizes.iter().any(|size| size.used.is_some());
    let (head, line) = if has_used { (" after use |", "--:|") } else { ("", "") };
    let mut text = format!(
        "\n## {title}\n\n| | itself | on the heap when {moment} |{head} reach | met |\n|---|--:|--:|{line}---|---|\n"
    );
    for size in sizes {
        let used = size.used.map_or_else(String::new, |used| format!(" {used} |"));
        let reach = Reach::most(size.reach.map(|reach| reach as f64), Some(size.total() as f64), "bytes", 0);
        let _ = writeln!(text, "| {} | {} | {} |{used} {} |", size.name, size.itself, size.heap, told(&[reach]));
    }
    text
}

/// The fastest of the given contenders in the row, among calls of one kind.
fn best(figures: &[Figures], who: Who, kind: Kind) -> Option<f64> {
    let of = figures.iter().filter(|figures| figures.case.who == who && figures.case.kind == kind);
    of.filter_map(|figures| Some(figures.timing?.median)).min_by(f64::total_cmp)
}

/// A limit, what was measured against it, and how both are written.
struct Reach {
    limit: Option<f64>,
    measured: Option<f64>,
    at_least: bool,
    unit: &'static str,
    digits: usize,
}

impl Reach {
    const fn most(limit: Option<f64>, measured: Option<f64>, unit: &'static str, digits: usize) -> Self {
        Self { limit, measured, at_least: false, unit, digits }
    }

    const fn least(limit: Option<f64>, measured: Option<f64>, unit: &'static str, digits: usize) -> Self {
        Self { limit, measured, at_least: true, unit, digits }
    }

    fn limit(&self) -> Option<String> {
        let sign = if self.at_least { '≥' } else { '≤' };
        Some(format!("{sign} {} {}", self.limit?, self.unit))
    }

    /// The figure, if it exceeds the limit or is missing.
    fn miss(&self) -> Option<String> {
        let limit = self.limit?;
        let Some(measured) = self.measured else { return Some(format!("{} not measured", self.unit)) };
        // Rounded as it is printed before it is judged, so that the table does not contradict
        // itself.
        let printed = format!("{measured:.*}", self.digits);
        let value: f64 = printed.parse().unwrap_or(measured);
        let is_met = if self.at_least { value >= limit } else { value <= limit };
        (!is_met).then(|| format!("{printed} {}", self.unit))
    }
}

/// The last two columns: the limits, and whether they are met.
fn told(reaches: &[Reach]) -> String {
    let limits: Vec<String> = reaches.iter().filter_map(Reach::limit).collect();
    let misses: Vec<String> = reaches.iter().filter_map(Reach::miss).collect();
    let met = match (limits.is_empty(), misses.is_empty()) {
        (true, _) => String::new(),
        (false, true) => "yes".to_owned(),
        (false, false) => format!("no: {}", misses.join(", ")),
    };
    format!("{} | {met}", limits.join(", "))
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

fn emphasis(case: &Case) -> String {
    if case.who == Who::Redress { format!("**{}**", case.name) } else { case.name.to_owned() }
}

/// The version of a package in the workspace's lock file.
fn locked_version(package: &str) -> &'static str {
    const LOCK: &str = include_str!("../../../../Cargo.lock");
    let mut lines = LOCK.lines().skip_while(|line| *line != format!("name = \"{package}\""));
    let version = lines.nth(1).and_then(|line| line.strip_prefix("version = \""));
    version.map_or("of unknown version", |version| version.trim_end_matches('"'))
}

fn processor() -> String {
    let known = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = known.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{}, {cores} cores, {}",
        model.map_or("a processor of unknown model", |(_, model)| model),
        std::env::consts::OS
    )
}

fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output().ok();
    output.map_or_else(
        || "rustc of unknown version".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
