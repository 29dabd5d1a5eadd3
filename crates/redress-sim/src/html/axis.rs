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
        let end = end as f64;
        let step = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0]
            .into_iter()
            .find(|step| end / step <= 10.0)
            .unwrap_or_else(|| step(end, 10.0));
        let ticks = (0..=(end / step).floor() as u32).map(|tick| f64::from(tick) * step).collect();
        Self { range: 0.0..end, ticks }
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
    use super::{Axis, height, nanos_at};

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
