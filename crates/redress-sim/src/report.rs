//! [`Report`]: calls and attempts by the second, and how long the recovery took.

use std::fmt;
use std::ops::{AddAssign, Range};
use std::time::Duration;

use redress_core::StopReason;

use crate::clock::{Nanos, SECOND};

/// The seconds over which [`Report::recovery`] looks.
const WINDOW: usize = 10;

/// The share of calls that must succeed in them, in percent.
const ENOUGH: u64 = 97;

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
        self.time = self.time.saturating_add(other.time);
    }
}

/// The result of a run. `Display` writes it as CSV, with a line for each second.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a run has no other effect"]
pub struct Report {
    seconds: Vec<Second>,
    /// The first second after the last fault.
    healthy_from: usize,
    stopped: Vec<u64>,
    events: u64,
}

impl Report {
    /// A report of no calls. Faults end at `healthy_from`.
    pub(crate) fn new(horizon: Nanos, healthy_from: Nanos) -> Self {
        let [seconds, healthy_from] = [horizon, healthy_from.min(horizon)].map(|at| at.div_ceil(SECOND) as usize);
        let stopped = vec![0; StopReason::ALL.len()];
        Self { seconds: vec![Second::default(); seconds], healthy_from, stopped, events: 0 }
    }

    /// The counts of the second of an instant before the horizon.
    pub(crate) fn at(&mut self, now: Nanos) -> &mut Second {
        &mut self.seconds[(now / SECOND) as usize]
    }

    pub(crate) fn count_stop(&mut self, reason: StopReason) {
        if let Some(index) = StopReason::ALL.iter().position(|other| *other == reason) {
            self.stopped[index] += 1;
        }
    }

    pub(crate) fn set_events(&mut self, events: u64) {
        self.events = events;
    }

    /// The seconds of the run.
    #[must_use]
    pub fn seconds(&self) -> &[Second] {
        &self.seconds
    }

    /// The sum of these seconds; those outside the run are empty.
    #[must_use]
    pub fn sum(&self, seconds: Range<usize>) -> Second {
        let mut sum = Second::default();
        for second in self.seconds.iter().take(seconds.end).skip(seconds.start) {
            sum += *second;
        }
        sum
    }

    /// How long the recovery took, in whole seconds: from the end of the last fault until the start
    /// of the first ten seconds in which 97 % of the calls made succeeded. `None` if there are no
    /// such ten seconds before the horizon.
    #[must_use]
    pub fn recovery(&self) -> Option<Duration> {
        let windows = self.seconds.get(self.healthy_from..)?.windows(WINDOW);
        let after = windows.into_iter().position(|window| {
            let sum = |count: fn(&Second) -> u64| window.iter().map(count).sum::<u64>();
            sum(|second| second.good) * 100 >= sum(|second| second.offered) * ENOUGH
        });
        after.map(|seconds| Duration::from_secs(seconds as u64))
    }

    /// How many calls ended for this reason. `None` counts those that succeeded.
    #[must_use]
    pub fn ended(&self, reason: Option<StopReason>) -> u64 {
        match reason {
            None => self.seconds.iter().map(|second| second.good).sum(),
            Some(reason) => {
                let index = StopReason::ALL.iter().position(|other| *other == reason);
                index.and_then(|index| self.stopped.get(index)).copied().unwrap_or(0)
            }
        }
    }

    /// How many events the run took, for its speed.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "second,offered,good,failed,rejected,attempts,unheard,dropped,refused,nanoseconds")?;
        for (index, second) in self.seconds.iter().enumerate() {
            let Second { offered, good, failed, rejected, attempts, unheard, dropped, refused, time } = second;
            let nanos = time.as_nanos();
            writeln!(
                f,
                "{index},{offered},{good},{failed},{rejected},{attempts},{unheard},{dropped},{refused},{nanos}"
            )?;
        }
        Ok(())
    }
}
