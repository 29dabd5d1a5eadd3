//! [`Second`]: what is counted in a second of a run.

use std::ops::AddAssign;
use std::time::Duration;

/// What happened in a second, or in several.
///
/// A call and its end count in the second in which the call was made. Attempts and what the server
/// does count when they happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Second {
    /// Calls made.
    pub offered: u64,
    /// Calls that succeeded, whenever that was.
    pub good: u64,
    /// Calls that failed, rejected ones included.
    pub failed: u64,
    /// Calls that a breaker rejected before their first attempt.
    pub rejected: u64,
    /// Attempts started.
    pub attempts: u64,
    /// Requests that the server worked off after their attempt had been given up.
    pub unheard: u64,
    /// Requests that the server dropped because they had too little time left.
    pub dropped: u64,
    /// Requests that the server refused because its queue was full.
    pub refused: u64,
    /// Requests that the server refused because of its rate limit.
    pub limited: u64,
    /// Requests that were lost with a worker, or found none that was up.
    pub reset: u64,
    /// Clients whose circuit is open at the end of the second. In a sum, the most of any second.
    pub open: u64,
    /// Clients whose circuit is half-open at the end of the second. In a sum, the most of any
    /// second.
    pub half_open: u64,
    /// The time that the good calls took together.
    pub time: Duration,
}

impl AddAssign for Second {
    fn add_assign(&mut self, other: Self) {
        self.offered += other.offered;
        self.good += other.good;
        self.failed += other.failed;
        self.rejected += other.rejected;
        self.attempts += other.attempts;
        self.unheard += other.unheard;
        self.dropped += other.dropped;
        self.refused += other.refused;
        self.limited += other.limited;
        self.reset += other.reset;
        self.open = self.open.max(other.open);
        self.half_open = self.half_open.max(other.half_open);
        self.time = self.time.saturating_add(other.time);
    }
}
