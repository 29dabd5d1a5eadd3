//! What goes wrong with the server, and when: it stands still, is slow, or answers with errors.

use std::time::Duration;

use fastrand::Rng;
use redress_core::ErrorClass;
use redress_core::error::ConfigIssue;

use crate::clock::{Nanos, nanos};

pub(crate) const MILLION: u32 = 1_000_000;

/// Something that goes wrong with the server for a while. The end is excluded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a fault does nothing until a scenario has it"]
pub struct Fault {
    from: Nanos,
    until: Nanos,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    StandsStill,
    Slow { times: u32 },
    Errors { per_million: u32, class: ErrorClass },
}

/// How fast the server works at an instant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    StandsStill,
    /// Work takes so many times as long as usual.
    Times(u64),
}

impl Fault {
    /// The server does no work. What it has begun it ends later.
    pub fn stands_still(from: Duration, until: Duration) -> Self {
        Self::new(from, until, Kind::StandsStill)
    }

    /// All work takes so many times as long as usual. At least 1.
    pub fn slow(from: Duration, until: Duration, times: u32) -> Self {
        Self::new(from, until, Kind::Slow { times })
    }

    /// A share of the requests that the server begins is answered with an error of this class,
    /// after the usual time. Between 0 and 1, rounded to millionths.
    pub fn errors(from: Duration, until: Duration, share: f64, class: ErrorClass) -> Self {
        // A multiplication and a rounding give the same number on every platform.
        let per_million = (share * f64::from(MILLION)).round();
        let per_million = if (0.0..=1.0).contains(&share) { per_million as u32 } else { u32::MAX };
        Self::new(from, until, Kind::Errors { per_million, class })
    }

    fn new(from: Duration, until: Duration, kind: Kind) -> Self {
        Self { from: nanos(from), until: nanos(until), kind }
    }

    pub(crate) fn until(&self) -> Nanos {
        self.until
    }

    pub(crate) fn issues(&self, issues: &mut Vec<ConfigIssue>) {
        if self.from >= self.until {
            issues.push(ConfigIssue::new("fault.until", Duration::from_nanos(self.until), "be later than its start"));
        }
        match self.kind {
            Kind::Slow { times: 0 } => issues.push(ConfigIssue::new("fault.slow", 0, "be at least 1")),
            Kind::Errors { per_million, .. } if per_million > MILLION => {
                issues.push(ConfigIssue::new("fault.errors", per_million, "be a share between 0 and 1, in millionths"));
            }
            _ => {}
        }
    }

    fn covers(&self, now: Nanos) -> bool {
        (self.from..self.until).contains(&now)
    }
}

/// When work of this length ends that begins at `now`; [`u64::MAX`] if never.
pub(crate) fn end_of_work(faults: &[Fault], now: Nanos, work: Nanos) -> Nanos {
    let (mut now, mut work) = (now, work);
    loop {
        let next = next_change(faults, now);
        match pace(faults, now) {
            Pace::StandsStill => {}
            Pace::Times(times) => {
                let end = now.saturating_add(work.saturating_mul(times));
                if end <= next {
                    return end;
                }
                work -= (next - now) / times;
            }
        }
        now = next;
    }
}

/// The class of the error that a request begun at `now` is answered with, if it is.
pub(crate) fn error_at(faults: &[Fault], now: Nanos, rng: &mut Rng) -> Option<ErrorClass> {
    faults.iter().filter(|fault| fault.covers(now)).find_map(|fault| match fault.kind {
        Kind::Errors { per_million, class } if rng.u32(..MILLION) < per_million => Some(class),
        _ => None,
    })
}

fn pace(faults: &[Fault], now: Nanos) -> Pace {
    faults.iter().filter(|fault| fault.covers(now)).fold(Pace::Times(1), |pace, fault| match (pace, fault.kind) {
        (Pace::StandsStill, _) | (_, Kind::StandsStill) => Pace::StandsStill,
        (Pace::Times(so_far), Kind::Slow { times }) => Pace::Times(so_far.saturating_mul(times.into())),
        (pace, Kind::Errors { .. }) => pace,
    })
}

fn next_change(faults: &[Fault], now: Nanos) -> Nanos {
    let ends = faults.iter().flat_map(|fault| [fault.from, fault.until]);
    ends.filter(|end| *end > now).min().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Fault, end_of_work};

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[track_caller]
    fn ends(faults: &[Fault], begins: u64, takes: u64, expected: u64) {
        let second = crate::clock::SECOND;
        assert_eq!(end_of_work(faults, begins * second, takes * second), expected * second);
    }

    #[test]
    fn work_goes_on_where_it_stopped() {
        let faults = [Fault::stands_still(secs(10), secs(20))];
        ends(&faults, 0, 4, 4);
        ends(&faults, 6, 4, 10);
        ends(&faults, 8, 4, 22);
        ends(&faults, 10, 4, 24);
        ends(&faults, 19, 4, 24);
        ends(&faults, 20, 4, 24);
    }

    #[test]
    fn slow_work_is_slow_for_as_long_as_the_fault() {
        let faults = [Fault::slow(secs(10), secs(20), 5)];
        ends(&faults, 10, 1, 15);
        ends(&faults, 10, 2, 20);
        ends(&faults, 10, 3, 21);
        ends(&faults, 8, 3, 15);
    }

    #[test]
    fn faults_add_up() {
        let faults = [
            Fault::slow(secs(0), secs(100), 2),
            Fault::slow(secs(0), secs(10), 3),
            Fault::stands_still(secs(6), secs(50)),
        ];
        ends(&faults, 0, 1, 6);
        ends(&faults, 0, 2, 52);
    }

    #[test]
    fn a_server_that_stops_for_good_ends_nothing() {
        let faults = [Fault::stands_still(secs(10), Duration::MAX)];
        assert_eq!(end_of_work(&faults, 10, u64::MAX / 2), u64::MAX);
    }
}
