//! The beginning of a call: what is known before anything needs to be remembered.
//!
//! Owns the quiet path: a call whose success concerns nobody but its caller keeps no other state than this. Whatever
//! else may happen is `run.rs`.

use std::time::Instant;

use super::flags::Flags;
use crate::breaker::BreakerChoice;
use crate::drive::attempt::Attempt;
use crate::outcome::circuit_open_error::CircuitOpenError;
use crate::policy::compiled::Plan;
use crate::policy::context::CallSettings;

/// A call that has not failed yet.
#[derive(Clone, Copy)]
pub(crate) struct Opening<'a> {
    pub(super) plan: &'a Plan,
    pub(super) call: Option<&'a CallSettings<'a>>,
    pub(super) flags: Flags,
    pub(super) started: Option<Instant>,
    /// Of the breaker that was found closed.
    pub(super) generation: u64,
}

impl<'a> Opening<'a> {
    /// The beginning of a call. `now` is asked only if the instant matters: for a deadline, an outcome or somebody who
    /// is told.
    #[inline]
    pub(crate) fn new(
        plan: &'a Plan,
        call: Option<&'a CallSettings<'a>>,
        wants: Flags,
        now: impl FnOnce() -> Instant,
    ) -> Self {
        let flags = plan.flags.with(wants).with(call.map_or(Flags::NONE, |call| call.flags));
        let started = if flags.start_matters() { Some(now()) } else { None };
        Self { plan, call, flags, started, generation: 0 }
    }

    /// Whether nobody has to be asked or told anything before the first attempt and after its success: then the attempt
    /// can be made, and its failure alone makes a [`Run`](super::Run) of this.
    #[inline]
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.flags.are_quiet() && self.plan.admits_quietly(&mut self.generation)
    }

    /// The rejection of a call that would be quiet but for its breaker, which is open: nobody else has to hear of it.
    #[inline]
    pub(crate) fn rejects_quietly(&self, now: impl FnOnce() -> Instant) -> Option<CircuitOpenError> {
        match &self.plan.breaker {
            Some(BreakerChoice::Circuit(breaker)) if self.flags.are_quiet() => {
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
