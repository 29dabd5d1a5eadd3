//! Which cases of an enumeration a run tries: one in [`SHARE`], or all of them with `REDRESS_WHOLE`
//! set, as `cargo xtask prove drops` sets it.

use std::env;

/// The states of a breaker differ in a count or a generation, so an ordinary run tries each shape
/// of call in one or two of them. Coprime to the number of values of every part of a shape, so that
/// each value meets each state.
const SHARE: usize = 5;

/// Whether this run tries the case in this row and column.
pub(crate) fn is_tried(row: usize, column: usize) -> bool {
    env::var_os("REDRESS_WHOLE").is_some() || (row + column) % SHARE == 0
}
