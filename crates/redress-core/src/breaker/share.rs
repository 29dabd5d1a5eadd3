//! Shares in whole numbers, so that a comparison is exact and the same on every machine.

/// A share of a whole in millionths, between 0 and 1,000,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Share(u64);

const WHOLE: u64 = 1_000_000;

impl Share {
    /// The share rounded to millionths. Validation has refused what is not between 0 and 1.
    pub(super) fn of(share: f64) -> Self {
        Self(millionths(share).min(WHOLE))
    }

    /// The share that has grown evenly towards 1 for `elapsed` of `length`.
    pub(super) fn grown(self, elapsed: u64, length: u64) -> Self {
        let rest = u128::from(WHOLE - self.0) * u128::from(elapsed.min(length)) / u128::from(length.max(1));
        Self(self.0 + u64::try_from(rest).unwrap_or(WHOLE).min(WHOLE - self.0))
    }

    /// Whether `part` is at most this share of `all`.
    pub(super) fn covers(self, part: u64, all: u64) -> bool {
        u128::from(part) * u128::from(WHOLE) <= u128::from(self.0) * u128::from(all)
    }

    /// The least part that can be this share of `least_all` or more.
    pub(super) fn least(self, least_all: u64) -> u64 {
        let part = (u128::from(self.0) * u128::from(least_all)).div_ceil(u128::from(WHOLE));
        u64::try_from(part).unwrap_or(u64::MAX)
    }

    /// Whether `part` is at least this share of `all`.
    pub(super) fn is_reached(self, part: u64, all: u64) -> bool {
        u128::from(part) * u128::from(WHOLE) >= u128::from(self.0) * u128::from(all)
    }
}

/// A positive number in millionths, rounded. Saturates.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts of floats saturate")]
pub(super) fn millionths(number: f64) -> u64 {
    (number * WHOLE as f64).round() as u64
}

/// `value` times a factor in millionths, rounded down. Saturates.
pub(super) fn times(value: u64, factor: u64) -> u64 {
    let product = u128::from(value) * u128::from(factor) / u128::from(WHOLE);
    u64::try_from(product).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Share, millionths, times};

    #[test]
    fn a_share_is_compared_exactly() {
        let third = Share::of(1.0 / 3.0);
        assert!(third.is_reached(1, 3) && !third.is_reached(333_332, 1_000_000) && third.covers(1, 4));
        let half = Share::of(0.5);
        assert!(half.is_reached(10, 20) && !half.is_reached(9, 19) && half.covers(10, 20) && !half.covers(10, 19));
        assert!(Share::of(0.0).is_reached(0, 5) && !Share::of(0.0).covers(1, u64::MAX));
        assert!(Share::of(1.0).covers(u64::MAX, u64::MAX) && !Share::of(1.0).is_reached(u64::MAX - 1, u64::MAX));
    }

    #[test]
    fn a_share_grows_evenly_to_the_whole() {
        let grown = |elapsed| Share::of(0.2).grown(elapsed, 100);
        assert_eq!([0, 50, 100, 200].map(grown), [0.2, 0.6, 1.0, 1.0].map(Share::of));
        assert_eq!(Share::of(0.0).grown(0, 0), Share::of(0.0));
        assert_eq!(Share::of(0.0).grown(u64::MAX, u64::MAX), Share::of(1.0));
    }

    #[test]
    fn factors_saturate() {
        assert_eq!((millionths(1.5), times(10, millionths(1.5))), (1_500_000, 15));
        assert_eq!((millionths(f64::MAX), times(u64::MAX, millionths(2.0))), (u64::MAX, u64::MAX));
    }
}
