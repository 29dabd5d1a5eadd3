//! [`Counts`]: what became of the calls of a log, as recorded or in one run.

use std::time::Duration;

use redress_core::StopReason;
use redress_core::observe::CallOutcome;

use super::call::RecordedCall;
use super::log::Facts;
use crate::clock::Nanos;
use crate::latency::Latencies;

/// What became of the calls of a log: as recorded, or in one run under another policy.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Counts {
    /// Calls made.
    pub calls: u64,
    /// Calls that succeeded.
    pub good: u64,
    /// Calls that failed, rejected ones included.
    pub failed: u64,
    /// Calls that a breaker rejected before their first attempt.
    pub rejected: u64,
    /// Calls that their caller dropped.
    pub cancelled: u64,
    /// Calls that a panic of the operation ended.
    pub panicked: u64,
    /// Calls that do not end within the 584 years that a run lasts.
    pub unfinished: u64,
    /// Attempts started.
    pub attempts: u64,
    /// Attempts after the first of their call.
    pub retries: u64,
    /// Attempts whose end the log lacks, so that it was drawn.
    pub drawn: u64,
    /// Of these, attempts that were drawn from another minute.
    pub drawn_elsewhere: u64,
    /// Attempts of the log that started more than a minute before or after their time.
    pub moved: u64,
    /// How long circuits were open, all breakers together. `None` as recorded: a log does not say.
    pub open: Option<Duration>,
    stopped: Vec<u64>,
    latencies: Latencies,
    periods: Vec<Period>,
}

/// What happened in a part of a run. Calls and their ends count when the call was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Period {
    /// Calls made.
    pub calls: u64,
    /// Calls that succeeded.
    pub good: u64,
    /// Attempts started.
    pub attempts: u64,
    /// The time that 99 % of the good calls did not exceed; `None` if no call succeeded.
    pub p99: Option<Duration>,
}

impl Counts {
    /// How many calls ended for this reason. `None` counts those that succeeded.
    #[must_use]
    pub fn ended(&self, reason: Option<StopReason>) -> u64 {
        let Some(reason) = reason else { return self.good };
        let index = StopReason::ALL.iter().position(|other| *other == reason);
        index.and_then(|index| self.stopped.get(index)).copied().unwrap_or(0)
    }

    /// The time that this share of the good calls did not exceed, such as 0.99; at most 1/32 too
    /// long. `None` if no call succeeded.
    #[must_use]
    pub fn latency(&self, share: f64) -> Option<Duration> {
        self.latencies.percentile(share)
    }

    /// The counts by time, 300 at most. Each is of [`Replayed::period`](super::Replayed::period).
    #[must_use]
    pub fn periods(&self) -> &[Period] {
        &self.periods
    }

    /// What the records say.
    pub(super) fn recorded(calls: &[RecordedCall], facts: &Facts) -> Self {
        let mut tally = Tally::new(facts);
        for call in calls {
            tally.begin(call.begins);
            for attempt in &call.attempts {
                tally.start(attempt.started(call.begins));
            }
            let counts = &mut tally.counts;
            // A record has the first attempts only.
            let made = u64::from(call.made).max(call.attempts.len() as u64);
            counts.attempts += made - call.attempts.len() as u64;
            counts.retries += made.saturating_sub(1);
            match call.outcome {
                CallOutcome::Success => tally.succeed(call.begins, call.elapsed),
                CallOutcome::Cancelled => counts.cancelled += 1,
                CallOutcome::Panicked => counts.panicked += 1,
                CallOutcome::Rejected => tally.fail(Some(StopReason::CircuitOpen), call.made),
                _ => tally.fail(call.stop_reason, call.made),
            }
        }
        tally.finish()
    }
}

/// Counts that are not finished.
pub(crate) struct Tally {
    pub(crate) counts: Counts,
    period: Nanos,
    latencies: Vec<Latencies>,
}

impl Tally {
    pub(crate) fn new(facts: &Facts) -> Self {
        let counts = Counts {
            calls: 0,
            good: 0,
            failed: 0,
            rejected: 0,
            cancelled: 0,
            panicked: 0,
            unfinished: 0,
            attempts: 0,
            retries: 0,
            drawn: 0,
            drawn_elsewhere: 0,
            moved: 0,
            open: None,
            stopped: vec![0; StopReason::ALL.len()],
            latencies: Latencies::default(),
            periods: vec![Period::default(); facts.periods],
        };
        Self { counts, period: facts.period.max(1), latencies: vec![Latencies::default(); facts.periods] }
    }

    pub(crate) fn begin(&mut self, at: Nanos) {
        self.counts.calls += 1;
        if let Some(period) = self.period(at) {
            period.calls += 1;
        }
    }

    /// Counts an attempt.
    pub(crate) fn start(&mut self, at: Nanos) {
        self.counts.attempts += 1;
        if let Some(period) = self.period(at) {
            period.attempts += 1;
        }
    }

    pub(crate) fn succeed(&mut self, made: Nanos, took: Option<Nanos>) {
        self.counts.good += 1;
        if let Some(period) = self.period(made) {
            period.good += 1;
        }
        if let Some(took) = took {
            self.counts.latencies.record(took);
            if let Some(latencies) = self.latencies.get_mut((made / self.period) as usize) {
                latencies.record(took);
            }
        }
    }

    pub(crate) fn fail(&mut self, reason: Option<StopReason>, attempts: u32) {
        self.counts.failed += 1;
        self.counts.rejected += u64::from(reason == Some(StopReason::CircuitOpen) && attempts == 0);
        if let Some(index) = StopReason::ALL.iter().position(|other| Some(*other) == reason) {
            self.counts.stopped[index] += 1;
        }
    }

    pub(crate) fn finish(mut self) -> Counts {
        for (period, latencies) in self.counts.periods.iter_mut().zip(&self.latencies) {
            period.p99 = latencies.percentile(0.99);
        }
        self.counts
    }

    /// The period of an instant. What happens after the log's end is in none.
    fn period(&mut self, at: Nanos) -> Option<&mut Period> {
        self.counts.periods.get_mut((at / self.period) as usize)
    }
}
