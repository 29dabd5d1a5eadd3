//! The deadline of a call: the time left, whether a wait still fits, and when an attempt is cut.

use std::time::{Duration, Instant};

use super::flags::Flags;
use super::run::Run;
use crate::drive::attempt::Attempt;
use crate::outcome::stop_reason::StopReason;
use crate::policy::compiled::shorter;

impl Run<'_> {
    /// The time left until the earlier deadline of the policy's and the call's; zero at and after
    /// it.
    #[inline(always)]
    pub(super) fn remaining(&self, now: Instant) -> Option<Duration> {
        if !self.state.flags.has(Flags::DEADLINE) {
            return None;
        }
        self.remaining_of_deadline(now)
    }

    fn remaining_of_deadline(&self, now: Instant) -> Option<Duration> {
        let elapsed = self.elapsed(now);
        let of_policy = self.plan.deadline.map(|deadline| deadline.saturating_sub(elapsed));
        let of_call = self.call.iter().flat_map(|call| &call.deadlines);
        of_call.fold(of_policy, |left, deadline| shorter(left, Some(deadline.left(elapsed, now))))
    }

    /// Time since the call began; zero if its start was not recorded.
    #[inline]
    pub(super) fn elapsed(&self, now: Instant) -> Duration {
        self.state.started.map_or(Duration::ZERO, |started| now.saturating_duration_since(started))
    }

    /// The attempt that starts now, with `remaining` left of the deadline.
    #[inline]
    pub(super) fn attempt(&self, remaining: Option<Duration>) -> Attempt {
        Attempt::new(self.state.attempts, shorter(self.plan.attempt_timeout, remaining))
    }

    /// How long the running attempt may still take before the driver cuts it.
    #[inline]
    pub(crate) fn attempt_limit(&self, now: impl FnOnce() -> Instant) -> Option<Duration> {
        let timeout = self.plan.attempt_timeout;
        if !self.state.flags.has(Flags::DEADLINE) || !self.plan.cuts_attempts() {
            return timeout;
        }
        shorter(timeout, self.remaining(now()))
    }

    /// Whether hooks may have taken time, so that the deadline has to be checked again before the
    /// wait.
    #[inline]
    pub(crate) fn needs_recheck(&self) -> bool {
        self.state.flags.has(Flags::DEADLINE) && self.may_have_taken_time()
    }

    /// Whether the wait, begun now, still ends before the deadline. If not, the call ends.
    pub(crate) fn recheck(&mut self, now: Instant) -> bool {
        let in_time = fits(self.wait(), self.remaining(now));
        if !in_time {
            self.stop_waiting(StopReason::DeadlineExceeded, now);
        }
        in_time
    }
}

/// Whether a wait ends before the deadline. One that ends exactly at it does not, because no
/// attempt starts there.
#[inline]
pub(super) fn fits(wait: Duration, remaining: Option<Duration>) -> bool {
    remaining.is_none_or(|remaining| wait < remaining)
}
