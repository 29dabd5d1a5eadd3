//! The axes of charts, with ticks at round values. Whole numbers and divisions alone, so that every
//! machine draws the same.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

/// Powers of ten up to 10 s, then 1 min, 10 min, 1 h and 10 h, in nanoseconds.
const ROUND_TIMES: [u64; 12] = [
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
    10_000_000_000,
    60_000_000_000,
    600_000_000_000,
    3_600_000_000_000,
    36_000_000_000_000,
];

const MINUTE: usize = 60;

const HOUR: usize = 60 * MINUTE;

/// A linear axis with given ticks.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    range: Range<f64>,
    ticks: Vec<f64>,
}

impl Axis {
    /// From zero to the first tick at or above `most`, with five ticks or so.
    pub(super) fn counts(most: f64) -> Self {
        let step = step(most, 5.0);
        let ticks: Vec<f64> = (0..=(most / step).ceil().max(1.0) as u32).map(|tick| f64::from(tick) * step).collect();
        Self { range: 0.0..ticks.last().copied().unwrap_or(1.0), ticks }
    }

    /// Seconds from zero to the end of the run.
    pub(super) fn seconds(end: usize) -> Self {
        let step = seconds_step(end);
        let ticks = (0..=end / step).map(|tick| (tick * step) as f64).collect();
        Self { range: 0.0..end as f64, ticks }
    }

    /// Times, as [`height`] gives them, with a tick at each round time.
    pub(super) fn times(least: f64, most: f64) -> Self {
        let heights: Vec<f64> = ROUND_TIMES.iter().map(|nanos| height(*nanos)).collect();
        let from = heights.iter().rposition(|tick| *tick <= least).unwrap_or(0);
        let to = heights.iter().position(|tick| *tick >= most).unwrap_or(heights.len() - 1).max(from + 1);
        let ticks = heights[from..=to].to_vec();
        Self { range: heights[from]..heights[to], ticks }
    }

    pub(super) const fn end(&self) -> f64 {
        self.range.end
    }
}

/// The seconds between two ticks of [`Axis::seconds`].
fn seconds_step(end: usize) -> usize {
    let of_hours = [1, 2, 3, 6, 12, 24].map(|hours| hours * HOUR);
    let steps = [1, 2, 5, 10, 20, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE];
    let step = steps.into_iter().chain(of_hours).find(|step| end <= 10 * step);
    step.unwrap_or_else(|| (end / (10 * 24 * HOUR) + 1) * 24 * HOUR)
}

/// The label of a tick of [`Axis::seconds`]: whole hours, minutes or seconds, as the step is.
pub(super) fn label_of_second(second: f64, end: usize) -> String {
    let (length, unit) = match seconds_step(end) {
        step if step % HOUR == 0 => (HOUR, "h"),
        step if step % MINUTE == 0 => (MINUTE, "min"),
        _ => (1, "s"),
    };
    format!("{} {unit}", second as usize / length)
}

/// Where a time lies on an axis whose doublings are equally long. Between two doublings it is
/// linear: a logarithm may differ by a bit between platforms.
pub(super) fn height(nanos: u64) -> f64 {
    let nanos = nanos.max(1);
    let doublings = nanos.ilog2();
    let begin = 1_u64 << doublings;
    f64::from(doublings) + (nanos - begin) as f64 / begin as f64
}

/// The time that lies at a tick of [`Axis::times`], in nanoseconds.
pub(super) fn nanos_at(tick: f64) -> u64 {
    ROUND_TIMES
        .iter()
        .copied()
        .min_by(|one, other| (height(*one) - tick).abs().total_cmp(&(height(*other) - tick).abs()))
        .unwrap_or(0)
}

/// A step of 1, 2 or 5 times a power of ten that divides `most` into at most so many.
fn step(most: f64, parts: f64) -> f64 {
    let mut power = 1.0;
    loop {
        for step in [1.0, 2.0, 5.0] {
            if most <= power * step * parts {
                return power * step;
            }
        }
        power *= 10.0;
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = (value - self.range.start) / (self.range.end - self.range.start);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::{Axis, HOUR, height, label_of_second, nanos_at};

    #[test]
    fn ticks_are_round_and_reach_the_most() {
        let cases: [(f64, &[f64]); 4] = [
            (0.0, &[0.0, 1.0]),
            (4.2, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
            (700.0, &[0.0, 200.0, 400.0, 600.0, 800.0]),
            (2_700.0, &[0.0, 1_000.0, 2_000.0, 3_000.0]),
        ];
        for (most, ticks) in cases {
            assert_eq!(Axis::counts(most).ticks, ticks);
        }
        assert_eq!(Axis::seconds(90).ticks, [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0]);
        assert_eq!(Axis::seconds(7).ticks.len(), 8);
    }

    #[test]
    fn the_ticks_of_long_runs_are_whole_minutes_or_hours() {
        let labels = |end| -> Vec<String> {
            Axis::seconds(end).ticks.iter().map(|second| label_of_second(*second, end)).take(3).collect()
        };
        assert_eq!(labels(150), ["0 s", "20 s", "40 s"]);
        assert_eq!(labels(600), ["0 min", "1 min", "2 min"]);
        assert_eq!(labels(18_001), ["0 h", "1 h", "2 h"]);
        assert_eq!(labels(24 * HOUR), ["0 h", "3 h", "6 h"]);
        for days in [5, 10, 11, 31, 365] {
            let ticks = Axis::seconds(days * 24 * HOUR).ticks;
            assert!((5..=11).contains(&ticks.len()) && ticks[1] as usize % (24 * HOUR / 2) == 0, "{days}: {ticks:?}");
        }
    }

    #[test]
    fn times_are_nearly_logarithmic() {
        assert_eq!(height(1 << 20), 20.0);
        assert_eq!(height(3 << 20), 21.5);
        let axis = Axis::times(height(3_000_000), height(900_000_000));
        assert_eq!(
            axis.ticks.iter().map(|tick| nanos_at(*tick)).collect::<Vec<_>>(),
            [1_000_000, 10_000_000, 100_000_000, 1_000_000_000]
        );
    }
}
