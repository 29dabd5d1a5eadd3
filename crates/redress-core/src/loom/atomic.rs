//! An atomic for models: the checker explores each access before and after those of every other
//! thread.
//!
//! Loom (0.7) looks for races with the *last* access to an object only. A thread that loads before
//! it stores hides the loads of other threads before its store, and with them the interleavings in
//! between. A read-modify-write of a companion before each access is a last access that hides
//! nothing. It is relaxed and orders nothing, so the value read may still be stale.

use loom::sync::atomic::{self, Ordering};

#[derive(Debug)]
pub(crate) struct AtomicU64 {
    turn: atomic::AtomicU64,
    value: atomic::AtomicU64,
}

impl Default for AtomicU64 {
    fn default() -> Self {
        Self::new(0)
    }
}

impl AtomicU64 {
    pub(crate) fn new(value: u64) -> Self {
        Self { turn: atomic::AtomicU64::new(0), value: atomic::AtomicU64::new(value) }
    }

    pub(crate) fn load(&self, order: Ordering) -> u64 {
        self.take_turn();
        self.value.load(order)
    }

    pub(crate) fn store(&self, value: u64, order: Ordering) {
        self.take_turn();
        self.value.store(value, order);
    }

    pub(crate) fn fetch_add(&self, value: u64, order: Ordering) -> u64 {
        self.value.fetch_add(value, order)
    }

    pub(crate) fn compare_exchange_weak(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        self.value.compare_exchange_weak(current, new, success, failure)
    }

    fn take_turn(&self) {
        self.turn.fetch_add(0, Ordering::Relaxed);
    }
}
