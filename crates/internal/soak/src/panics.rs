//! Intended panics: the payloads that operations, hooks, classifiers and strategies throw, and the
//! panic hook that silences them.
//!
//! The hook prints and counts any other panic: it is a breach.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};

/// The payload of an intended panic. Zero-sized, so that it costs no memory where it is never
/// dropped.
struct OnPurpose;

/// A payload whose destructor panics as well: code that contains a hook's panic must contain that,
/// too.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        // Resumed, not thrown: a new panic would run the hook, which has counted this one.
        panic::resume_unwind(Box::new(OnPurpose));
    }
}

// The panic hook is global, so its counts are, too.
static THROWN: AtomicU64 = AtomicU64::new(0);
static SEEN: AtomicU64 = AtomicU64::new(0);
static UNEXPECTED: AtomicU64 = AtomicU64::new(0);

/// Installs a panic hook that does not print intended panics.
pub(crate) fn silence() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let payload = info.payload();
        if payload.is::<OnPurpose>() || payload.is::<Bomb>() {
            SEEN.fetch_add(1, Ordering::Relaxed);
        } else {
            UNEXPECTED.fetch_add(1, Ordering::Relaxed);
            print(info);
        }
    }));
}

/// Panics.
pub(crate) fn throw() -> ! {
    THROWN.fetch_add(1, Ordering::Relaxed);
    panic::panic_any(OnPurpose)
}

/// Panics with a payload that panics when dropped. For hooks only: other code that catches it would
/// not expect that.
pub(crate) fn throw_bomb() -> ! {
    THROWN.fetch_add(1, Ordering::Relaxed);
    panic::panic_any(Bomb)
}

/// Runs a function that may panic on purpose. The panic hook counts any other panic.
pub(crate) fn caught<R>(what: impl FnOnce() -> R) -> Option<R> {
    panic::catch_unwind(AssertUnwindSafe(what)).ok()
}

/// The number of intended panics thrown.
pub(crate) fn thrown() -> u64 {
    THROWN.load(Ordering::Relaxed)
}

/// The number of them that reached the panic hook.
pub(crate) fn seen() -> u64 {
    SEEN.load(Ordering::Relaxed)
}

/// The number of other panics.
pub(crate) fn unexpected() -> u64 {
    UNEXPECTED.load(Ordering::Relaxed)
}
