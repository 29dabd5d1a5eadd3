//! [`Ramp`]: the growing share of calls that a breaker admits after a trial, and its counts.

use std::time::Duration;

use super::share::Share;

/// A ramp after a passed trial; see [`ramp`](super::CircuitBreakerBuilder::ramp).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Ramp {
    /// How long the ramp takes.
    pub length: Duration,
    /// The share of calls that it admits at its beginning, between 0 and 1.
    pub from: f64,
}

impl Ramp {
    /// A ramp of this length that begins with this share.
    #[must_use]
    pub const fn new(length: Duration, from: f64) -> Self {
        Self { length, from }
    }
}

/// One ramp and its counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RampCounts {
    /// The share at its beginning.
    from: Share,
    arrived: u64,
    admitted: u64,
}

impl RampCounts {
    pub(super) fn new(from: f64) -> Self {
        Self { from: Share::of(from), ..Self::default() }
    }

    /// The same ramp, without the calls that it has counted.
    pub(super) fn again(self) -> Self {
        Self { from: self.from, ..Self::default() }
    }

    /// Counts an arrival, with so much of the ramp's length elapsed. Returns whether it is
    /// admitted: by credit, so that the share is kept exactly and without chance.
    pub(super) fn admits(&mut self, elapsed: u64, length: u64) -> bool {
        self.arrived = self.arrived.saturating_add(1);
        let admits = self.from.grown(elapsed, length).covers(self.admitted.saturating_add(1), self.arrived);
        if admits {
            self.admitted = self.admitted.saturating_add(1);
        }
        admits
    }
}
