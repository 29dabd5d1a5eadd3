//! The summary of a call that has ended, made once from its state.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::flags::Flags;
use super::run::Run;
use crate::breaker::{BreakerChoice, CircuitState};
use crate::outcome::stop_reason::StopReason;
use crate::outcome::summary::OutcomeSummary;

impl Run<'_> {
    /// The summary of a call that ended at `ended`, or at its start if that is `None`.
    pub(crate) fn summary(&self, ended: Option<Instant>) -> OutcomeSummary {
        // An error does not keep the time, so that a call without an outcome does not compute it.
        let timed = ended.filter(|_| self.state.flags.has(Flags::OUTCOME));
        let elapsed = timed.map_or(Duration::ZERO, |ended| self.elapsed(ended));
        // The summary of a success does not mention the failures before it.
        let (Some(reason), Some(ended)) = (self.state.stop_reason, ended) else {
            return OutcomeSummary { elapsed, ..OutcomeSummary::of_attempts(self.state.attempts) };
        };
        let rejected = self.rejected();
        let name = match rejected {
            Some(_) => self.plan.breaker.as_ref().and_then(BreakerChoice::shared_name),
            None => self.operation_label().map(Arc::from),
        };
        OutcomeSummary {
            name,
            stop_reason: Some(reason),
            attempts: self.state.attempts,
            last_class: self.state.last_class,
            cause: self.state.cause,
            elapsed,
            retry_in: self.state.wait.get(),
            rejected,
            is_forced: self.state.flags.has(Flags::REJECTED_BY_FORCE),
            retry_forbidden: None,
            decision: Some(self.decision(reason, ended)),
        }
    }

    /// The state of the breaker that rejected the call before its first attempt.
    fn rejected(&self) -> Option<CircuitState> {
        let is_rejected = self.state.stop_reason == Some(StopReason::CircuitOpen);
        // A call that has made an attempt has the failure of that attempt to show.
        (is_rejected && !self.state.flags.has(Flags::SHUT_BETWEEN)).then_some(self.rejected_state())
    }

    /// The state that the breaker has if it rejected the call.
    pub(super) fn rejected_state(&self) -> CircuitState {
        if self.state.flags.has(Flags::REJECTED_HALF_OPEN) { CircuitState::HalfOpen } else { CircuitState::Open }
    }
}
