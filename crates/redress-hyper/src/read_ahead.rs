//! The reading of a response that will be retried, in the time that its attempt has left.
//!
//! Owns when it began. How much is read is redress-http's `Drain`; what is read, and what becomes
//! of the rest, is `response_body.rs`.

use std::time::{Duration, Instant};

use redress_core::Attempt;
use redress_core::driver::Timer;
use redress_http::Drain;

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

    /// The time there is for it, now that the head is there.
    pub(crate) fn time(&self, timer: &impl Timer) -> Duration {
        let elapsed = || timer.now().saturating_duration_since(self.started);
        self.drain.time(self.attempt.time_left().map(|had| had.saturating_sub(elapsed())))
    }
}
