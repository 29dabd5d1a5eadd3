//! Admission by the breaker, and the end of what it admitted.

use std::time::Duration;

use redress_core::breaker::{CircuitState, Report, Transition};
use redress_core::{EventName, StopReason};

use super::{LONGEST_KEPT, Life, Naive};
use crate::breaker::{Ended, Rejected, UNJUDGED};
use crate::note::What;
use crate::world::BreakerSpec;

/// The permit of a call, or of an attempt.
pub(super) struct Permit {
    era: u64,
    /// Whether the circuit was closed: then a success is counted apart.
    was_closed: bool,
}

/// What is known of an attempt's end besides its result.
#[derive(Clone, Copy, Default)]
pub(super) struct Heard {
    pub(super) hint: Option<Duration>,
    /// How long the attempt took, if the breaker is told.
    pub(super) took: Option<Duration>,
}

impl Naive {
    /// Whether the breaker wants to know how long attempts take.
    pub(super) fn times_attempts(&self) -> bool {
        self.stage.world.policy.breaker.as_ref().is_some_and(BreakerSpec::times_attempts)
    }

    /// Requests admission from the breaker.
    pub(super) fn admit(&self, life: &Life<'_>, began: Duration) -> Result<Option<Permit>, Rejected> {
        let Some(breaker) = &self.breaker else { return Ok(None) };
        let now = self.breaker_time(began);
        let (was_closed, admitted, open_for, state) = {
            let mut breaker = breaker.lock().expect("whole");
            let was_closed = breaker.is_closed();
            (was_closed, breaker.admit(now), breaker.open_for(now), breaker.state())
        };
        self.note_if_watched(What::Admit(admitted.map(|admitted| admitted.transition)));
        let admitted = admitted.map_err(|(state, retry_in)| (state, retry_in.map(|wait| wait.min(LONGEST_KEPT))))?;
        if admitted.era == UNJUDGED {
            let mut event = self.event_of_breaker(EventName::CircuitWouldReject, state, life);
            event.retry_in = open_for;
            self.tell_observers(life, &event);
            return Ok(None);
        }
        self.tell_transition(life, admitted.transition, None, now);
        Ok(Some(Permit { era: admitted.era, was_closed }))
    }

    /// The event of a call that the breaker rejected before its first attempt.
    pub(super) fn tell_rejected(&self, life: &Life<'_>, (state, retry_in): Rejected) {
        let mut event = self.event_of_breaker(EventName::CircuitRejected, state, life);
        (event.stop_reason, event.retry_in) = (Some(StopReason::CircuitOpen), retry_in);
        self.tell_observers(life, &event);
    }

    /// Reports a result. A permit that has been reported is gone.
    pub(super) fn settle(&self, life: &mut Life<'_>, report: Report, heard: Heard, now: Duration) {
        let (Some(permit), Some(breaker)) = (life.permit.take(), &self.breaker) else { return };
        let now = self.breaker_time(now);
        let began = heard.took.map(|took| now.saturating_sub(took));
        let ended = Ended { report: Some(report), hint: heard.hint, took: heard.took, began };
        let transition = breaker.lock().expect("whole").end(permit.era, &ended, now);
        self.note_if_watched(What::Report(report, transition));
        self.tell_transition(life, transition, Some(report), now);
    }

    /// Counts the success of a call of a closed circuit, which the breaker is not told otherwise
    /// if it is the library's and does not time attempts. `began` is the start of the call, or of
    /// the attempt if that is judged.
    pub(super) fn count_success(&self, life: &mut Life<'_>, began: Duration) {
        let (Some(breaker), Some(spec)) = (&self.breaker, &self.stage.world.policy.breaker) else { return };
        let is_counted = !spec.is_watched && !spec.times_attempts();
        let Some(permit) = life.permit.take_if(|permit| permit.was_closed && is_counted) else { return };
        // A breaker with a separate clock does not know when the call began.
        let at = self.breaker_time(began);
        let ended = Ended { report: Some(Report::Success), began: Some(at), ..Ended::default() };
        let _ = breaker.lock().expect("whole").end(permit.era, &ended, at);
    }

    /// Releases what the call holds, without a result.
    pub(super) fn release(&self, life: &mut Life<'_>, took: Option<Duration>, now: Duration) {
        let (Some(permit), Some(breaker)) = (life.permit.take(), &self.breaker) else { return };
        let now = self.breaker_time(now);
        let transition = breaker.lock().expect("whole").end(permit.era, &Ended { took, ..Ended::default() }, now);
        self.note_if_watched(What::Release);
        self.tell_transition(life, transition, None, now);
    }

    fn tell_transition(&self, life: &Life<'_>, transition: Option<Transition>, report: Option<Report>, now: Duration) {
        let (Some(transition), Some(breaker)) = (transition, &self.breaker) else { return };
        let mut event = self.event_of_breaker(transition.event(), transition.state(), life);
        if let Some(Report::Failure(class)) = report {
            event.class = Some(class);
        }
        if transition == Transition::Opened {
            let breaker = breaker.lock().expect("whole");
            (event.open_for, event.trip) = (breaker.open_for(now), breaker.trip());
        }
        self.tell_observers(life, &event);
    }

    /// How the present attempt is judged: as a whole call, or alone.
    pub(super) fn judges_attempts(&self) -> bool {
        self.stage.world.policy.breaker.as_ref().is_some_and(BreakerSpec::judges_attempts)
    }

    /// How long an attempt took that began then, if the breaker is told. The start is kept like a
    /// wait.
    pub(super) fn took(&self, life: &Life<'_>, began: Duration, now: Duration) -> Option<Duration> {
        let spec = self.stage.world.policy.breaker.as_ref()?;
        let kept = (began - life.began).min(LONGEST_KEPT);
        (spec.times_attempts() || spec.judges_attempts()).then(|| now - life.began - kept)
    }

    /// Whether the breaker may admit an attempt after this wait; if not, how long it stays open.
    pub(super) fn admits_after(&self, wait: Duration, now: Duration) -> Result<(), Option<Duration>> {
        let Some(breaker) = self.breaker.as_ref().filter(|_| self.judges_attempts()) else { return Ok(()) };
        let breaker = breaker.lock().expect("whole");
        let has_own_clock = self.stage.world.policy.breaker.as_ref().is_some_and(|spec| spec.own_clock);
        if breaker.admits_by((!has_own_clock).then(|| now.saturating_add(wait))) {
            return Ok(());
        }
        Err(breaker.open_for(self.breaker_time(now)).map(|wait| wait.min(LONGEST_KEPT)))
    }

    pub(super) fn state_of_breaker(&self) -> Option<CircuitState> {
        self.breaker.as_ref().map(|breaker| breaker.lock().expect("whole").state())
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
