//! How fast the server works under its faults, and when work that it begins ends.

use crate::clock::Nanos;
use crate::fault::{Fault, Kind};
use crate::random::{MILLION, Share};

/// In how many steps a cold server becomes fast.
const STEPS: u64 = 20;

/// How fast the server works at an instant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    StandsStill,
    /// Work takes so many millionths of its usual time.
    Millionths(u64),
}

/// When work of this length ends that begins at `now`; [`u64::MAX`] if never.
pub(crate) fn end_of_work(faults: &[&Fault], now: Nanos, work: Nanos) -> Nanos {
    let (mut now, mut work) = (now, work);
    loop {
        let next = next_change(faults, now);
        match pace(faults, now) {
            Pace::StandsStill => {}
            Pace::Millionths(slowness) => {
                let end = now.saturating_add(product(work, slowness));
                if end <= next {
                    return end;
                }
                let done = u128::from(next - now) * u128::from(MILLION) / u128::from(slowness);
                work = work.saturating_sub(u64::try_from(done).unwrap_or(u64::MAX));
            }
        }
        now = next;
    }
}

fn pace(faults: &[&Fault], now: Nanos) -> Pace {
    let usual = Pace::Millionths(MILLION.into());
    faults.iter().filter(|fault| fault.covers(now)).fold(usual, |pace, fault| match (pace, slowness(fault, now)) {
        (Pace::StandsStill, _) | (_, Pace::StandsStill) => Pace::StandsStill,
        (Pace::Millionths(so_far), Pace::Millionths(more)) => Pace::Millionths(product(so_far, more)),
    })
}

/// What this fault alone does to the pace while it lasts.
fn slowness(fault: &Fault, now: Nanos) -> Pace {
    let million = u64::from(MILLION);
    match fault.kind {
        Kind::StandsStill => Pace::StandsStill,
        Kind::Slow { times } => Pace::Millionths(million * u64::from(times)),
        Kind::Cold { share } => {
            let begun = u64::from(Share::new(share).millionths());
            let steps = (now - fault.from) / step(fault);
            let speed = begun + million.saturating_sub(begun) * steps.min(STEPS) / STEPS;
            Pace::Millionths(million * million / speed.max(1))
        }
        _ => Pace::Millionths(million),
    }
}

fn next_change(faults: &[&Fault], now: Nanos) -> Nanos {
    let ends = faults.iter().flat_map(|fault| [fault.from, fault.until]);
    let steps = faults.iter().filter(|fault| fault.covers(now) && matches!(fault.kind, Kind::Cold { .. }));
    let steps = steps.map(|fault| fault.from.saturating_add(((now - fault.from) / step(fault) + 1) * step(fault)));
    ends.chain(steps).filter(|change| *change > now).min().unwrap_or(u64::MAX)
}

/// The length of a step of a cold server.
fn step(fault: &Fault) -> Nanos {
    ((fault.until - fault.from) / STEPS).max(1)
}

fn product(time: u64, millionths: u64) -> u64 {
    let product = u128::from(time) * u128::from(millionths) / u128::from(MILLION);
    u64::try_from(product).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::end_of_work;
    use crate::clock::SECOND;
    use crate::fault::Fault;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[track_caller]
    fn ends(faults: &[Fault], begins: u64, takes: u64, expected: u64) {
        let faults: Vec<&Fault> = faults.iter().collect();
        assert_eq!(end_of_work(&faults, begins * SECOND, takes * SECOND), expected * SECOND);
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
    fn a_cold_server_becomes_faster_in_steps() {
        let faults = [Fault::cold(secs(100), secs(300), 0.25)];
        ends(&faults, 99, 1, 100);
        ends(&faults, 100, 2, 108); // at a quarter of its speed
        ends(&faults, 300, 1, 301);
        let [early, late] =
            [110, 290].map(|begins| end_of_work(&[&faults[0]], begins * SECOND, SECOND) - begins * SECOND);
        assert!((3 * SECOND..4 * SECOND).contains(&early), "{early}");
        assert!((SECOND..SECOND * 11 / 10).contains(&late), "{late}");
    }

    #[test]
    fn a_server_that_stops_for_good_ends_nothing() {
        let fault = Fault::stands_still(secs(10), Duration::MAX);
        assert_eq!(end_of_work(&[&fault], 10 * SECOND, u64::MAX / 2), u64::MAX);
    }
}
