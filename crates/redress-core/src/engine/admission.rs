//! A call and its breaker: the permit is acquired once, and reported or released once. If the
//! policy judges attempts, each attempt does this.

use std::time::{Duration, Instant};

use super::flags::Flags;
use super::run::Run;
use super::state::{RunState, Wait};
use crate::breaker::{Admission, BreakerChoice, CircuitBreaker, CircuitState, Seen};
use crate::classify::class::ErrorClass;
use crate::outcome::circuit_open_error::CircuitOpenError;
use crate::outcome::stop_reason::StopReason;
use crate::policy::compiled::Plan;
use crate::policy::hooks::contained;
use crate::stripes::Thread;

/// What the breaker is told about a failure besides its class.
#[derive(Clone, Copy, Default)]
pub(super) struct Heard {
    /// The wait that the dependency asked for.
    pub(super) hint: Option<Duration>,
    /// How long the attempt took, if the breaker wants to know.
    pub(super) took: Option<Duration>,
}

impl Heard {
    pub(super) const fn seen(self, class: ErrorClass) -> Seen {
        let Self { hint, took } = self;
        let mut seen = Seen::failure(class);
        seen.hint = hint;
        seen.took = took;
        seen
    }
}

impl Run<'_> {
    /// Acquires a permit from the breaker. Returns `false`, and ends the call, if the breaker
    /// rejects it.
    pub(super) fn admit(&mut self, now: Instant) -> bool {
        match self.ask_breaker(now) {
            Ok(()) => true,
            Err(rejection) => {
                self.state.observers.set_timeline(None);
                self.state.stop_reason = Some(StopReason::CircuitOpen);
                self.keep_rejection(&rejection);
                self.tell_rejection(rejection.state(), rejection.retry_in());
                false
            }
        }
    }

    /// Acquires a permit for a further attempt. Returns `false`, and ends the call, if the breaker
    /// rejects it.
    pub(super) fn admit_again(&mut self, now: Instant) -> bool {
        match self.ask_breaker(now) {
            Ok(()) => true,
            Err(rejection) => {
                self.keep_rejection(&rejection);
                self.end(StopReason::CircuitOpen, None, now);
                false
            }
        }
    }

    fn ask_breaker(&mut self, now: Instant) -> Result<(), CircuitOpenError> {
        let Some(breaker) = &self.plan.breaker else { return Ok(()) };
        let admission = breaker.as_dyn().admit(now)?;
        self.state.generation = admission.generation;
        let has_to_end = match breaker {
            BreakerChoice::Other(_) => !admission.is_unjudged(),
            BreakerChoice::Circuit(_) if self.state.flags.has(Flags::TIMED) => {
                CircuitBreaker::is_judged(admission.generation)
            }
            BreakerChoice::Circuit(_) if self.state.flags.lack(admission.generation) => {
                self.tell_more(admission.generation, now)
            }
            BreakerChoice::Circuit(_) => CircuitBreaker::is_probe(admission.generation),
        };
        if has_to_end {
            self.state.flags = self.state.flags.with(Flags::HOLDS_PERMIT);
        }
        if admission.is_unjudged() {
            self.tell_would_reject(now);
        }
        self.tell_transition(admission.transition, None, now);
        Ok(())
    }

    /// The breaker was reconfigured since the policy was built, and wants to know more of the call
    /// than the policy's flags say. Its end is then reported, and the attempt timed, if that
    /// matters. Returns whether the call has to end with the breaker.
    #[cold]
    #[inline(never)]
    fn tell_more(&mut self, generation: u64, now: Instant) -> bool {
        if CircuitBreaker::wants(generation).time {
            self.state.started.get_or_insert(now);
            self.state.flags = self.state.flags.with(Flags::TIMED);
        }
        CircuitBreaker::is_judged(generation)
    }

    fn keep_rejection(&mut self, rejection: &CircuitOpenError) {
        self.state.wait = Wait::from(rejection.retry_in());
        if rejection.state() == CircuitState::HalfOpen {
            self.state.flags = self.state.flags.with(Flags::REJECTED_HALF_OPEN);
        }
        if rejection.is_forced() {
            self.state.flags = self.state.flags.with(Flags::REJECTED_BY_FORCE);
        }
    }

    pub(super) fn report(&mut self, seen: Seen, now: Instant) {
        let Some(breaker) = &self.plan.breaker else { return };
        let admission = self.admission();
        if admission.is_unjudged() {
            return;
        }
        let transition = breaker.as_dyn().report_seen(admission, seen, now);
        // ORDER: a custom clock or breaker may panic in `report`. The flag is still set then, so
        // the permit is released.
        self.state.flags = self.state.flags.without(Flags::HOLDS_PERMIT);
        self.tell_transition(transition, seen.class, now);
    }

    /// Records the start of an attempt, if the breaker wants to know how long attempts take.
    #[inline]
    pub(super) fn begin_attempt(&mut self, now: Instant) {
        if self.state.flags.has(Flags::TIMES_ATTEMPTS) {
            self.state.wait = Wait::of(self.since_start(now));
            self.state.flags = self.state.flags.with(Flags::ATTEMPT_RUNS);
        }
    }

    /// How long the running attempt took, which is over.
    #[inline]
    pub(super) fn end_attempt(&mut self, now: Instant) -> Option<Duration> {
        let began = self.state.attempt_began()?;
        self.state.wait = Wait::NONE;
        self.state.flags = self.state.flags.without(Flags::ATTEMPT_RUNS);
        Some(self.since_start(now).saturating_sub(began))
    }

    /// Releases the permit of a call that an abort cut after its attempt has run for a while: like
    /// a drop, the breaker judges it by that time.
    pub(super) fn release_aborted(&mut self, heard: Heard, now: Instant) {
        if let (true, Some(took)) = (self.is_aborted(), heard.took) {
            self.release_judged(took, now);
        }
    }

    /// Releases what the call still holds: the permit, without a result, and the price of an
    /// attempt that has not started. `now` is needed only while an attempt is running.
    #[cold]
    pub(crate) fn release(&mut self, now: Option<Instant>) {
        self.give_back_held();
        let took = now.and_then(|now| Some((self.end_attempt(now)?, now)));
        match took {
            Some((took, now)) => self.release_judged(took, now),
            None => self.release_unjudged(),
        }
    }

    fn release_unjudged(&mut self) {
        if let (true, Some(breaker)) = (self.state.flags.has(Flags::HOLDS_PERMIT), &self.plan.breaker) {
            // The call may be unwinding, and a second panic that leaves a destructor would abort
            // the process.
            contained(|| breaker.as_dyn().release(self.admission()));
        }
        self.state.flags = self.state.flags.without(Flags::HOLDS_PERMIT);
    }

    fn release_judged(&mut self, took: Duration, now: Instant) {
        if !self.state.flags.has(Flags::TIMED) {
            return self.release_unjudged();
        }
        if let (true, Some(breaker)) = (self.state.flags.has(Flags::HOLDS_PERMIT), &self.plan.breaker) {
            let made = contained(|| breaker.as_dyn().release_after(self.admission(), took, now)).flatten();
            self.tell_transition(made, None, now);
        }
        self.state.flags = self.state.flags.without(Flags::HOLDS_PERMIT);
    }

    const fn admission(&self) -> Admission {
        Admission { generation: self.state.generation, transition: None }
    }
}

impl RunState {
    /// Counts the success of the call with the budget and the breaker. The success of a probe is
    /// reported to the breaker instead.
    ///
    /// Takes no more than two words, because each kind of asynchronous call has a copy of the call
    /// of it.
    #[inline(never)]
    pub(crate) fn count_success(&self, plan: &Plan) {
        // A call that only pays a budget saves no registers.
        if self.flags.has(Flags::COUNTED) {
            self.tell_success(plan);
        } else {
            plan.deposit(self.flags, Thread::current());
        }
    }

    #[inline(never)]
    fn tell_success(&self, plan: &Plan) {
        let thread = Thread::current();
        plan.deposit(self.flags, thread);
        if !self.flags.has(Flags::HOLDS_PERMIT) {
            plan.tell_success(self.generation, self.began(), thread);
        }
    }

    /// When what the breaker judges began: the running attempt, or else the call.
    #[inline]
    fn began(&self) -> Option<Instant> {
        if self.flags.has(Flags::JUDGES_ATTEMPTS) { self.judged_attempt_began() } else { self.started }
    }

    #[cold]
    fn judged_attempt_began(&self) -> Option<Instant> {
        self.started?.checked_add(self.attempt_began().unwrap_or_default())
    }

    fn attempt_began(&self) -> Option<Duration> {
        if self.flags.has(Flags::ATTEMPT_RUNS) { self.wait.get() } else { None }
    }
}
