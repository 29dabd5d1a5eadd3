//! Where attempts are drawn from that a log lacks: its attempts, by minute and by what they were
//! made for.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;

use super::attempt::{End, Ran};
use super::call::RecordedCall;
use crate::clock::{Nanos, SECOND};

const MINUTE: Nanos = 60 * SECOND;

/// How many attempts of one operation, or of one breaker, are enough to draw from.
const ENOUGH: usize = 10;

/// The attempts of a log whose calls are played.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pools {
    failures: Vec<Ran>,
    /// Of an operation through a breaker, in a minute.
    operations: BTreeMap<(u32, u64), Pool>,
    /// Of a breaker, in a minute.
    breakers: BTreeMap<(u32, u64), Pool>,
    minutes: BTreeMap<u64, Pool>,
    with_success: BTreeSet<u64>,
    with_failure: BTreeSet<u64>,
}

/// Some attempts, from the shortest to the longest.
#[derive(Clone, Debug, Default)]
struct Pool {
    successes: Vec<Nanos>,
    /// Indices into [`Pools::failures`].
    failures: Vec<u32>,
}

/// What an attempt is made for, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) operation: u32,
    pub(crate) breaker: u32,
    pub(crate) at: Nanos,
}

/// Which attempts may be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Among {
    All,
    Successes,
    Failures,
}

/// An attempt that was drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drawn {
    pub(crate) ran: Ran,
    /// Whether it is from another minute.
    pub(crate) is_elsewhere: bool,
}

impl Pools {
    pub(crate) fn of(calls: &[RecordedCall]) -> Self {
        let mut attempts: Vec<(Ran, Place)> = calls
            .iter()
            .flat_map(|call| {
                let place = |at| Place { operation: call.operation, breaker: call.breaker, at };
                call.attempts.iter().map(move |attempt| (attempt.ran, place(attempt.started(call.begins))))
            })
            .filter(|(ran, _)| ran.end != End::Panics)
            .collect();
        attempts.sort_by_key(|(ran, _)| ran.time);
        let mut pools = Self::default();
        for (ran, place) in attempts {
            pools.add(ran, place);
        }
        pools
    }

    fn add(&mut self, ran: Ran, place: Place) {
        let minute = place.at / MINUTE;
        let failure = u32::try_from(self.failures.len()).unwrap_or(u32::MAX);
        let pools = [
            self.operations.entry((place.operation, minute)).or_default(),
            self.breakers.entry((place.breaker, minute)).or_default(),
            self.minutes.entry(minute).or_default(),
        ];
        if ran.end == End::Succeeds {
            pools.into_iter().for_each(|pool| pool.successes.push(ran.time));
            self.with_success.insert(minute);
        } else {
            pools.into_iter().for_each(|pool| pool.failures.push(failure));
            self.failures.push(ran);
            self.with_failure.insert(minute);
        }
    }

    /// Draws an attempt of the same minute: of the same operation and breaker if it has enough of
    /// them, else of the same breaker if it has enough, else any. If the minute has none, of the
    /// nearest minute that has some.
    pub(crate) fn draw(&self, among: Among, place: Place, rng: &mut Rng) -> Option<Drawn> {
        let here = self.draw_here(among, place, 0, rng);
        here.or_else(|| {
            let minute = self.nearest(among, place.at / MINUTE)?;
            let ran = self.choose(self.minutes.get(&minute), 1, among, 0, rng)?;
            Some(Drawn { ran, is_elsewhere: true })
        })
    }

    /// Draws an attempt of the same minute that took longer than this.
    pub(crate) fn draw_longer(&self, among: Among, place: Place, than: Nanos, rng: &mut Rng) -> Option<Drawn> {
        self.draw_here(among, place, than.saturating_add(1), rng)
    }

    fn draw_here(&self, among: Among, place: Place, least: Nanos, rng: &mut Rng) -> Option<Drawn> {
        let minute = place.at / MINUTE;
        let pools = [
            (self.operations.get(&(place.operation, minute)), ENOUGH),
            (self.breakers.get(&(place.breaker, minute)), ENOUGH),
            (self.minutes.get(&minute), 1),
        ];
        let ran = pools.into_iter().find_map(|(pool, enough)| self.choose(pool, enough, among, least, rng))?;
        Some(Drawn { ran, is_elsewhere: false })
    }

    /// One of the attempts that took so long at least, if there are enough of them.
    fn choose(&self, pool: Option<&Pool>, enough: usize, among: Among, least: Nanos, rng: &mut Rng) -> Option<Ran> {
        let pool = pool?;
        let successes = match among {
            Among::Failures => &[],
            _ => &pool.successes[pool.successes.partition_point(|time| *time < least)..],
        };
        let failures = match among {
            Among::Successes => &[],
            _ => &pool.failures[pool.failures.partition_point(|index| self.failure(*index).time < least)..],
        };
        let count = successes.len() + failures.len();
        if count < enough {
            return None;
        }
        // A number of this width on every machine.
        let index = rng.u64(..count as u64) as usize;
        Some(match successes.get(index) {
            Some(time) => Ran { time: *time, end: End::Succeeds, forbids_retry: false },
            None => self.failure(failures[index - successes.len()]),
        })
    }

    fn failure(&self, index: u32) -> Ran {
        self.failures[index as usize]
    }

    fn nearest(&self, among: Among, minute: u64) -> Option<u64> {
        let success = (among != Among::Failures).then(|| nearest(&self.with_success, minute)).flatten();
        let failure = (among != Among::Successes).then(|| nearest(&self.with_failure, minute)).flatten();
        success.into_iter().chain(failure).min_by_key(|found| (found.abs_diff(minute), *found))
    }
}

/// The nearest minute, the earlier of two.
fn nearest(minutes: &BTreeSet<u64>, minute: u64) -> Option<u64> {
    let (before, after) = (minutes.range(..=minute).next_back(), minutes.range(minute..).next());
    before.into_iter().chain(after).copied().min_by_key(|found| (found.abs_diff(minute), *found))
}
