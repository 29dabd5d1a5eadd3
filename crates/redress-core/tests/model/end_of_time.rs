//! The range of the time of breakers and budgets: what 64 bits of nanoseconds hold before and after
//! the first instant.

use std::time::Duration;

/// The room before a cell's first instant. A first instant whole ones of these from now counts as
/// so much earlier.
const BEFORE: Duration = Duration::from_nanos(1 << 62);
/// The room after it.
const AFTER: Duration = Duration::from_nanos(u64::MAX - (1 << 62));

/// The last instant that a cell tells from later ones, when this was the first one it was shown.
pub(crate) fn end_of_time(mut first: Duration) -> Duration {
    while first >= BEFORE {
        first -= BEFORE;
    }
    first + AFTER
}
