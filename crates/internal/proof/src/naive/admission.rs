//! Admission by the breaker, and the end of what it admitted.

use std::time::Duration;

use redress_core::breaker::{CircuitState, Report, Transition};
use redress_core::{EventName, StopReason};

use super::{LONGEST_KEPT, Life, Naive};
use crate::breaker::Rejected;
use crate::note::What;

/// The permit of a call. Dropped without a result, it is released.
pub(super) struct Permit<'n> {
    naive: &'n Naive,
    era: u64,
    is_settled: bool,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let Some(breaker) = &self.naive.breaker else { return };
        if self.is_settled {
            return;
        }
        breaker.lock().expect("whole").release(self.era);
        self.naive.note_if_watched(What::Release);
    }
}

impl Naive {
    /// Requests admission from the breaker.
    pub(super) fn admit(&self, life: &Life<'_>, began: Duration) -> Result<Permit<'_>, Rejected> {
        let Some(breaker) = &self.breaker else { return Ok(Permit { naive: self, era: 0, is_settled: true }) };
        let now = self.breaker_time(began);
        let admitted = breaker.lock().expect("whole").admit(now);
        self.note_if_watched(What::Admit(admitted.map(|admitted| admitted.transition)));
        match admitted {
            Ok(admitted) => {
                if admitted.transition.is_some() {
                    let event = self.event_of_breaker(EventName::CircuitHalfOpen, CircuitState::HalfOpen, life);
                    self.tell_observers(life, &event);
                }
                Ok(Permit { naive: self, era: admitted.era, is_settled: false })
            }
            Err((state, retry_in)) => {
                let retry_in = retry_in.map(|wait| wait.min(LONGEST_KEPT));
                let mut event = self.event_of_breaker(EventName::CircuitRejected, state, life);
                (event.stop_reason, event.retry_in) = (Some(StopReason::CircuitOpen), retry_in);
                self.tell_observers(life, &event);
                Err((state, retry_in))
            }
        }
    }

    pub(super) fn settle(&self, life: &mut Life<'_>, report: Report, now: Duration) {
        let mut permit = life.permit.take().expect("a call that ran was admitted");
        permit.is_settled = true;
        let Some(breaker) = &self.breaker else { return };
        let class = match report {
            Report::Failure(class) => Some(class),
            _ => None,
        };
        let now = self.breaker_time(now);
        let (transition, open_for, trip) = {
            let mut breaker = breaker.lock().expect("whole");
            (breaker.report(permit.era, class, now), breaker.open_for(now), breaker.trip())
        };
        self.note_if_watched(What::Report(report, transition));
        if let Some(transition) = transition {
            let mut event = self.event_of_breaker(transition.event(), transition.state(), life);
            (event.class, event.open_for) = (class, open_for);
            event.trip = trip.filter(|_| transition == Transition::Opened);
            self.tell_observers(life, &event);
        }
    }

    fn breaker_time(&self, shown: Duration) -> Duration {
        if self.stage.world.policy.breaker.as_ref().is_some_and(|spec| spec.own_clock) { self.now() } else { shown }
    }

    fn note_if_watched(&self, what: What) {
        if self.stage.world.policy.breaker.as_ref().is_some_and(|spec| spec.is_watched) {
            self.stage.note(what);
        }
    }
}
