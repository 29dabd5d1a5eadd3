//! Heap allocations, counted by the allocator that `allocation-counter` puts in place of the
//! system's.
//!
//! Owns the counting. It is switched off while time and instructions are measured, so that who
//! allocates does not pay for it there; some ten instructions an allocation remain.

use crate::case::Batch;

const CALLS: u32 = 1_000;

/// Allocations in one call. What a batch allocates once, such as a clone's handle, is subtracted.
pub(crate) fn per_call(batch: &Batch) -> f64 {
    // What is allocated once, on first use, is not part of a call.
    batch(u64::from(CALLS));
    let [few, many] =
        [CALLS, 2 * CALLS].map(|calls| allocation_counter::measure(|| batch(u64::from(calls))).count_total);
    many.saturating_sub(few) as f64 / f64::from(CALLS)
}

/// Runs `measure` with the counting off on this thread.
pub(crate) fn uncounted<T>(measure: impl FnOnce() -> T) -> T {
    let mut measured = None;
    allocation_counter::opt_out(|| measured = Some(measure()));
    measured.expect("it ran")
}
