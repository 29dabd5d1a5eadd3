//! Shares and factors in whole millionths.

/// One in millionths.
pub(super) const WHOLE: u128 = 1_000_000;

/// A number in millionths, rounded.
pub(super) fn millionths(number: f64) -> u128 {
    (number * WHOLE as f64).round() as u128
}

/// Whether `part` is at least this share of `all`.
pub(super) fn is_reached(share: u128, part: u64, all: u64) -> bool {
    u128::from(part) * WHOLE >= share * u128::from(all)
}
