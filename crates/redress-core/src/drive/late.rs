//! Failures that come to light when their call has ended: the value it returned turns out to be
//! half of one.
//!
//! Owns telling the breaker. The call's outcome stands.

use std::fmt;
use std::sync::Arc;

use super::poll_call::PollCall;
use super::timer::Timer;
use crate::breaker::{BreakerChoice, CircuitState, Report};
use crate::classify::class::ErrorClass;
use crate::policy::compiled::Plan;

/// Tells a policy's breaker of a failure that came after the call's end, such as a stream that
/// broke off after its first message. Made by [`PollCall::late_failure`].
pub struct LateFailure<Tm> {
    plan: Arc<Plan>,
    timer: Tm,
}

impl<T, E, C, Tm: Timer + Clone> PollCall<'_, T, E, C, Tm> {
    /// What may still be told when the call has ended with a value that is not all there yet;
    /// `None` if the policy has no breaker.
    pub fn late_failure(&self) -> Option<LateFailure<Tm>> {
        let plan = self.plan();
        plan.breaker.is_some().then(|| LateFailure { plan: Arc::clone(plan), timer: self.timer().clone() })
    }
}

impl<Tm: Timer> LateFailure<Tm> {
    /// Counts a failure of this class, beside the success that the call was. Does nothing unless
    /// the circuit is closed: a call that ended before says nothing about a probe. No observer
    /// hears of it.
    pub fn report(self, class: ErrorClass) {
        let Some(breaker) = self.plan.breaker.as_ref().map(BreakerChoice::as_dyn) else { return };
        if breaker.state() != CircuitState::Closed {
            return;
        }
        let now = self.timer.now();
        if let Ok(admission) = breaker.admit(now) {
            breaker.report(admission, Report::Failure(class), now);
        }
    }
}

impl<Tm> fmt::Debug for LateFailure<Tm> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LateFailure").finish_non_exhaustive()
    }
}
