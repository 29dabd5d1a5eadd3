//! Random numbers without floating point, and the seeded generator that policies draw from.

use fastrand::Rng;
use redress_core::error::ConfigIssue;

pub(crate) const MILLION: u32 = 1_000_000;

/// A share between 0 and 1 in millionths; more than a million stands for anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share(u32);

impl Share {
    pub(crate) fn new(share: f64) -> Self {
        // A multiplication and a rounding give the same number on every platform.
        let millionths = (share * f64::from(MILLION)).round();
        Self(if (0.0..=1.0).contains(&share) { millionths as u32 } else { u32::MAX })
    }

    pub(crate) fn check(self, field: &'static str, share: f64, issues: &mut Vec<ConfigIssue>) {
        if self.0 > MILLION {
            issues.push(ConfigIssue::new(field, share, "be a share between 0 and 1"));
        }
    }

    pub(crate) const fn millionths(self) -> u32 {
        self.0
    }

    /// True with this probability.
    pub(crate) fn draw(self, rng: &mut Rng) -> bool {
        rng.u32(..MILLION) < self.0
    }
}

/// A non-negative number in units of 2⁻⁶⁴.
pub(crate) type Fixed = u128;

/// Draws from the exponential distribution with mean 1, by von Neumann's method of 1951, which
/// compares uniform numbers only: with `n` numbers in a falling run that begins with `x`, an odd
/// `n` has probability e⁻ˣ.
pub(crate) fn exponential(rng: &mut Rng) -> Fixed {
    let mut whole = 0;
    loop {
        let first = rng.u64(..);
        if has_odd_falling_run(first, rng) {
            return (whole << 64) | Fixed::from(first);
        }
        whole += 1;
    }
}

fn has_odd_falling_run(first: u64, rng: &mut Rng) -> bool {
    let (mut last, mut is_odd) = (first, true);
    loop {
        let next = rng.u64(..);
        if next >= last {
            return is_odd;
        }
        last = next;
        is_odd = !is_odd;
    }
}

/// `number` times a whole number of nanoseconds, rounded down, saturating.
pub(crate) fn scaled(number: Fixed, by: u64) -> u64 {
    u64::try_from(number.saturating_mul(by.into()) >> 64).unwrap_or(u64::MAX)
}

/// Seeds the thread's generator for as long as it lives, and then puts the former state back.
pub(crate) struct SeededThread {
    former: u64,
    seed: u64,
}

impl SeededThread {
    pub(crate) fn new(seed: u64) -> Self {
        let former = fastrand::get_seed();
        fastrand::seed(seed);
        Self { former, seed }
    }

    /// Whether a number was drawn since.
    pub(crate) fn has_drawn(&self) -> bool {
        fastrand::get_seed() != self.seed
    }
}

impl Drop for SeededThread {
    fn drop(&mut self) {
        fastrand::seed(self.former);
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::{SeededThread, exponential, scaled};

    const MEAN: u64 = 1_000_000;

    #[test]
    fn the_draws_have_the_exponential_distribution() {
        let mut rng = Rng::with_seed(7);
        let draws: Vec<u64> = (0..200_000).map(|_| scaled(exponential(&mut rng), MEAN)).collect();
        let mean = draws.iter().sum::<u64>() / 200_000;
        assert!((990_000..1_010_000).contains(&mean), "{mean}");
        // e⁻¹, e⁻² and e⁻³ of a million, and the median ln 2.
        for (above, expected) in [(1_000_000, 367_879), (2_000_000, 135_335), (3_000_000, 49_787), (693_147, 500_000)] {
            let share = draws.iter().filter(|draw| **draw > above).count() as u64 * 5;
            assert!(share.abs_diff(expected) < 4_000, "{share} above {above}");
        }
    }

    #[test]
    fn the_threads_generator_goes_on_as_before() {
        fastrand::seed(3);
        let expected = fastrand::u64(..);
        fastrand::seed(3);
        let seeded = SeededThread::new(9);
        assert!(!seeded.has_drawn());
        let inside = fastrand::u64(..);
        assert!(seeded.has_drawn());
        drop(seeded);
        assert_eq!(fastrand::u64(..), expected);
        assert_ne!(inside, expected);
    }

    #[test]
    fn scaling_rounds_down_and_saturates() {
        assert_eq!(scaled(1 << 63, 3), 1);
        assert_eq!(scaled((5 << 64) | (1 << 63), 2), 11);
        assert_eq!(scaled(u128::MAX, u64::MAX), u64::MAX);
    }
}
