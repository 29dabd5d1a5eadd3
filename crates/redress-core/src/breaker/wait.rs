//! How long a breaker stays in a phase before the next call changes it, with a clock that may jump.

use crate::sync::{AtomicU64, Ordering};

/// A wait that is readable without the lock. Its length may differ each time, up to the longest.
///
/// If a wait began more than the longest length after the present reading, then either it began at
/// a reading too far ahead, or the present reading is stale. It is over when its end is reached, or
/// when the clock has run for the longest length so far behind its start.
///
/// Each start brings its own longest length, so a wait that is under way stays as it began when the
/// breaker is reconfigured.
///
/// RACE: a reading without the lock may pair the end of one wait with the longest length of
/// another. That shortens the time left that a rejection tells, or sends the call to the lock.
#[derive(Default)]
pub(super) struct Wait {
    longest: AtomicU64,
    /// The tick at which it is over. Written under the breaker's lock, before the word of the phase
    /// that it belongs to.
    ends_at: AtomicU64,
}

impl Wait {
    /// Starts a wait of this length, which is also the longest.
    pub(super) fn start(&self, now: u64, length: u64) {
        self.start_for(now, length, length);
    }

    /// Starts a wait of this length, at most the longest.
    pub(super) fn start_for(&self, now: u64, length: u64, longest: u64) {
        self.longest.store(longest, Ordering::Relaxed);
        self.ends_at.store(now.saturating_add(length), Ordering::Relaxed);
    }

    /// The longest length of the present wait, in ticks.
    #[inline]
    pub(super) fn longest(&self) -> u64 {
        self.longest.load(Ordering::Relaxed)
    }

    /// The tick at which the latest of these waits is over; 0 if none began.
    pub(super) fn ends_at(&self) -> u64 {
        self.ends_at.load(Ordering::Relaxed)
    }

    /// The time left, if it is not over, and no more is left than the longest wait takes.
    #[inline]
    pub(super) fn running(&self, now: u64) -> Option<u64> {
        let left = self.ends_at.load(Ordering::Relaxed).checked_sub(now)?;
        (left.wrapping_sub(1) < self.longest()).then_some(left)
    }

    /// The time left, unless the start of the wait is in doubt. At a reading before the start it is
    /// at most the longest wait.
    pub(super) fn left(&self, now: u64) -> Option<u64> {
        let longest = self.longest();
        let left = self.ends_at.load(Ordering::Relaxed).saturating_sub(now);
        let began_in = left.saturating_sub(longest);
        (began_in <= longest).then_some(left - began_in)
    }

    /// The time left, even if the start is in doubt. `since` is the first reading that put it in
    /// doubt, updated here. Called under the breaker's lock.
    pub(super) fn weigh(&self, now: u64, since: &mut Option<u64>) -> u64 {
        if let Some(left) = self.left(now) {
            return left;
        }
        let longest = self.longest();
        // A reading far behind `since` puts that one in doubt as well, so the doubt begins again.
        let began = since.filter(|since| since.saturating_sub(now) <= longest).unwrap_or(now);
        *since = Some(began);
        longest.saturating_sub(now.saturating_sub(began))
    }
}
