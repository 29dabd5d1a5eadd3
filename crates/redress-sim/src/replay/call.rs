//! A call of a log, as it is played.

use redress_core::StopReason;
use redress_core::observe::CallOutcome;
use redress_journal::CallRecord;

use super::attempt::Recorded;
use crate::clock::{Nanos, nanos};

/// A call of a log.
#[derive(Clone, Debug)]
pub(crate) struct RecordedCall {
    /// In microseconds of the wall clock.
    pub(crate) at_us: u64,
    /// When it starts, from the start of the log.
    pub(crate) begins: Nanos,
    /// Its policy, its breaker, and its operation with its breaker, each as a number.
    pub(crate) policy: u32,
    pub(crate) breaker: u32,
    pub(crate) operation: u32,
    pub(crate) outcome: CallOutcome,
    pub(crate) stop_reason: Option<StopReason>,
    pub(crate) elapsed: Option<Nanos>,
    pub(crate) made: u32,
    pub(crate) attempts: Box<[Recorded]>,
}

/// How a caller ends a call that has not ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    Drops,
    Aborts,
}

impl RecordedCall {
    pub(crate) fn of(record: &CallRecord, policy: u32, breaker: u32, operation: u32) -> Self {
        let attempts = record.attempts.iter().enumerate();
        Self {
            at_us: record.at_us,
            begins: 0,
            policy,
            breaker,
            operation,
            outcome: record.outcome,
            stop_reason: record.stop_reason,
            elapsed: record.elapsed.map(nanos),
            made: record.made,
            attempts: attempts.map(|(index, attempt)| Recorded::of(record, index, attempt)).collect(),
        }
    }

    /// After which time the caller leaves, and how, if the log says so.
    pub(crate) fn leaves(&self) -> Option<(Nanos, Leaving)> {
        let leaving = match self.outcome {
            CallOutcome::Cancelled => Leaving::Drops,
            CallOutcome::Aborted => Leaving::Aborts,
            _ => return None,
        };
        self.elapsed.map(|elapsed| (elapsed, leaving))
    }

    /// Whether the log has the first of its attempts only.
    pub(crate) fn is_cut_short(&self) -> bool {
        self.attempts.len() >= MOST_ATTEMPTS && self.made as usize > self.attempts.len()
    }

    /// When it ended, from the start of the log, as far as that is known.
    pub(crate) fn ends(&self) -> Nanos {
        self.begins.saturating_add(self.elapsed.unwrap_or(0))
    }
}

/// How many attempts of a call a journal keeps.
const MOST_ATTEMPTS: usize = 100;
