//! Failures of plain calls, which have no hooks, observers or learning strategies. They pass the
//! same gates as all calls.

use std::time::{Duration, Instant};

use super::admission::Heard;
use super::decisions::EndedBy;
use super::gates::Refused;
use super::run::Run;
use super::state::RunState;
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
            let aborted = Refused { by: EndedBy::Operation, ..StopReason::Aborted.into() };
            return run.stop_plainly(aborted, None, now);
        }
        if plan.shortens(classification) {
            return self.fail_with_shortened_hint(plan, classification, cause, now);
        }
        run.decide_plainly(classification, cause, classification.retry_after(), now)
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
        // The breaker caps the hint itself, so it is told the whole one.
        Run::of(plan, None, self).decide_plainly(&plan.heeded(classification), cause, classification.retry_after(), now)
    }
}

impl Run<'_> {
    /// Decides about a failure with this classification, whose hint is shortened, after which the
    /// dependency asked for the wait `hint`.
    #[inline(always)]
    fn decide_plainly(
        &mut self,
        classification: &Classification,
        cause: Cause,
        hint: Option<Duration>,
        now: Instant,
    ) -> PlainVerdict {
        let failures = self.count(classification.class(), cause);
        match self.gates::<true>(classification, cause, failures, now) {
            Ok(granted) => {
                self.grant(granted);
                PlainVerdict::Retry { remaining: granted.remaining }
            }
            Err(refused) => self.stop_plainly(refused, hint, now),
        }
    }

    #[cold]
    #[inline(never)]
    fn stop_plainly(&mut self, refused: Refused, hint: Option<Duration>, now: Instant) -> PlainVerdict {
        self.state.wait = refused.hint;
        self.note_end(refused.by, refused.wait);
        self.stop(refused.reason, None, Heard { hint, took: None }, now);
        PlainVerdict::Stop
    }
}
