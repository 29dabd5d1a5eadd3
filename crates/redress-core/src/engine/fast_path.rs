//! The start of a call, and the fast path: a first attempt without hooks, observers or learning
//! strategies. A call whose first attempt succeeds on the fast path needs no other state.

use std::time::Instant;

use super::flags::Flags;
use crate::breaker::BreakerChoice;
use crate::drive::attempt::Attempt;
use crate::outcome::circuit_open_error::CircuitOpenError;
use crate::policy::compiled::Plan;
use crate::policy::settings::CallSettings;
use crate::stripes::Thread;

/// A call before its first attempt.
#[derive(Clone, Copy)]
pub(crate) struct FastPath<'a> {
    plan: &'a Plan,
    pub(crate) settings: Option<&'a CallSettings<'a>>,
    pub(super) flags: Flags,
    pub(super) started: Option<Instant>,
    /// The generation of the closed breaker.
    pub(super) generation: u64,
}

impl<'a> FastPath<'a> {
    /// The start of a call. Reads the clock only if the instant matters: for a deadline, an outcome
    /// or an observer.
    #[inline]
    pub(crate) fn new(
        plan: &'a Plan,
        settings: Option<&'a CallSettings<'a>>,
        wants: Flags,
        now: impl FnOnce() -> Instant,
    ) -> Self {
        let flags = Flags::of_call(plan, settings, wants);
        let started = if flags.start_matters() { Some(now()) } else { None };
        Self { plan, settings, flags, started, generation: 0 }
    }

    /// Whether the first attempt can take the fast path: no hooks, observers or learning
    /// strategies, nothing that counts a success, and a closed breaker.
    #[inline]
    pub(crate) fn is_fast(&mut self) -> bool {
        self.flags.are_fast() && self.plan.admits_fast(&mut self.generation)
    }

    /// Whether the call differs from a [fast](Self::is_fast) one only in that its success is
    /// counted.
    #[inline]
    pub(crate) fn is_counted(&mut self) -> bool {
        self.flags.are_counted() && self.plan.admits_counted(self.flags, &mut self.generation)
    }

    /// Counts the success of the first attempt of a call that [is counted](Self::is_counted).
    #[inline]
    pub(crate) fn count_success(&self) {
        let thread = Thread::current();
        self.plan.deposit(self.flags, thread);
        if self.flags.has(Flags::COUNTED) {
            self.plan.tell_success(self.generation, self.started, thread);
        }
    }

    /// The rejection of a call that its open breaker alone keeps from the fast path.
    #[inline]
    pub(crate) fn rejection(&self, now: impl FnOnce() -> Instant) -> Option<CircuitOpenError> {
        match &self.plan.breaker {
            // Asked of its phase first, because a closed one needs no instant.
            Some(BreakerChoice::Circuit(breaker)) if self.flags.are_plain() && breaker.admit_closed().is_none() => {
                breaker.reject_at(self.started.unwrap_or_else(now))
            }
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn first_attempt(&self) -> Attempt {
        self.plan.first_attempt()
    }
}
