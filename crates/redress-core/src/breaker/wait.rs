//! How long a breaker stays in a phase before the next call is let through as the probe.
//!
//! Owns the arithmetic, and what becomes of a wait that began at a reading too far ahead. Does not
//! know what is waited for.

use crate::sync::{AtomicU64, Ordering};

/// A wait of always the same length, which may be read without a lock.
///
/// A wait that began more than its length later than the present reading began at a reading that
/// was too far ahead, or the present one is old. It is over when its end comes, or when the clock
/// has run for a whole wait so far behind it.
pub(super) struct Wait {
    length: u64,
    /// The tick at which it is over. Written under the breaker's lock, before the word that makes
    /// it count.
    ends_at: AtomicU64,
}

impl Wait {
    pub(super) fn new(length: u64) -> Self {
        Self { length, ends_at: AtomicU64::new(0) }
    }

    pub(super) fn start(&self, now: u64) {
        self.ends_at.store(now.saturating_add(self.length), Ordering::Relaxed);
    }

    /// How long it still lasts, if it began at or before this reading and is not over.
    #[inline]
    pub(super) fn running(&self, now: u64) -> Option<u64> {
        let left = self.ends_at.load(Ordering::Relaxed).wrapping_sub(now);
        // One comparison for both ends. After its end `left` wraps around, to more than `length`:
        // the end is no earlier than that.
        (left.wrapping_sub(1) < self.length).then_some(left)
    }

    /// How long it still lasts, if that needs no second thought: all of it at a reading before it
    /// began.
    pub(super) fn left(&self, now: u64) -> Option<u64> {
        let left = self.ends_at.load(Ordering::Relaxed).saturating_sub(now);
        let began_in = left.saturating_sub(self.length);
        (began_in <= self.length).then_some(left - began_in)
    }

    /// How long it still lasts, its beginning being in doubt `since` a reading or not at all. Under
    /// the breaker's lock.
    pub(super) fn weigh(&self, now: u64, since: &mut Option<u64>) -> u64 {
        if let Some(left) = self.left(now) {
            return left;
        }
        // A reading far behind the first doubtful one puts that one in doubt as well.
        let began = since.filter(|since| since.saturating_sub(now) <= self.length).unwrap_or(now);
        *since = Some(began);
        self.length.saturating_sub(now.saturating_sub(began))
    }
}
