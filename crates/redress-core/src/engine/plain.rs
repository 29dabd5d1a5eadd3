//! Failures of plain calls, which have no hooks, observers or learning strategies. They pass the
//! same gates as all calls.

use std::time::{Duration, Instant};

use super::admission::Heard;
use super::gates::Refused;
use super::run::Run;
use super::state::{RunState, Wait};
use crate::classify::classification::Classification;
use crate::drive::attempt::Attempt;
use crate::outcome::failure::Cause;
use crate::outcome::stop_reason::StopReason;
use crate::policy::compiled::Plan;

/// The engine's decision about a failed attempt of a plain call.
#[must_use = "a verdict that is not acted on loses the call"]
pub(crate) enum PlainVerdict {
    /// Another attempt follows the [wait](Run::wait). Without a wait it starts by
    /// [`RunState::resume_at_once`], with the time `remaining` until the deadline, otherwise by
    /// [`Run::resume`].
    Retry { remaining: Option<Duration> },
    /// The call is over.
    Stop,
}

impl RunState {
    /// [`Run::fail`] for a [plain](Self::is_plain) call.
    ///
    /// Takes the plan and the state separately, because six words fit in registers. A plain call
    /// has neither a separate deadline nor settings that affect a failure.
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
            return run.stop_plainly(StopReason::Aborted, Wait::NONE, None, now);
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
            Err(Refused { reason, hint }) => run.stop_plainly(reason, hint, classification.retry_after(), now),
        }
    }

    /// Starts the next attempt of a plain call at the instant of the previous failure, so
    /// `remaining` still holds.
    #[inline]
    pub(crate) fn resume_at_once(&mut self, plan: &Plan, remaining: Option<Duration>) -> Attempt {
        self.spend_tokens();
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
    fn stop_plainly(&mut self, reason: StopReason, wait: Wait, hint: Option<Duration>, now: Instant) -> PlainVerdict {
        self.state.wait = wait;
        self.stop(reason, None, Heard { hint, took: None }, now);
        PlainVerdict::Stop
    }
}
