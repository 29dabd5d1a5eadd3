//! How long each opening lasts: the base wait, its growth with openings in a row, its jitter, and
//! the hint of the dependency.

use std::time::Duration;

use super::share::{millionths, times};
use super::spec::BreakerSpec;
use crate::drive::clock::nanos;
use crate::strategy::random_source::RandomSource;

/// The length of open waits, in ticks.
pub(super) struct OpenWaits {
    base: u64,
    /// The factor in millionths, and the cap.
    growth: Option<(u64, u64)>,
    /// In millionths.
    jitter: u64,
    /// The longest hint that is honoured.
    hint_cap: Option<u64>,
    random: RandomSource,
}

/// Openings in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Openings {
    /// The wait of the last opening in the row, before jitter and hint.
    grown: u64,
    /// The last open wait, with jitter and hint.
    last: u64,
    /// When the circuit closed for the last time.
    closed_at: u64,
}

impl OpenWaits {
    pub(super) fn new(spec: &BreakerSpec) -> Self {
        let growth = spec.recovery_growth.map(|growth| (millionths(growth.factor), nanos(growth.max)));
        Self {
            base: nanos(spec.recovery_timeout),
            growth,
            jitter: millionths(spec.recovery_jitter),
            hint_cap: spec.honour_retry_after.map(nanos),
            random: spec.seed.map(RandomSource::seeded).unwrap_or_default(),
        }
    }

    /// The longest wait that an opening can have.
    pub(super) fn longest(&self) -> u64 {
        let longest = self.growth.map_or(self.base, |(_, cap)| cap);
        self.capped(self.spread(longest).1).max(self.hint_cap.unwrap_or(0))
    }

    fn capped(&self, wait: u64) -> u64 {
        self.growth.map_or(wait, |(_, cap)| wait.min(cap))
    }

    /// The least and most of a wait with jitter.
    fn spread(&self, wait: u64) -> (u64, u64) {
        let off = times(wait, self.jitter);
        (wait.saturating_sub(off), wait.saturating_add(off))
    }

    /// The wait of an opening at `now`. `was_closed` if the circuit was closed before it, rather
    /// than half-open.
    pub(super) fn open(&self, openings: &mut Openings, was_closed: bool, hint: Option<Duration>, now: u64) -> u64 {
        let starts_over = was_closed && self.starts_over(openings, now);
        openings.grown = match self.growth {
            Some((factor, cap)) if !starts_over && openings.grown > 0 => times(openings.grown, factor).min(cap),
            _ => self.capped(self.base),
        };
        let wait = if self.jitter == 0 { openings.grown } else { self.capped(self.draw(openings.grown)) };
        let hint = hint.zip(self.hint_cap).map_or(0, |(hint, cap)| nanos(hint).min(cap));
        openings.last = wait.max(hint);
        openings.last
    }

    /// Whether an opening of the closed circuit begins a row: it has been closed for as long as its
    /// last open wait, or all waits are the same.
    pub(super) fn starts_over(&self, openings: &Openings, now: u64) -> bool {
        self.growth.is_none() || now.saturating_sub(openings.closed_at) >= openings.last
    }

    fn draw(&self, wait: u64) -> u64 {
        let (least, most) = self.spread(wait);
        nanos(self.random.between(Duration::from_nanos(least), Duration::from_nanos(most)))
    }
}

impl Openings {
    pub(super) const fn close(&mut self, now: u64) {
        self.closed_at = now;
    }
}
