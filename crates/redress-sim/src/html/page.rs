//! [`Page`]: reports as one HTML file.

use std::fmt;
use std::time::Duration;

use redress_core::StopReason;

use super::chart::{BLUE, Chart, Curve, GREEN, GREY, ORANGE, Unit};
use super::replay;
use crate::replay::{ReplayComparison, Replayed};
use crate::report::Report;
use crate::second::Second;
use crate::sentence::{clients, grouped, headline, share};
use crate::summary::{Comparison, phases, rows};

/// Reports as one HTML file without scripts, fonts or other files. `Display` writes it.
///
/// For each report it has a sentence on what happened, a table of the parts of the run, and charts
/// of calls, latencies and circuits by time. It is light or dark as the reader's system is.
///
/// ```
/// use redress::{AsyncPolicy, Retry};
/// use redress_sim::{Clients, Page, Scenario};
///
/// let scenario = Scenario::named("blip")?;
/// let policy = AsyncPolicy::builder().retry(Retry::default());
/// let report = scenario.run(Clients::alike(scenario.client_count(), policy))?.label("orders");
/// let page = Page::new("Policies of the shop").report(&report).to_string();
/// // std::fs::write("report.html", page)?;
/// # assert!(page.starts_with("<!doctype html>") && !page.contains("<script"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a page does nothing until it is written"]
pub struct Page<'r> {
    title: String,
    sections: Vec<Section<'r>>,
}

#[derive(Clone, Copy, Debug)]
enum Section<'r> {
    One(&'r Report),
    Two(Comparison<'r>),
    Replay(&'r Replayed),
    Replays(ReplayComparison<'r>),
}

const STYLE: &str = include_str!("style.css");

impl<'r> Page<'r> {
    /// A page without a report.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), sections: Vec::new() }
    }

    /// Adds a section with a report.
    pub fn report(mut self, report: &'r Report) -> Self {
        self.sections.push(Section::One(report));
        self
    }

    /// Adds a section that compares two reports. Their charts share axes.
    pub fn comparison(mut self, comparison: Comparison<'r>) -> Self {
        self.sections.push(Section::Two(comparison));
        self
    }

    /// Adds a section with a replay. Its charts have the likely range as two curves.
    pub fn replay(mut self, replayed: &'r Replayed) -> Self {
        self.sections.push(Section::Replay(replayed));
        self
    }

    /// Adds a section that compares two replays of the same calls.
    pub fn replay_comparison(mut self, comparison: ReplayComparison<'r>) -> Self {
        self.sections.push(Section::Replays(comparison));
        self
    }
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = escaped(&self.title);
        writeln!(f, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
        writeln!(
            f,
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>"
        )?;
        writeln!(f, "<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>")?;
        for section in &self.sections {
            match section {
                Section::One(report) => write_section(f, &[report], &one(report))?,
                Section::Two(Comparison { report, other }) => {
                    write_section(f, &[report, other], &two(report, other))?;
                }
                Section::Replay(replayed) => replay::write_section(f, &[replayed])?,
                Section::Replays(ReplayComparison { replayed, other }) => {
                    replay::write_section(f, &[replayed, other])?;
                }
            }
        }
        writeln!(f, "<footer>Simulated by redress-sim, on the engine of redress.</footer>\n</body>\n</html>")
    }
}

/// A chart, with its title and what its values are.
pub(super) type Titled = (&'static str, &'static str, Chart);

fn write_section(f: &mut fmt::Formatter<'_>, reports: &[&Report], charts: &[Titled]) -> fmt::Result {
    let Some(first) = reports.first() else { return Ok(()) };
    let outline = &first.outline;
    let name = if outline.name.is_empty() { "A scenario" } else { &outline.name };
    let size = format!("{}, {} s.", clients(outline.clients), outline.seconds);
    writeln!(f, "<section>\n<h2>{}</h2>", escaped(name))?;
    writeln!(f, "<p class=\"about\">{} {size}</p>", escaped(outline.about.trim()))?;
    for report in reports {
        let class = if report.recovery().is_some() { "headline" } else { "headline never" };
        writeln!(f, "<p class=\"{class}\">{}</p>", escaped(&headline(report)))?;
    }
    write_charts(f, charts)?;
    write_table(f, reports)?;
    for report in reports {
        write_failures(f, report, reports.len() > 1)?;
    }
    writeln!(f, "</section>")
}

pub(super) fn write_charts(f: &mut fmt::Formatter<'_>, charts: &[Titled]) -> fmt::Result {
    for (title, unit, chart) in charts {
        writeln!(f, "<h3>{title} <small>{unit}</small></h3>\n{}", chart.svg()?.trim_end())?;
    }
    Ok(())
}

fn write_table(f: &mut fmt::Formatter<'_>, reports: &[&Report]) -> fmt::Result {
    let phases = phases(reports);
    write!(f, "<div class=\"wide\"><table>\n<thead>")?;
    if reports.len() > 1 {
        write!(f, "<tr><th></th>")?;
        for report in reports {
            write!(f, "<th colspan=\"{}\">{}</th>", phases.len(), escaped(&report.label))?;
        }
        write!(f, "</tr>")?;
    }
    write!(f, "<tr><th></th>")?;
    for (_, name) in reports.iter().flat_map(|_| phases) {
        write!(f, "<th>{name}</th>")?;
    }
    writeln!(f, "</tr></thead>\n<tbody>")?;
    for (name, cell) in rows(reports) {
        write!(f, "<tr><th>{name}</th>")?;
        for report in reports {
            for (phase, _) in phases {
                write!(f, "<td>{}</td>", escaped(&cell(report, *phase)))?;
            }
        }
        writeln!(f, "</tr>")?;
    }
    writeln!(f, "</tbody>\n</table></div>")
}

fn write_failures(f: &mut fmt::Formatter<'_>, report: &Report, is_named: bool) -> fmt::Result {
    let failed = report.total().failed;
    let whose = if is_named { format!(", {}", escaped(&report.label)) } else { String::new() };
    if failed == 0 {
        return writeln!(f, "<h3>Failed calls{whose}: none</h3>");
    }
    writeln!(f, "<h3>Why calls failed{whose}</h3>\n<table>\n<tbody>")?;
    for reason in StopReason::ALL {
        let calls = report.ended(Some(*reason));
        if calls > 0 {
            let (number, part) = (grouped(calls), escaped(&share(calls, failed)));
            writeln!(f, "<tr><th>{}</th><td>{number}</td><td>{part}</td></tr>", escaped(reason.description()))?;
        }
    }
    writeln!(f, "</tbody>\n</table>")
}

/// The charts of one report.
fn one(report: &Report) -> Vec<Titled> {
    let rates = vec![
        curve("calls made", GREY, rates(report, |second| second.offered)),
        curve("attempts", ORANGE, rates(report, |second| second.attempts)),
        curve("succeeding", GREEN, rates(report, |second| second.good)),
    ];
    let times = vec![curve("p99", BLUE, latencies(report, 0.99)), curve("p50", GREEN, latencies(report, 0.5))];
    let mut charts = vec![
        ("Calls", "each second", chart(report, Unit::Count, rates)),
        ("Latency", "of the calls that succeed, by when they were made", chart(report, Unit::Time, times)),
    ];
    if report.total().open > 0 {
        let open = vec![curve("open", ORANGE, gauges(report, |second| second.open))];
        charts.push(("Open circuits", "clients", chart(report, Unit::Count, open)));
    }
    charts
}

/// The charts of two reports.
fn two(report: &Report, other: &Report) -> Vec<Titled> {
    let both = |of: &dyn Fn(&Report) -> Vec<Option<f64>>| {
        vec![curve(&other.label, ORANGE, of(other)), curve(&report.label, BLUE, of(report))]
    };
    let with_calls = |of: &dyn Fn(&Report) -> Vec<Option<f64>>| {
        let made = curve("calls made", GREY, rates(report, |second| second.offered));
        [made].into_iter().chain(both(of)).collect()
    };
    let good = with_calls(&|report| rates(report, |second| second.good));
    let attempts = with_calls(&|report| rates(report, |second| second.attempts));
    let mut charts = vec![
        ("Calls that succeed", "each second", chart(report, Unit::Count, good)),
        ("Attempts", "each second: what the server gets", chart(report, Unit::Count, attempts)),
        (
            "Latency",
            "p99 of the calls that succeed",
            chart(report, Unit::Time, both(&|report| latencies(report, 0.99))),
        ),
    ];
    if report.total().open.max(other.total().open) > 0 {
        let open = both(&|report| gauges(report, |second| second.open));
        charts.push(("Open circuits", "clients", chart(report, Unit::Count, open)));
    }
    charts
}

fn chart(report: &Report, unit: Unit, curves: Vec<Curve>) -> Chart {
    let outline = &report.outline;
    let (seconds, trouble) = (outline.seconds, outline.trouble.clone());
    Chart { unit, curves, period: report.period(), seconds, trouble }
}

pub(super) fn curve(name: &str, color: plotters::style::RGBColor, values: Vec<Option<f64>>) -> Curve {
    let shown =
        if name.chars().count() > 16 { name.chars().take(15).chain(['…']).collect() } else { name.to_owned() };
    Curve { name: shown, color, values }
}

/// The mean of each period.
fn rates(report: &Report, of: fn(&Second) -> u64) -> Vec<Option<f64>> {
    let periods = report.seconds().chunks(report.period());
    periods.map(|period| Some(period.iter().map(of).sum::<u64>() as f64 / period.len() as f64)).collect()
}

/// The most in each period.
fn gauges(report: &Report, of: fn(&Second) -> u64) -> Vec<Option<f64>> {
    report.seconds().chunks(report.period()).map(|period| period.iter().map(of).max().map(|most| most as f64)).collect()
}

fn latencies(report: &Report, percent: f64) -> Vec<Option<f64>> {
    let nanos = |time: Duration| time.as_nanos() as f64;
    let starts = (0..report.seconds().len()).step_by(report.period());
    starts.map(|start| report.latency(percent, start..start + 1).map(nanos)).collect()
}

/// The text with the characters replaced that HTML gives a meaning.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}
