//! The end of a call with a success: counted, and reported to those who want to know.

use std::time::{Duration, Instant};

use super::flags::Flags;
use super::run::Run;
use crate::breaker::Seen;
use crate::outcome::observer::AttemptDecision;
use crate::strategy::Feedback;

impl Run<'_> {
    /// Ends the call with the success of the running attempt. The success is not reported to a
    /// closed breaker, whose state it does not change.
    #[inline]
    pub(crate) fn succeed(&mut self, now: Option<Instant>) {
        if self.state.flags.success_matters() {
            self.succeed_slow(now);
        }
    }

    #[cold]
    fn succeed_slow(&mut self, now: Option<Instant>) {
        self.state.count_success(self.plan);
        if let (true, Some(now)) = (self.state.flags.success_is_reported(), now) {
            self.report_success(now);
        }
    }

    fn report_success(&mut self, now: Instant) {
        self.state.last_class = None;
        self.state.cause = None;
        let took = self.end_attempt(now);
        for learner in &self.plan.learners {
            learner.learn(Feedback::Success, now);
        }
        let elapsed = self.elapsed(now);
        self.tell_end(AttemptDecision::Success, elapsed, None, None, None);
        // ORDER: before the report to the breaker, so that a panic in there does not make the call
        // `Cancelled`.
        self.state.flags = self.state.flags.with(Flags::SUCCEEDED);
        self.tell_terminal(None, None, now, Duration::ZERO);
        if self.state.flags.has(Flags::HOLDS_PERMIT) {
            self.report(Seen { took, ..Seen::success() }, now);
        }
    }
}
