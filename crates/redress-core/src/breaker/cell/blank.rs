//! Whether a breaker may be dropped without losing anything: no handle of it is out, and a new
//! breaker would act like it.

use std::sync::atomic::fence;
use std::time::Instant;

use super::{CircuitBreaker, Guarded};
use crate::breaker::mode::Mode;
use crate::breaker::settings::Settings;
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
    /// result and its next opening begins a row, or what opened it is out of date.
    ///
    /// **Invariant C9**: only such a breaker is evicted from keyed breakers.
    pub(crate) fn is_blank(&self, now: Instant) -> bool {
        let now = self.cell.base.epoch.ticks(now);
        let mut guarded = self.cell.guarded.lock();
        let word = self.word();
        match word.phase() {
            _ if word.mode() != Mode::Enforcing => false,
            Phase::Closed => {
                let Guarded { settings, windows, history } = &mut *guarded;
                let openings = history.as_ref().map(|history| &history.openings);
                let begins_a_row = openings.is_none_or(|openings| settings.open_waits.starts_over(openings, now));
                let counts_nothing = windows.as_mut().is_none_or(|windows| windows.are_empty(now));
                counts_nothing && self.cell.counters.are_empty(settings, now) && begins_a_row
            }
            Phase::Open | Phase::Trial | Phase::Ramp => self.has_lapsed(&guarded.settings, now),
        }
    }

    /// Whether a circuit that is not closed has been left alone for a whole window after its last
    /// wait. Transitions need a call, so a circuit that is not called would stay open for ever.
    fn has_lapsed(&self, settings: &Settings, now: u64) -> bool {
        let away = self.away();
        let waits = [&self.cell.recovery, &away.lease, &away.ramp];
        let last_wait = waits.into_iter().map(Wait::ends_at).fold(0, u64::max);
        now >= last_wait.saturating_add(nanos(settings.window()))
    }
}
