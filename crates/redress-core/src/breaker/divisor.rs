//! [`Divisor`], a division by a constant without a division instruction, and [`SharedDivisor`], one
//! that can be replaced.

// Std's even under the model checker: a reader of a part of a new divisor also reads the era that
// it belongs to, as with the tick and the number of a tally, which the checker explores. With two
// more of its atomics a model takes ten times as long.
use std::sync::atomic::{AtomicU64, Ordering};

/// Divides by a constant with a multiplication: a division takes up to ten times as long as all the
/// rest of counting a success.
///
/// Exact for dividends up to 2^63 (Granlund and Montgomery, "Division by Invariant Integers using
/// Multiplication", PLDI 1994). From there on, which is 146 years after the breaker's first call,
/// it may be off by one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Divisor {
    /// 2^(64 + shift) / divisor, rounded up.
    factor: u64,
    shift: u32,
}

impl Divisor {
    /// A divisor below 2 counts as 2.
    pub(super) fn new(divisor: u64) -> Self {
        let divisor = divisor.max(2);
        let shift = (divisor - 1).ilog2();
        let factor = (1_u128 << (64 + shift)).div_ceil(u128::from(divisor));
        Self { factor: u64::try_from(factor).unwrap_or(u64::MAX), shift }
    }

    #[inline]
    pub(super) const fn divide(self, dividend: u64) -> u64 {
        ((dividend as u128 * self.factor as u128) >> 64) as u64 >> self.shift
    }
}

/// A divisor that is read without a lock. A reader beside a writer may read parts of both.
#[derive(Debug)]
pub(super) struct SharedDivisor {
    factor: AtomicU64,
    shift: AtomicU64,
}

impl SharedDivisor {
    pub(super) fn new(Divisor { factor, shift }: Divisor) -> Self {
        Self { factor: AtomicU64::new(factor), shift: AtomicU64::new(shift.into()) }
    }

    /// What was written before it is visible to those who read a part of it.
    pub(super) fn set(&self, Divisor { factor, shift }: Divisor) {
        self.factor.store(factor, Ordering::Release);
        self.shift.store(shift.into(), Ordering::Release);
    }

    #[inline]
    pub(super) fn get(&self) -> Divisor {
        Divisor { factor: self.factor.load(Ordering::Acquire), shift: self.shift.load(Ordering::Acquire) as u32 }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Divisor;

    #[test]
    fn the_multiplication_divides() {
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..100_000 {
            let [largest, size] = [random.u32(..61), random.u32(1..63)];
            let (divisor, dividend) = (random.u64(2..=2 << largest), random.u64(..1 << size));
            let near = (dividend / divisor * divisor).saturating_sub(random.u64(..2));
            for dividend in [dividend, near] {
                assert_eq!(Divisor::new(divisor).divide(dividend), dividend / divisor, "{dividend} / {divisor}");
            }
        }
        assert_eq!(Divisor::new(0).divide(9), 4);
    }
}
