//! The callers: an open loop, in which calls arrive at a given rate however the server does.

use std::time::Duration;

use fastrand::Rng;
use redress_core::error::ConfigIssue;

use crate::clock::{Nanos, SECOND, nanos};
use crate::random::{Fixed, exponential};

/// How many calls arrive. They arrive at random and independently of each other (a Poisson
/// process), each at a client chosen uniformly.
///
/// ```
/// use std::time::Duration;
/// use redress_sim::Load;
///
/// let load = Load::steady(700).then(Duration::from_secs(30), 900);
/// # drop(load);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a load does nothing until a scenario uses it"]
pub struct Load {
    /// The rates, in calls per second, with the instant from which each holds. The first is 0.
    rates: Vec<(Nanos, u32)>,
}

impl Load {
    /// A constant rate, in calls per second of all clients together.
    pub fn steady(per_second: u32) -> Self {
        Self { rates: vec![(0, per_second)] }
    }

    /// Changes the rate at an instant since the start. It must be later than that of the last
    /// change.
    pub fn then(mut self, at: Duration, per_second: u32) -> Self {
        self.rates.push((nanos(at), per_second));
        self
    }

    pub(crate) fn issues(&self, issues: &mut Vec<ConfigIssue>) {
        for pair in self.rates.windows(2) {
            if let [(earlier, _), (later, _)] = pair {
                if earlier >= later {
                    let at = Duration::from_nanos(*later);
                    issues.push(ConfigIssue::new("load.then", at, "be later than the change before it"));
                }
            }
        }
    }

    /// When the next call arrives after one at `now`, or `None` if there is none.
    pub(crate) fn next(&self, now: Nanos, rng: &mut Rng) -> Option<Nanos> {
        let mut left = exponential(rng);
        let mut from = now;
        for (index, (since, rate)) in self.rates.iter().enumerate() {
            let until = self.rates.get(index + 1).map_or(u64::MAX, |(at, _)| *at);
            if until <= now {
                continue;
            }
            from = from.max(*since);
            let gap = gap(left, *rate);
            if gap < u128::from(until - from) {
                return Some(from.saturating_add(u64::try_from(gap).unwrap_or(u64::MAX)));
            }
            left = left.saturating_sub(arrived(until - from, *rate));
            from = until;
        }
        None
    }
}

/// How long calls of `rate` take to use up `left`, in nanoseconds.
fn gap(left: Fixed, rate: u32) -> u128 {
    let rate = Fixed::from(rate);
    left.saturating_mul(SECOND.into()).checked_div(rate).map_or(u128::MAX, |fixed| fixed >> 64)
}

/// How many calls of `rate` arrive in a span, on average.
fn arrived(span: Nanos, rate: u32) -> Fixed {
    let calls = Fixed::from(span).saturating_mul(rate.into());
    let second = Fixed::from(SECOND);
    ((calls / second) << 64) | (((calls % second) << 64) / second)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fastrand::Rng;

    use super::Load;
    use crate::clock::SECOND;

    fn arrivals(load: &Load, until: u64) -> Vec<u64> {
        let mut rng = Rng::with_seed(1);
        let mut found = Vec::new();
        let mut now = 0;
        while let Some(next) = load.next(now, &mut rng).filter(|next| *next < until * SECOND) {
            assert!(next >= now);
            found.push(next);
            now = next;
        }
        found
    }

    #[test]
    fn the_rate_is_kept_and_changes_when_it_says() {
        let load = Load::steady(100).then(Duration::from_secs(100), 0).then(Duration::from_secs(200), 1_000);
        let found = arrivals(&load, 300);
        let in_span =
            |from: u64, until: u64| found.iter().filter(|at| (from * SECOND..until * SECOND).contains(*at)).count();
        assert!((9_700..10_300).contains(&in_span(0, 100)), "{}", in_span(0, 100));
        assert_eq!(in_span(100, 200), 0);
        assert!((99_000..101_000).contains(&in_span(200, 300)), "{}", in_span(200, 300));
    }

    #[test]
    fn a_rate_of_zero_for_good_has_no_arrivals() {
        assert!(arrivals(&Load::steady(0), 1_000_000).is_empty());
    }
}
