//! How much of a response that will be retried is read, and for how long.
//!
//! Owns the bound. What is read, and what becomes of the rest, is `response_body.rs`.

use std::time::{Duration, Instant};

use redress_core::Attempt;
use redress_core::driver::Timer;

/// What a response that is to be retried may cost, so that its connection can be used again. A response that is longer, or not there in
/// time, is dropped before the wait, which closes its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Drain {
    pub(crate) max_bytes: usize,
    pub(crate) max_time: Duration,
}

impl Default for Drain {
    fn default() -> Self {
        Self { max_bytes: 64 * 1024, max_time: Duration::from_millis(100) }
    }
}

/// The reading ahead of one attempt.
#[derive(Clone, Copy)]
pub(crate) struct ReadAhead {
    pub(crate) drain: Drain,
    attempt: Attempt,
    started: Instant,
}

impl ReadAhead {
    pub(crate) fn new(drain: Drain, attempt: Attempt, timer: &impl Timer) -> Self {
        Self { drain, attempt, started: timer.now() }
    }

    /// The time there is for it, now that the head is there: never so much that the attempt would run into its timeout, and a response
    /// be lost that is already here.
    pub(crate) fn time(&self, timer: &impl Timer) -> Duration {
        let Some(had) = self.attempt.time_left() else { return self.drain.max_time };
        let left = had.saturating_sub(timer.now().saturating_duration_since(self.started));
        self.drain.max_time.min(left / 2)
    }
}
