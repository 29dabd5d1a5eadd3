//! A failure of a plain call, in which no hook, observer or learning strategy takes part between
//! attempts.
//!
//! The gates are those of every call. What is left out is what such a call does not have.

use std::time::{Duration, Instant};

use super::gates::Refused;
use super::run::Run;
use super::state::{RunState, Wait};
use crate::classify::classification::Classification;
use crate::drive::attempt::Attempt;
use crate::outcome::failure::Cause;
use crate::outcome::stop_reason::StopReason;
use crate::policy::compiled::Plan;

/// What becomes of a plain call after a failed attempt.
#[must_use = "a verdict that is not acted on loses the call"]
pub(crate) enum PlainVerdict {
    /// Another attempt follows the [wait](Run::wait): by [`RunState::resume_at_once`] if there is
    /// none, with what is left of the deadline, or else by [`Run::resume`].
    Retry { remaining: Option<Duration> },
    /// The call is over.
    Stop,
}

impl RunState {
    /// [`Run::fail`] of a [plain](Self::is_plain) call.
    ///
    /// Takes the plan and the state apart, since six words travel in registers. A plain call has no
    /// deadline of its own, and no settings that its failure depends on.
    #[inline(never)]
    pub(crate) fn fail_plainly(
        &mut self,
        plan: &Plan,
        classification: &Classification,
        cause: Cause,
        now: Instant,
    ) -> PlainVerdict {
        let mut run = Run::of(plan, None, self);
        if classification.is_abort() {
            return run.stop_plainly(StopReason::Aborted, Wait::NONE, now);
        }
        if plan.shortens(classification) {
            return self.fail_with_shortened_hint(plan, classification, cause, now);
        }
        let failures = run.count(classification.class(), cause);
        match run.gates::<true>(classification, cause, failures, now) {
            Ok(granted) => {
                run.grant(granted);
                PlainVerdict::Retry { remaining: granted.remaining }
            }
            Err(Refused { reason, hint }) => run.stop_plainly(reason, hint, now),
        }
    }

    /// The next attempt of a plain call at the instant of the failure before it: nothing of what
    /// remained then has passed.
    #[inline]
    pub(crate) fn resume_at_once(&mut self, plan: &Plan, remaining: Option<Duration>) -> Attempt {
        self.attempts += 1;
        Run::of(plan, None, self).attempt(remaining)
    }

    #[cold]
    #[inline(never)]
    fn fail_with_shortened_hint(
        &mut self,
        plan: &Plan,
        classification: &Classification,
        cause: Cause,
        now: Instant,
    ) -> PlainVerdict {
        self.fail_plainly(plan, &plan.heeded(classification), cause, now)
    }
}

impl Run<'_> {
    #[cold]
    #[inline(never)]
    fn stop_plainly(&mut self, reason: StopReason, wait: Wait, now: Instant) -> PlainVerdict {
        self.state.wait = wait;
        self.stop(reason, None, now);
        PlainVerdict::Stop
    }
}
