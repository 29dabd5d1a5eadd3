//! Sections of replays: what the terminal shows, and charts with the likely range as two curves.

use std::fmt;
use std::time::Duration;

use super::chart::{BLUE, Chart, GREEN, GREY, ORANGE, Unit};
use super::page::{Titled, curve, escaped, write_charts};
use crate::clock::{SECOND, nanos};
use crate::replay::summary::{headings, headline, rows, title};
use crate::replay::{Certainty, Counts, Period, Replayed};

pub(super) fn write_section(f: &mut fmt::Formatter<'_>, replays: &[&Replayed]) -> fmt::Result {
    let Some(first) = replays.first() else { return Ok(()) };
    writeln!(f, "<section>\n<h2>{}</h2>", escaped(&title(first)))?;
    for replayed in replays {
        writeln!(f, "<p class=\"headline\">{}</p>", escaped(&headline(replayed)))?;
    }
    if replays.iter().any(|replayed| replayed.certainty() != Certainty::Certain) {
        writeln!(f, "<p><small>Two lines of one colour are the ends of the likely range.</small></p>")?;
    }
    write_charts(f, &charts(first, replays))?;
    write_table(f, replays)?;
    writeln!(f, "<h3>What it does not show</h3>\n<ul>")?;
    let mut written = Vec::new();
    for limit in replays.iter().flat_map(|replayed| replayed.limits()) {
        if !written.contains(&limit) {
            writeln!(f, "<li>{}</li>", escaped(&limit))?;
            written.push(limit);
        }
    }
    writeln!(f, "</ul>\n</section>")
}

fn write_table(f: &mut fmt::Formatter<'_>, replays: &[&Replayed]) -> fmt::Result {
    write!(f, "<div class=\"wide\"><table>\n<thead><tr><th></th>")?;
    for (heading, _) in headings(replays) {
        write!(f, "<th>{}</th>", escaped(&heading))?;
    }
    writeln!(f, "</tr></thead>\n<tbody>")?;
    for (name, row) in rows(replays) {
        write!(f, "<tr><th>{name}</th>")?;
        for cell in row {
            write!(f, "<td>{}</td>", escaped(&cell))?;
        }
        writeln!(f, "</tr>")?;
    }
    writeln!(f, "</tbody>\n</table></div>")
}

fn charts(first: &Replayed, replays: &[&Replayed]) -> Vec<Titled> {
    let (_, span) = first.span();
    let length = |index| length(span, first.period(), index);
    let each = |of: fn(&Period) -> u64| move |index: usize, period: &Period| Some(of(period) as f64 / length(index));
    let p99 = |_: usize, period: &Period| period.p99.map(|time: Duration| nanos(time) as f64);
    let mut good = vec![curve("calls made", GREY, recorded(first, each(|period| period.calls)))];
    good.extend(curves(first, replays, each(|period| period.good)));
    let attempts = curves(first, replays, each(|period| period.attempts));
    let latencies = curves(first, replays, p99);
    vec![
        ("Calls that succeed", "each second", chart(first, Unit::Count, good)),
        ("Attempts", "each second", chart(first, Unit::Count, attempts)),
        ("Latency", "p99 of the calls that succeed", chart(first, Unit::Time, latencies)),
    ]
}

/// The seconds of a period in which calls began: the last call cuts the last period.
fn length(span: Duration, period: Duration, index: usize) -> f64 {
    let start = period.saturating_mul(u32::try_from(index).unwrap_or(u32::MAX));
    span.saturating_sub(start).min(period).as_secs_f64().max(1.0)
}

/// What was recorded, and the two ends of each likely range.
fn curves(
    first: &Replayed,
    replays: &[&Replayed],
    of: impl Fn(usize, &Period) -> Option<f64> + Copy,
) -> Vec<super::chart::Curve> {
    let mut curves = vec![curve("recorded", ORANGE, recorded(first, of))];
    for (replayed, color) in replays.iter().zip([BLUE, GREEN]) {
        let ends: Vec<(Option<f64>, Option<f64>)> = (0..first.recorded().periods().len())
            .map(|index| replayed.likely(|counts: &Counts| of(index, counts.periods().get(index)?)))
            .collect();
        let [low, high] = [ends.iter().map(|end| end.0).collect(), ends.iter().map(|end| end.1).collect()];
        if low != high {
            curves.push(curve("", color, low));
        }
        let name = replayed.name();
        curves.push(curve(name, color, high));
    }
    curves
}

fn recorded(replayed: &Replayed, of: impl Fn(usize, &Period) -> Option<f64>) -> Vec<Option<f64>> {
    replayed.recorded().periods().iter().enumerate().map(|(index, period)| of(index, period)).collect()
}

fn chart(replayed: &Replayed, unit: Unit, curves: Vec<super::chart::Curve>) -> Chart {
    let period = (nanos(replayed.period()) / SECOND) as usize;
    let seconds = replayed.recorded().periods().len() * period;
    Chart { unit, curves, period, seconds, trouble: None }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::length;

    #[test]
    fn the_last_period_is_as_long_as_calls_began_in_it() {
        let lengths =
            |span: f64| [0, 1, 2].map(|at| length(Duration::from_secs_f64(span), Duration::from_secs(15), at));
        assert_eq!(lengths(45.0), [15.0; 3]);
        assert_eq!(lengths(32.5), [15.0, 15.0, 2.5]);
        assert_eq!(lengths(30.0), [15.0, 15.0, 1.0]);
        assert_eq!(lengths(0.0), [1.0; 3]);
    }
}
