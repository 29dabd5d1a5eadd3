//! A call and its breaker: the permit is acquired once, and reported or released once.

use std::time::Instant;

use super::flags::Flags;
use super::run::Run;
use super::state::Wait;
use crate::breaker::{Admission, BreakerChoice, CircuitBreaker, CircuitState, Report};
use crate::outcome::stop_reason::StopReason;
use crate::policy::hooks::contained;

impl Run<'_> {
    /// Acquires a permit from the breaker. Returns `false`, and ends the call, if the breaker
    /// rejects it.
    pub(super) fn admit(&mut self, now: Instant) -> bool {
        let Some(breaker) = &self.plan.breaker else { return true };
        match breaker.as_dyn().admit(now) {
            Ok(admission) => {
                self.state.generation = admission.generation;
                let is_other = matches!(breaker, BreakerChoice::Other(_));
                if is_other || CircuitBreaker::is_probe(admission.generation) {
                    self.state.flags = self.state.flags.with(Flags::HOLDS_PERMIT);
                }
                self.tell_transition(admission.transition, None, now);
                true
            }
            Err(rejection) => {
                self.state.observers.set_timeline(None);
                self.state.stop_reason = Some(StopReason::CircuitOpen);
                self.state.wait = Wait::from(rejection.retry_in());
                if rejection.state() == CircuitState::HalfOpen {
                    self.state.flags = self.state.flags.with(Flags::REJECTED_HALF_OPEN);
                }
                self.tell_rejection(rejection.state(), rejection.retry_in());
                false
            }
        }
    }

    pub(super) fn report(&mut self, report: Report, now: Instant) {
        let Some(breaker) = &self.plan.breaker else { return };
        let transition = breaker.as_dyn().report(self.admission(), report, now);
        // ORDER: a custom clock or breaker may panic in `report`. The flag is still set then, so
        // the permit is released.
        self.state.flags = self.state.flags.without(Flags::HOLDS_PERMIT);
        let class = match report {
            Report::Success => None,
            Report::Failure(class) => Some(class),
        };
        self.tell_transition(transition, class, now);
    }

    /// Releases what the call still holds: the permit, without a result, and the price of an
    /// attempt that has not started.
    #[cold]
    pub(crate) fn release(&mut self) {
        self.give_back_held();
        if let (true, Some(breaker)) = (self.state.flags.has(Flags::HOLDS_PERMIT), &self.plan.breaker) {
            // The call may be unwinding, and a second panic that leaves a destructor would abort
            // the process.
            contained(|| breaker.as_dyn().release(self.admission()));
        }
        self.state.flags = self.state.flags.without(Flags::HOLDS_PERMIT);
    }

    const fn admission(&self) -> Admission {
        Admission { generation: self.state.generation, transition: None }
    }
}
