//! How often chance opens a breaker whose dependency is healthy.

use std::time::Duration;

use statrs::distribution::{Binomial, DiscreteCDF};

/// The seconds from one opening by chance to the next, at least: the reciprocal of how often a
/// failure comes that finds `needed - 1` others among the `calls` of its window, and no less than
/// so many failures take to come. Failures are independent of each other. Infinite if it never
/// happens.
pub(crate) fn seconds_between_trips(failures_per_second: f64, error_share: f64, calls: u64, needed: u64) -> f64 {
    let others = needed.saturating_sub(1);
    let chance = at_least(others, calls.saturating_sub(1), error_share);
    (failures_per_second * chance).recip().max(needed as f64 / failures_per_second)
}

/// The chance that at least `needed` of `calls` fail.
fn at_least(needed: u64, calls: u64, error_share: f64) -> f64 {
    if needed == 0 {
        return 1.0;
    }
    if needed > calls {
        return 0.0;
    }
    // A share that is no share has no chance to tell.
    Binomial::new(error_share, calls).map_or(0.0, |binomial| binomial.sf(needed - 1))
}

/// The seconds from one row of `needed` failures to the next.
pub(crate) fn seconds_between_rows(calls_per_second: f64, error_share: f64, needed: u32) -> f64 {
    (calls_per_second * error_share.powf(f64::from(needed))).recip()
}

/// The whole calls in a window.
pub(crate) fn calls_in(window: Duration, calls_per_second: f64) -> u64 {
    (window.as_secs_f64() * calls_per_second) as u64
}

#[cfg(test)]
mod tests {
    use super::{at_least, seconds_between_trips};

    /// The tail, added up term by term.
    fn sum(needed: u64, calls: u64, share: f64) -> f64 {
        let term = |failed: u64| {
            let ways: f64 = (0..failed).map(|index| (calls - index) as f64 / (index + 1) as f64).product();
            ways * share.powi(failed as i32) * (1.0 - share).powi((calls - failed) as i32)
        };
        (needed..=calls).map(term).sum()
    }

    #[test]
    fn the_tail_is_the_sum_of_its_terms() {
        for (needed, calls, share) in [(1, 10, 0.01), (5, 60, 0.01), (3, 30, 0.1), (20, 40, 0.3), (40, 40, 0.9)] {
            let (tail, sum) = (at_least(needed, calls, share), sum(needed, calls, share));
            assert!((tail - sum).abs() <= sum * 1e-9, "P(X >= {needed}) of {calls} at {share}: {tail}, not {sum}");
        }
        assert_eq!((at_least(0, 5, 0.1), at_least(6, 5, 0.1)), (1.0, 0.0));
    }

    /// The guide's table says once in 8 hours for 5 in 60 s at one call a second, and after 5 s at
    /// a hundred: with a Poisson distribution, whose tail is a little longer.
    #[test]
    fn the_default_breaker_opens_as_often_as_the_guide_says() {
        let hours = seconds_between_trips(0.01, 0.01, 60, 5) / 3_600.0;
        assert!((8.0..10.0).contains(&hours), "{hours}");
        assert_eq!(seconds_between_trips(1.0, 0.01, 6_000, 5), 5.0);
        assert_eq!(seconds_between_trips(2.0, 0.01, 12_000, 5), 2.5);
    }
}
