//! Counts heap allocations, with the allocator that `allocation-counter` puts in place of the
//! system's.
//!
//! Counting is off while time and instructions are measured, so that they do not include its cost;
//! some ten instructions an allocation remain.

use crate::case::Batch;

const CALLS: u32 = 1_000;

/// Counts the allocations in one call. Allocations made once for a batch, such as a clone's handle,
/// are subtracted.
pub(crate) fn per_call(batch: &Batch) -> f64 {
    // Allocations made once, on first use, are not part of a call.
    batch(u64::from(CALLS));
    let [few, many] =
        [CALLS, 2 * CALLS].map(|calls| allocation_counter::measure(|| batch(u64::from(calls))).count_total);
    many.saturating_sub(few) as f64 / f64::from(CALLS)
}

/// Runs `measure` with counting switched off on this thread.
pub(crate) fn uncounted<T>(measure: impl FnOnce() -> T) -> T {
    let mut measured = None;
    allocation_counter::opt_out(|| measured = Some(measure()));
    measured.expect("it ran")
}
