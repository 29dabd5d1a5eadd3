//! An atomic whose every access the model checker tries before and after every other thread's.
//!
//! Owns nothing but that. Loom (0.7) looks for races with the *last* access to an object only, so a
//! thread that loads before it stores hides the loads of others before its store, and with them the
//! interleavings where they come in between. A read-modify-write of a companion before each access
//! is a last access that hides nothing, and being relaxed it orders nothing: the value read may
//! still be an old one.

use loom::sync::atomic::{self, Ordering};

#[derive(Debug)]
pub(crate) struct AtomicU64 {
    turn: atomic::AtomicU64,
    value: atomic::AtomicU64,
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

    fn take_turn(&self) {
        self.turn.fetch_add(0, Ordering::Relaxed);
    }
}
