//! The deadline of a call: the time left, whether a wait still fits, and when an attempt is cut.

use std::time::{Duration, Instant};

use super::flags::Flags;
use super::run::Run;
use crate::drive::attempt::Attempt;
use crate::outcome::stop_reason::StopReason;
use crate::policy::compiled::shorter;
use crate::resume::ResumeToken;

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
        let of_policy = self.plan.deadline.map(|deadline| deadline.saturating_sub(self.elapsed(now)));
        let of_call = self.call.iter().flat_map(|call| call.deadlines());
        let of_delivery = self.since_start(now);
        of_call.fold(of_policy, |left, deadline| shorter(left, Some(deadline.left(of_delivery, now))))
    }

    /// The time that the call has used: since its start, and before it if it was resumed.
    #[inline]
    pub(super) fn elapsed(&self, now: Instant) -> Duration {
        let before = self.resumed().map_or(Duration::ZERO, |token| token.elapsed);
        before.saturating_add(self.since_start(now))
    }

    /// Time since this call, or this delivery of it, began; zero if its start was not recorded.
    #[inline]
    pub(super) fn since_start(&self, now: Instant) -> Duration {
        self.state.started.map_or(Duration::ZERO, |started| now.saturating_duration_since(started))
    }

    /// The state of the deferred call that this call continues.
    #[inline]
    pub(super) fn resumed(&self) -> Option<&'_ ResumeToken> {
        self.call.and_then(|call| call.resumed.as_ref()).map(|resumed| &resumed.token)
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
