//! [`LateFailure`], which reports a failure to the breaker after the call has ended with a value
//! that turns out to be incomplete. The call's outcome does not change.

use std::fmt;
use std::sync::Arc;

use super::poll_call::PollCall;
use super::timer::Timer;
use crate::breaker::{BreakerChoice, CircuitState, Report};
use crate::classify::class::ErrorClass;
use crate::policy::compiled::Plan;

/// Reports a failure to the policy's breaker after the end of the call, such as a stream that
/// breaks off after its first message. Returned by [`PollCall::late_failure`].
pub struct LateFailure<Tm> {
    plan: Arc<Plan>,
    timer: Tm,
}

impl<T, E, C, Tm: Timer + Clone> PollCall<'_, T, E, C, Tm> {
    /// Returns a handle that can report a failure after the call has ended, for values that are
    /// received in parts. `None` if the policy has no breaker.
    pub fn late_failure(&self) -> Option<LateFailure<Tm>> {
        let plan = self.plan();
        plan.breaker.is_some().then(|| LateFailure { plan: Arc::clone(plan), timer: self.timer().clone() })
    }
}

impl<Tm: Timer> LateFailure<Tm> {
    /// Counts a failure of this class, in addition to the call's success. Does nothing unless the
    /// circuit is closed, because a call from before says nothing about a probe. Observers are not
    /// notified.
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
