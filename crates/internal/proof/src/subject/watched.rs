//! The real breaker behind the trait, with an account of its permits.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redress_core::CircuitBreaker;
use redress_core::breaker::{Admission, Breaker, CircuitState, Report, Seen, Transition, Trip};
use redress_core::error::CircuitOpenError;

use crate::note::What;
use crate::stage::Stage;

/// One line of a breaker's account: what was asked, and the state before and after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) at: Duration,
    pub(crate) entry: Posting,
    pub(crate) before: CircuitState,
    pub(crate) after: CircuitState,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Posting {
    Admitted(Admission),
    Rejected,
    Reported(u64, Option<Transition>),
    Released(u64),
}

/// The real breaker behind the trait, with an account of its permits.
pub(super) struct WatchedBreaker {
    pub(super) stage: Arc<Stage>,
    pub(super) breaker: CircuitBreaker,
    pub(super) ledger: Arc<Mutex<Vec<Line>>>,
}

impl WatchedBreaker {
    fn post(&self, before: CircuitState, entry: Posting) {
        let (at, after) = (self.stage.clock.elapsed(), self.breaker.state());
        self.ledger.lock().expect("whole").push(Line { at, entry, before, after });
    }
}

impl Breaker for WatchedBreaker {
    fn admit(&self, now: Instant) -> Result<Admission, CircuitOpenError> {
        let before = self.breaker.state();
        let admitted = self.breaker.admit(now);
        if admitted.as_ref().is_ok_and(|admission| !admission.is_unjudged()) || admitted.is_err() {
            self.post(before, admitted.as_ref().map_or(Posting::Rejected, |admission| Posting::Admitted(*admission)));
        }
        let noted = admitted.as_ref().map(|admission| admission.transition);
        self.stage.note(What::Admit(noted.map_err(|rejection| (rejection.state(), rejection.retry_in()))));
        admitted
    }

    fn report(&self, admission: Admission, report: Report, now: Instant) -> Option<Transition> {
        let seen = match report {
            Report::Failure(class) => Seen::failure(class),
            _ => Seen::success(),
        };
        self.report_seen(admission, seen, now)
    }

    fn report_seen(&self, admission: Admission, seen: Seen, now: Instant) -> Option<Transition> {
        let before = self.breaker.state();
        let report = seen.class.map_or(Report::Success, Report::Failure);
        let transition = self.breaker.report_seen(admission, seen, now);
        self.post(before, Posting::Reported(admission.generation, transition));
        self.stage.note(What::Report(report, transition));
        transition
    }

    fn release(&self, admission: Admission) {
        let before = self.breaker.state();
        self.breaker.release(admission);
        self.post(before, Posting::Released(admission.generation));
        self.stage.note(What::Release);
    }

    fn release_after(&self, admission: Admission, took: Duration, now: Instant) -> Option<Transition> {
        let before = self.breaker.state();
        let transition = self.breaker.release_after(admission, took, now);
        self.post(before, Posting::Released(admission.generation));
        self.stage.note(What::Release);
        transition
    }

    fn admits_by(&self, at: Instant) -> bool {
        self.breaker.admits_by(at)
    }

    fn times_attempts(&self) -> bool {
        self.breaker.times_attempts()
    }

    fn state(&self) -> CircuitState {
        self.breaker.state()
    }

    fn last_trip(&self) -> Option<Trip> {
        self.breaker.last_trip()
    }

    fn open_for(&self, now: Instant) -> Option<Duration> {
        self.breaker.open_for(now)
    }
}
