//! Panics on purpose: thrown by operations, hooks, classifiers and strategies, and silenced where
//! they are printed.
//!
//! Owns the payloads and the panic hook. Any other panic is printed and counted: it is a breach.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};

/// The payload of a panic on purpose. Without a size, so that it costs no memory where it is never
/// dropped.
struct OnPurpose;

/// A payload whose destructor panics as well: what contains a hook's panic has to contain that too.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        // Not a new panic: that would go through the hook, which has seen this one.
        panic::resume_unwind(Box::new(OnPurpose));
    }
}

// The panic hook belongs to the process, and so do its figures.
static THROWN: AtomicU64 = AtomicU64::new(0);
static SEEN: AtomicU64 = AtomicU64::new(0);
static UNEXPECTED: AtomicU64 = AtomicU64::new(0);

/// Puts the hook in place that keeps quiet about panics on purpose.
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

/// Panics with a payload that panics. For hooks only: whoever else catches it has to expect that.
pub(crate) fn throw_bomb() -> ! {
    THROWN.fetch_add(1, Ordering::Relaxed);
    panic::panic_any(Bomb)
}

/// Runs what may panic on purpose. Whether it was on purpose, the hook has seen.
pub(crate) fn caught<R>(what: impl FnOnce() -> R) -> Option<R> {
    panic::catch_unwind(AssertUnwindSafe(what)).ok()
}

/// How many panics were thrown on purpose.
pub(crate) fn thrown() -> u64 {
    THROWN.load(Ordering::Relaxed)
}

/// How many of them came to the panic hook.
pub(crate) fn seen() -> u64 {
    SEEN.load(Ordering::Relaxed)
}

/// How many other panics there were.
pub(crate) fn unexpected() -> u64 {
    UNEXPECTED.load(Ordering::Relaxed)
}
