//! [`ServiceTime`]: how long a worker takes for a request, drawn with whole numbers.

use std::time::Duration;

use fastrand::Rng;
use redress_core::error::ConfigIssue;

use crate::clock::{Nanos, nanos};
use crate::random::{Share, exponential, scaled};

/// How long a worker takes for a request.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ServiceTime {
    /// Always the same.
    Fixed(Duration),
    /// Exponentially distributed with this mean.
    Exponential(Duration),
    /// Every time between the two is as likely as any other.
    Uniform(Duration, Duration),
    /// Most requests take the one time, and some take another: a cache that misses, a page that is
    /// large, a garbage collection.
    Mixed {
        /// What most requests take.
        usual: Duration,
        /// What the others take.
        rare: Duration,
        /// The share of the others, between 0 and 1, rounded to millionths.
        share: f64,
    },
}

impl ServiceTime {
    pub(crate) fn issues(&self, issues: &mut Vec<ConfigIssue>) {
        let least = match *self {
            Self::Fixed(time) | Self::Exponential(time) => time,
            Self::Uniform(from, to) => {
                if from > to {
                    issues.push(ConfigIssue::new("server.service", from, "be at most the longer time"));
                }
                from
            }
            Self::Mixed { usual, rare, share } => {
                Share::new(share).check("server.service", share, issues);
                usual.min(rare)
            }
        };
        if least.is_zero() {
            issues.push(ConfigIssue::new("server.service", least, "be longer than zero"));
        }
    }

    pub(crate) fn draw(&self, rng: &mut Rng) -> Nanos {
        match *self {
            Self::Fixed(time) => nanos(time),
            Self::Exponential(mean) => scaled(exponential(rng), nanos(mean)),
            Self::Uniform(from, to) => rng.u64(nanos(from)..=nanos(to)),
            Self::Mixed { usual, rare, share } => nanos(if Share::new(share).draw(rng) { rare } else { usual }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fastrand::Rng;

    use super::ServiceTime;

    const USUAL: Duration = Duration::from_millis(2);
    const RARE: Duration = Duration::from_millis(6);

    fn draws(service: ServiceTime) -> Vec<u64> {
        let mut rng = Rng::with_seed(5);
        (0..10_000).map(|_| service.draw(&mut rng)).collect()
    }

    #[test]
    fn uniform_times_lie_between_the_two_and_are_the_middle_on_average() {
        let draws = draws(ServiceTime::Uniform(USUAL, RARE));
        assert!(draws.iter().all(|time| (2_000_000..=6_000_000).contains(time)));
        let mean = draws.iter().sum::<u64>() / 10_000;
        assert!(mean.abs_diff(4_000_000) < 40_000, "{mean}");
    }

    #[test]
    fn rare_times_are_as_rare_as_they_say() {
        let draws = draws(ServiceTime::Mixed { usual: USUAL, rare: RARE, share: 0.1 });
        let rare = draws.iter().filter(|time| **time == 6_000_000).count();
        assert!((900..1_100).contains(&rare), "{rare}");
        assert!(draws.iter().all(|time| [2_000_000, 6_000_000].contains(time)));
    }
}
