//! A breaker that forwards to the real one and counts admissions.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use redress_core::CircuitBreaker;
use redress_core::breaker::{Admission, Breaker, CircuitState, Report, Transition};
use redress_core::error::CircuitOpenError;

/// The real breaker, counted.
#[derive(Debug)]
pub(super) struct Counted {
    breaker: CircuitBreaker,
    admitted: AtomicUsize,
    settled: AtomicUsize,
}

impl Counted {
    pub(super) const fn new(breaker: CircuitBreaker) -> Self {
        Self { breaker, admitted: AtomicUsize::new(0), settled: AtomicUsize::new(0) }
    }

    /// The number of admissions neither reported nor released. Panics if more have ended than
    /// begun.
    pub(super) fn outstanding(&self) -> usize {
        let (admitted, settled) = (self.admitted.load(Ordering::Relaxed), self.settled.load(Ordering::Relaxed));
        admitted.checked_sub(settled).expect("an admission is settled once")
    }
}

impl Breaker for Counted {
    fn admit(&self, now: Instant) -> Result<Admission, CircuitOpenError> {
        let admission = Breaker::admit(&self.breaker, now)?;
        self.admitted.fetch_add(1, Ordering::Relaxed);
        Ok(admission)
    }

    fn report(&self, admission: Admission, report: Report, now: Instant) -> Option<Transition> {
        self.settled.fetch_add(1, Ordering::Relaxed);
        Breaker::report(&self.breaker, admission, report, now)
    }

    fn release(&self, admission: Admission) {
        self.settled.fetch_add(1, Ordering::Relaxed);
        Breaker::release(&self.breaker, admission);
    }

    fn state(&self) -> CircuitState {
        self.breaker.state()
    }
}
