//! The summary of a call that has ended.

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
        // The summary of a success does not mention the failures before it.
        let has_stopped = self.state.stop_reason.is_some();
        let rejected = self.rejected();
        let name = match rejected {
            Some(_) => self.plan.breaker.as_ref().and_then(BreakerChoice::shared_name),
            None if has_stopped => self.operation_label().map(Arc::from),
            None => None,
        };
        OutcomeSummary {
            name,
            stop_reason: self.state.stop_reason,
            attempts: self.state.attempts,
            last_class: self.state.last_class.filter(|_| has_stopped),
            cause: self.state.cause.filter(|_| has_stopped),
            elapsed: ended.map_or(Duration::ZERO, |ended| self.elapsed(ended)),
            retry_in: self.state.wait.get().filter(|_| has_stopped),
            rejected,
            is_forced: self.state.flags.has(Flags::REJECTED_BY_FORCE),
            retry_forbidden: None,
        }
    }

    /// The state of the breaker that rejected the call before its first attempt.
    fn rejected(&self) -> Option<CircuitState> {
        let half_open = self.state.flags.has(Flags::REJECTED_HALF_OPEN);
        let state = if half_open { CircuitState::HalfOpen } else { CircuitState::Open };
        let is_rejected = self.state.stop_reason == Some(StopReason::CircuitOpen);
        // A call that has made an attempt has the failure of that attempt to show.
        (is_rejected && !self.state.flags.has(Flags::SHUT_BETWEEN)).then_some(state)
    }
}
