//! The time limit for draining a response that will be retried.

use std::time::{Duration, Instant};

use redress_core::Attempt;
use redress_core::driver::Timer;
use redress_http::Drain;

/// The drain settings of one attempt, and when the attempt began.
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

    /// Returns the time left for draining, once the head has arrived.
    pub(crate) fn time(&self, timer: &impl Timer) -> Duration {
        let elapsed = || timer.now().saturating_duration_since(self.started);
        self.drain.time(self.attempt.time_left().map(|had| had.saturating_sub(elapsed())))
    }
}
