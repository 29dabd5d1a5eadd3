//! The callers: an open loop, in which calls arrive at a given rate however the server does, or a
//! closed one of users who wait for the end of a call.

use std::time::Duration;

use fastrand::Rng;
use redress_core::error::ConfigIssue;

use crate::clock::{Nanos, SECOND, nanos};
use crate::random::{Fixed, exponential, scaled};

/// How many calls are made, and when.
///
/// In an open loop calls arrive at random and independently of each other (a Poisson process), each
/// at a client chosen uniformly. In a closed loop each user makes a call, waits for its end, thinks
/// and makes the next one. A server that is slow then gets fewer calls.
///
/// ```
/// use std::time::Duration;
/// use redress_sim::Load;
///
/// let secs = Duration::from_secs;
/// let busy_from_30_s_on = Load::steady(700).then(secs(30), 900);
/// let about_1000_a_second = Load::users(5000, secs(5));
/// # drop((busy_from_30_s_on, about_1000_a_second));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a load does nothing until a scenario uses it"]
pub struct Load {
    /// The rates, in calls per second, with the instant from which each holds. The first is 0.
    rates: Vec<(Nanos, u32)>,
    users: u32,
    think: Nanos,
}

impl Load {
    /// A constant rate, in calls per second of all clients together.
    pub fn steady(per_second: u32) -> Self {
        Self { rates: vec![(0, per_second)], users: 0, think: 0 }
    }

    /// A closed loop of so many users, who think for a time with an exponential distribution around
    /// `think` before each call, the first one too. They share the clients evenly. At most
    /// 100,000,000 users; `think` must not be zero.
    ///
    /// [`then`](Self::then) adds calls of an open loop.
    pub fn users(users: u32, think: Duration) -> Self {
        Self { rates: vec![(0, 0)], users, think: nanos(think) }
    }

    /// Changes the rate of the open loop at an instant since the start. It must be later than that
    /// of the last change.
    pub fn then(mut self, at: Duration, per_second: u32) -> Self {
        self.rates.push((nanos(at), per_second));
        self
    }

    pub(crate) fn issues(&self, issues: &mut Vec<ConfigIssue>) {
        if self.users > 100_000_000 {
            issues.push(ConfigIssue::new("load.users", self.users, "be at most 100000000"));
        }
        if self.users > 0 && self.think == 0 {
            issues.push(ConfigIssue::new("load.think", Duration::ZERO, "be longer than zero"));
        }
        for pair in self.rates.windows(2) {
            if let [(earlier, _), (later, _)] = pair {
                if earlier >= later {
                    let at = Duration::from_nanos(*later);
                    issues.push(ConfigIssue::new("load.then", at, "be later than the change before it"));
                }
            }
        }
    }

    pub(crate) const fn user_count(&self) -> u32 {
        self.users
    }

    /// When a user calls who begins to think at `now`.
    pub(crate) fn returns(&self, now: Nanos, rng: &mut Rng) -> Nanos {
        now.saturating_add(scaled(exponential(rng), self.think))
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
