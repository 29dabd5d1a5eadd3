//! Whether a breaker may be dropped without losing anything: no handle of it is out, and a new
//! breaker would act like it.

use std::sync::atomic::fence;
use std::time::Instant;

use super::CircuitBreaker;
use crate::breaker::mode::Mode;
use crate::breaker::state::Phase;
use crate::breaker::wait::Wait;
use crate::drive::clock::nanos;
use crate::sync::{Arc, Ordering};

impl CircuitBreaker {
    /// Whether there are more handles than these. Without another handle no permit is out, because
    /// a permit borrows a handle, and a call holds one.
    pub(crate) fn is_held_beyond(&self, known: usize) -> bool {
        let handles = Arc::strong_count(&self.cell);
        // Pairs with the Release of a handle's drop: the reports made through a handle that is gone
        // are visible from here on.
        fence(Ordering::Acquire);
        handles > known
    }

    /// Whether a new breaker would act like this one at `now`: it decides, is closed, counts no
    /// result and its next opening begins a row, or what opened it is out of date. **Invariant
    /// C9**: only such a breaker is evicted from keyed breakers.
    pub(crate) fn is_blank(&self, now: Instant) -> bool {
        let now = self.cell.epoch.ticks(now);
        let mut guarded = self.cell.guarded.lock();
        let word = self.word();
        match word.phase() {
            _ if word.mode() != Mode::Enforcing => false,
            Phase::Closed => {
                let begins_a_row = self.cell.open_waits.starts_over(&guarded.openings, now);
                guarded.windows.are_empty(now) && self.cell.rules.are_empty(now) && begins_a_row
            }
            Phase::Open | Phase::Trial | Phase::Ramp => self.has_lapsed(now),
        }
    }

    /// Whether a circuit that is not closed has been left alone for a whole window after its last
    /// wait. Transitions need a call, so a circuit that is not called would stay open for ever.
    fn has_lapsed(&self, now: u64) -> bool {
        let waits = &self.cell.waits;
        let rare = [&waits.lease, &waits.ramp].map(|wait| wait.as_ref().map_or(0, Wait::ends_at));
        let last_wait = rare.into_iter().fold(waits.recovery.ends_at(), u64::max);
        now >= last_wait.saturating_add(nanos(self.cell.spec.window()))
    }
}
