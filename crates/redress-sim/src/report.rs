//! [`Report`]: calls and attempts by the second, latencies, and how long the recovery took.

use std::ops::Range;
use std::time::Duration;

use redress_core::StopReason;

use crate::clock::{Nanos, SECOND};
use crate::csv::Csv;
use crate::latency::Latencies;
use crate::outline::{Outline, Phase};
use crate::second::Second;

/// The seconds over which [`Report::recovery`] looks.
const WINDOW: usize = 10;

/// The share of calls that must succeed in them, in percent.
const ENOUGH: u64 = 97;

/// The most periods that latencies are kept for. A longer run has periods of several seconds.
const PERIODS: usize = 300;

/// The result of a run. `Display` writes a summary for a terminal; see the crate's guide for how to
/// read it.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a run has no other effect"]
pub struct Report {
    pub(crate) label: String,
    pub(crate) outline: Outline,
    seconds: Vec<Second>,
    /// Of the good calls, by the period in which they were made.
    latencies: Vec<Latencies>,
    /// The length of a period, in seconds.
    period: usize,
    stopped: Vec<u64>,
    events: u64,
}

impl Report {
    /// A report of no calls.
    pub(crate) fn new(outline: Outline) -> Self {
        let seconds = outline.seconds;
        let period = seconds.div_ceil(PERIODS).max(1);
        Self {
            label: "the policy".to_owned(),
            outline,
            seconds: vec![Second::default(); seconds],
            latencies: vec![Latencies::default(); seconds.div_ceil(period)],
            period,
            stopped: vec![0; StopReason::ALL.len()],
            events: 0,
        }
    }

    /// Names the policy in summaries, comparisons and pages. Default: `the policy`.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// The counts of the second of an instant before the horizon.
    pub(crate) fn at(&mut self, now: Nanos) -> &mut Second {
        &mut self.seconds[(now / SECOND) as usize]
    }

    pub(crate) fn count_good(&mut self, made: Nanos, took: Nanos) {
        let second = self.at(made);
        second.good += 1;
        second.time += Duration::from_nanos(took);
        let period = (made / SECOND) as usize / self.period;
        self.latencies[period].record(took);
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

    /// The sum of all seconds.
    #[must_use]
    pub fn total(&self) -> Second {
        self.sum(0..self.seconds.len())
    }

    /// The seconds of this part of the run.
    #[must_use]
    pub fn phase(&self, phase: Phase) -> Range<usize> {
        self.outline.phase(phase)
    }

    /// The time that this share of the good calls made in these seconds did not exceed, such as
    /// 0.99; at most 1/32 too long. In a run of more than 300 seconds, of the periods that the
    /// seconds touch: the run is divided into 300 at most. `None` if no call succeeded.
    #[must_use]
    pub fn latency(&self, share: f64, seconds: Range<usize>) -> Option<Duration> {
        let periods = seconds.start / self.period..seconds.end.div_ceil(self.period);
        let mut all = Latencies::default();
        for latencies in self.latencies.iter().take(periods.end).skip(periods.start) {
            all.add(latencies);
        }
        all.percentile(share)
    }

    /// How many seconds the periods have for which latencies are kept.
    #[cfg(feature = "html")]
    pub(crate) const fn period(&self) -> usize {
        self.period
    }

    /// How long the recovery took, in whole seconds: from the end of the
    /// [trouble](crate::Scenario::trouble) until the start of the first ten seconds in which 97 %
    /// of the calls made succeeded. `None` if there are no such ten seconds before the horizon.
    #[must_use]
    pub fn recovery(&self) -> Option<Duration> {
        let windows = self.seconds.get(self.phase(Phase::After).start..)?.windows(WINDOW);
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

    /// The seconds as a table of comma-separated values, for other programs.
    #[must_use]
    pub const fn csv(&self) -> Csv<'_> {
        Csv(self)
    }
}
