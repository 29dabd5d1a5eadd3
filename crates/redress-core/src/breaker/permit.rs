//! `Permit`, the guard of an admission: reported once, or released when dropped.

use std::mem;
use std::time::Instant;

use super::cell::CircuitBreaker;
use super::interface::{Admission, Breaker, Report};
use super::state::Transition;
use crate::classify::class::ErrorClass;

/// The guard of an [`Admission`]: one call admitted by a [`CircuitBreaker`]. Report the call's
/// result. A permit that is dropped without a report, by an early return, a panic or a cancelled
/// future, releases its place.
///
/// For code that makes its calls without a policy.
///
/// ```
/// use std::fs;
/// use redress::{CircuitBreaker, ErrorClass};
/// use redress::breaker::CircuitState;
///
/// let breaker = CircuitBreaker::builder().failure_threshold(1).build()?;
/// let permit = breaker.try_acquire()?;
/// match fs::read("no/such/file") {
///     Ok(_) => permit.success(),
///     Err(_) => permit.failure(ErrorClass::ServerError),
/// };
/// assert_eq!(breaker.state(), CircuitState::Open);
/// assert!(breaker.try_acquire().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a permit dropped at once releases its place without a result"]
pub struct Permit<'b> {
    breaker: &'b CircuitBreaker,
    admission: Admission,
}

impl<'b> Permit<'b> {
    #[inline]
    pub(super) const fn new(breaker: &'b CircuitBreaker, admission: Admission) -> Self {
        Self { breaker, admission }
    }

    /// The change of state that the admission caused: [`HalfOpened`](Transition::HalfOpened) for
    /// the first probe.
    #[must_use]
    pub const fn transition(&self) -> Option<Transition> {
        self.admission.transition
    }

    /// Reports a success now, on the breaker's clock. Returns the change of state that it caused:
    /// [`Closed`](Transition::Closed) for a probe.
    #[inline]
    #[expect(clippy::must_use_candidate, reason = "the transition is news for observers, not a result")]
    pub fn success(self) -> Option<Transition> {
        // The success of a call that is no probe changes nothing and needs no clock reading.
        if CircuitBreaker::is_probe(self.admission.generation) {
            let transition = self.breaker.succeed_now(self.admission.generation);
            mem::forget(self);
            transition
        } else {
            mem::forget(self);
            None
        }
    }

    /// Reports a failure of this class now, on the breaker's clock. Returns the change of state
    /// that it caused.
    #[inline]
    #[expect(clippy::must_use_candidate, reason = "the transition is news for observers, not a result")]
    pub fn failure(self, class: ErrorClass) -> Option<Transition> {
        let transition = self.breaker.fail_now(self.admission.generation, class);
        mem::forget(self);
        transition
    }

    /// Like [`failure`](Self::failure), at `now`.
    #[inline]
    #[expect(clippy::must_use_candidate, reason = "the transition is news for observers, not a result")]
    pub fn failure_at(self, class: ErrorClass, now: Instant) -> Option<Transition> {
        let transition = self.breaker.report(self.admission, Report::Failure(class), now);
        mem::forget(self);
        transition
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.breaker.release(self.admission);
    }
}
