//! `Permit`, the guard of an admission: reported once, or released when dropped.

use std::mem;
use std::time::Instant;

use super::cell::{CircuitBreaker, End};
use super::interface::{Admission, Report, Seen};
use super::state::Transition;
use crate::classify::class::ErrorClass;
use crate::policy::hooks::contained;

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
    /// The tick of the admission, if the end of the call has to be told.
    began: u64,
}

impl<'b> Permit<'b> {
    #[inline]
    pub(super) const fn new(breaker: &'b CircuitBreaker, admission: Admission, began: u64) -> Self {
        Self { breaker, admission, began }
    }

    /// The change of state that the admission caused: [`HalfOpened`](Transition::HalfOpened) for
    /// the first probe.
    #[must_use]
    pub const fn transition(&self) -> Option<Transition> {
        self.admission.transition
    }

    /// Whether the breaker only [watches](super::Mode::Watching) and would have rejected the call.
    #[must_use]
    pub const fn is_unjudged(&self) -> bool {
        self.admission.is_unjudged()
    }

    /// Reports a success now, on the breaker's clock. Returns the change of state that it caused:
    /// [`Closed`](Transition::Closed) for a probe.
    #[inline]
    #[expect(clippy::must_use_candidate, reason = "the transition is news for observers, not a result")]
    pub fn success(self) -> Option<Transition> {
        // Most successes of a closed circuit change nothing and need no clock reading.
        let transition = if CircuitBreaker::is_judged(self.admission.generation) { self.succeed() } else { None };
        mem::forget(self);
        transition
    }

    #[cold]
    #[inline(never)]
    fn succeed(&self) -> Option<Transition> {
        let needs_time = self.breaker.needs_end_time(self.admission.generation);
        let now = if needs_time { self.breaker.now_in_ticks() } else { self.began };
        self.end(End::of(Some(Report::Success)), now)
    }

    /// Reports a failure of this class now, on the breaker's clock. Returns the change of state
    /// that it caused.
    #[inline]
    #[expect(clippy::must_use_candidate, reason = "the transition is news for observers, not a result")]
    pub fn failure(self, class: ErrorClass) -> Option<Transition> {
        let now = self.breaker.now_in_ticks();
        let transition = self.end(End::of(Some(Report::Failure(class))), now);
        mem::forget(self);
        transition
    }

    /// Like [`failure`](Self::failure), at `now`.
    #[inline]
    #[expect(clippy::must_use_candidate, reason = "the transition is news for observers, not a result")]
    pub fn failure_at(self, class: ErrorClass, now: Instant) -> Option<Transition> {
        self.report_at(Seen::failure(class), now)
    }

    /// Reports a result with its hint, at `now`. How long the call took is known, so
    /// [`Seen::took`] may be left out.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use redress::breaker::{Seen, TripRule};
    /// use redress::{CircuitBreaker, ErrorClass};
    ///
    /// let breaker = CircuitBreaker::builder().open_on_retry_after(Duration::from_secs(1)).build()?;
    /// let seen = Seen::failure(ErrorClass::RateLimit).retry_after(Duration::from_secs(3));
    /// breaker.try_acquire()?.report_at(seen, Instant::now());
    /// assert_eq!(breaker.last_trip().map(|trip| trip.rule), Some(TripRule::Hint));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[expect(clippy::must_use_candidate, reason = "the transition is news for observers, not a result")]
    pub fn report_at(self, seen: Seen, now: Instant) -> Option<Transition> {
        let transition = self.end(End::seen(&seen), self.breaker.ticks(now));
        mem::forget(self);
        transition
    }

    /// Ends the call without a result, at `now`. Like dropping the permit, but without a reading of
    /// the breaker's clock. Returns the change of state that it caused:
    /// [`Opened`](Transition::Opened) if the call had run too long and trips the breaker.
    #[expect(clippy::must_use_candidate, reason = "the transition is news for observers, not a result")]
    pub fn release_at(self, now: Instant) -> Option<Transition> {
        let transition = self.end(End::of(None), self.breaker.ticks(now));
        mem::forget(self);
        transition
    }

    #[inline]
    fn end(&self, end: End, now: u64) -> Option<Transition> {
        let generation = self.admission.generation;
        let end = if CircuitBreaker::is_judged(generation) {
            let took = end.took.unwrap_or_else(|| now.saturating_sub(self.began));
            End { took: Some(took), began: Some(self.began), ..end }
        } else {
            end
        };
        self.breaker.end(generation, end, now)
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        if CircuitBreaker::is_judged(self.admission.generation) {
            self.release();
        }
    }
}

impl Permit<'_> {
    #[cold]
    #[inline(never)]
    fn release(&self) {
        // A custom clock may panic, and the permit may be dropped while its thread unwinds already.
        let times = self.breaker.times_calls();
        let now = if times { contained(|| self.breaker.now_in_ticks()) } else { None };
        self.end(End::of(None), now.unwrap_or(self.began));
    }
}
