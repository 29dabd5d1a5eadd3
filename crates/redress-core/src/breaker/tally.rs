//! [`Tally`], the calls and bad results of a rolling window in sixteen slices, for the ratio rule.
//!
//! A success takes no lock and writes no cache line that another thread writes, unless more threads
//! run than the machine has processors. Bad results and readings are rare, and happen under the
//! breaker's lock.

use super::divisor::{Divisor, SharedDivisor};
use crate::stripes::{Here, Stripes, Thread};
use crate::sync::{AtomicU64, Ordering};

/// How many slices a window has.
const SLICES: u64 = 16;

/// The bits of a slot that count; the bits above them are the serial number of the slice. A full
/// count stays full, so a thread that succeeds more than 268 million times in a slice is counted
/// too low, and the breaker opens early.
const COUNT_BITS: u32 = 28;

const COUNT: u64 = (1 << COUNT_BITS) - 1;

const ONE_SERIAL: u64 = 1 << COUNT_BITS;

/// The serial numbers between two eras. A success that began, by the clock of its thread, up to one
/// window after the end of its era still has a number from before the next era.
const GAP: u64 = 2 * SLICES;

/// A slot that is up to so many slices ahead of a success was counted in since the call began. One
/// that is further ahead is older than half of all serial numbers, or from a clock that was wrong.
const LATE: i64 = 1 << 20;

/// Counts of the last sixteen slices, each in the slot of its serial number modulo sixteen.
#[derive(Debug)]
pub(crate) struct Slots([AtomicU64; SLICES as usize]);

impl Default for Slots {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

/// Counts calls in a rolling window, by era.
///
/// An era begins with each change of the breaker's state. Only results of the present era count.
///
/// Every slice has a serial number, and no two eras share one: an era begins with a higher number
/// than any of the era before. So a slot tells by its number alone whether its count is of the
/// present era and within the window, and nothing has to be cleared.
///
/// Serial numbers have 36 bits, and wrap. A slot that was left alone for as long as that, to within
/// sixteen slices, would be read as new. With a window of 30 s that takes 4,000 years. With one of
/// 1 ms it takes 49 days, and then the slot of an idle thread is read for one more millisecond.
///
/// **Invariant T2**: a result is counted for at least 15/16 of the window after its tick, less 16
/// ns, and never longer than the window.
///
/// **Invariant T3**: a success of another era is not counted, and every success of the present era
/// is counted once, if the readings of the threads' clocks differ by less than a window.
///
/// A success whose slice has left the window is not counted. A tick that precedes its era counts as
/// the begin of the era. A count made at a tick later than the reader's is counted if it is less
/// than one window ahead.
#[derive(Debug)]
pub(crate) struct Tally {
    /// The era of which successes count.
    era: AtomicU64,
    /// The tick at which it began.
    began: AtomicU64,
    /// The serial number of its first slice, in place: above the bits that count.
    first: AtomicU64,
    /// The length of a slice.
    slice: SharedDivisor,
    successes: Stripes<Slots>,
    bad: Slots,
}

/// What happened within a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    /// Successes and bad results.
    pub(crate) calls: u64,
    pub(crate) bad: u64,
}

impl Tally {
    /// Counts over a window of so many ticks, which is at least 32, with a stripe for each thread
    /// that can run at a time: 256 bytes for each. The first era is `era`.
    pub(crate) fn new(window: u64, era: u64) -> Self {
        Self::over(window, era, Stripes::per_thread())
    }

    /// Like [`new`](Self::new) with one stripe for all threads: 128 bytes.
    pub(crate) fn small(window: u64, era: u64) -> Self {
        Self::over(window, era, Stripes::single())
    }

    pub(crate) fn over(window: u64, era: u64, successes: Stripes<Slots>) -> Self {
        Self {
            era: AtomicU64::new(era),
            began: AtomicU64::new(0),
            first: AtomicU64::new(0),
            slice: SharedDivisor::new(Divisor::new(window / SLICES)),
            successes,
            bad: Slots::default(),
        }
    }

    /// Begins an era whose window has so many ticks. Called under the breaker's lock, before a
    /// success of the era is counted.
    pub(crate) fn begin(&self, era: u64, now: u64, window: u64) {
        self.begin_from(era, now, now, window / SLICES);
    }

    /// Begins an era whose first result has this tick, which begins a slice. Calls that began
    /// before it may succeed later, so the era has a window before it.
    pub(crate) fn begin_with_result(&self, era: u64, tick: u64, window: u64) {
        let slice = window / SLICES;
        self.begin_from(era, tick, tick.saturating_sub(SLICES * slice), slice);
    }

    fn begin_from(&self, era: u64, now: u64, began: u64, slice: u64) {
        let next = self.serial(now).wrapping_add(GAP * ONE_SERIAL);
        // ORDER: the era first. A success that reads a length, tick or number of this era then
        // also reads the era, and does not count if it belongs to another one.
        self.era.store(era, Ordering::Relaxed);
        self.slice.set(Divisor::new(slice));
        self.began.store(began, Ordering::Release);
        self.first.store(next, Ordering::Release);
    }

    /// Counts the success of a call that began at this tick and was admitted in this era.
    #[inline]
    pub(crate) fn success(&self, began: u64, era: u64) {
        match self.successes.here() {
            Here::Own(slots) => self.count(began, era, |serial| slots.count_alone(serial)),
            Here::Shared(slots) => self.count(began, era, |serial| slots.count(serial)),
        }
    }

    /// The same, if the thread has a stripe to itself and there is a tick. Returns whether
    /// both are.
    #[inline]
    pub(crate) fn success_alone(&self, began: impl FnOnce() -> Option<u64>, era: u64, thread: Thread) -> bool {
        let Some(slots) = self.successes.own(thread) else { return false };
        began().map(|began| self.count(began, era, |serial| slots.count_alone(serial))).is_some()
    }

    #[inline]
    fn count(&self, began: u64, era: u64, count: impl FnOnce(u64)) {
        let serial = self.serial(began);
        // ORDER: after the tick and the number; see `begin`.
        if self.era.load(Ordering::Relaxed) == era {
            count(serial);
        }
    }

    /// Counts a bad result, and returns how many there are in the window. Called under the
    /// breaker's lock, and of the present era only.
    pub(crate) fn bad(&self, now: u64) -> u64 {
        self.bad.count_alone(self.serial(now));
        self.bad.sum(&self.live(now))
    }

    /// What is in the window. Takes time proportional to the number of stripes. Called under the
    /// breaker's lock.
    pub(crate) fn sum(&self, now: u64) -> Sum {
        let live = self.live(now);
        let bad = self.bad.sum(&live);
        let successes: u64 = self.successes.iter().map(|slots| slots.sum(&live)).sum();
        Sum { calls: successes + bad, bad }
    }

    /// The serial number, in place, of the slice of a tick in the present era.
    #[inline]
    fn serial(&self, tick: u64) -> u64 {
        let slice = self.slice(tick);
        self.first.load(Ordering::Acquire).wrapping_add(slice << COUNT_BITS)
    }

    /// The number of the slice of a tick in the present era, from zero.
    #[inline]
    fn slice(&self, tick: u64) -> u64 {
        self.slice.get().divide(tick.saturating_sub(self.began.load(Ordering::Acquire)))
    }

    fn live(&self, now: u64) -> Live {
        Live { serial: self.serial(now), before: self.slice(now).min(SLICES - 1) as i64 }
    }
}

/// The slices in the window at a tick: those up to it that are of the present era, and those up to
/// a window later, whose ticks were read before.
struct Live {
    serial: u64,
    /// How many of them come before the slice of the tick.
    before: i64,
}

impl Live {
    fn has(&self, word: u64) -> bool {
        let behind = ahead(self.serial, word & !COUNT);
        -(SLICES as i64) < behind && behind <= self.before
    }
}

impl Slots {
    /// Counts in the slice with this serial number, while no other thread writes to these slots.
    #[inline]
    fn count_alone(&self, serial: u64) {
        let slot = self.slot(serial);
        if let Some(counted) = counted(slot.load(Ordering::Relaxed), serial) {
            slot.store(counted, Ordering::Relaxed);
        }
    }

    /// Counts in the slice with this serial number.
    #[cold]
    #[inline(never)]
    fn count(&self, serial: u64) {
        let slot = self.slot(serial);
        let mut word = slot.load(Ordering::Relaxed);
        while let Some(counted) = counted(word, serial) {
            match slot.compare_exchange_weak(word, counted, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => word = other,
            }
        }
    }

    #[inline]
    fn slot(&self, serial: u64) -> &AtomicU64 {
        &self.0[(serial >> COUNT_BITS) as usize % SLICES as usize]
    }

    fn sum(&self, live: &Live) -> u64 {
        let words = self.0.iter().map(|slot| slot.load(Ordering::Relaxed));
        words.filter(|word| live.has(*word)).map(|word| word & COUNT).sum()
    }
}

/// The word of a slot after one more count in the slice with this serial number; `None` if the slot
/// is of a later slice, or full.
#[inline]
const fn counted(word: u64, serial: u64) -> Option<u64> {
    if (word ^ serial) >> COUNT_BITS == 0 {
        return if word & COUNT == COUNT { None } else { Some(word + 1) };
    }
    let late = ahead(word & !COUNT, serial);
    // A slot that has never counted has no serial number.
    if late > 0 && late <= LATE && word != 0 { None } else { Some(serial | 1) }
}

/// How many slices one serial number is ahead of another; both in place.
#[inline]
const fn ahead(serial: u64, other: u64) -> i64 {
    serial.wrapping_sub(other) as i64 >> COUNT_BITS
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::thread;

    use super::{COUNT, GAP, LATE, ONE_SERIAL, Stripes, Sum, Tally, counted};

    const AGE: u64 = 1 << 62;

    fn sum(calls: u64, bad: u64) -> Sum {
        Sum { calls, bad }
    }

    /// Attacks T2.
    #[test]
    fn a_result_counts_for_sixteen_slices_from_the_begin_of_its_own() {
        let tally = Tally::new(160, 0);
        tally.begin(1, 1_003, 160);
        for began in [1_003, 1_012, 1_013] {
            tally.success(began, 1);
        }
        assert_eq!(tally.bad(1_018), 1);
        let calls = |now| tally.sum(now).calls;
        assert_eq!([1_018, 1_162, 1_163, 1_172, 1_173].map(calls), [4, 4, 2, 2, 0]);
    }

    #[test]
    fn only_the_present_era_counts() {
        let tally = Tally::new(160, 7);
        tally.success(AGE, 7);
        tally.success(AGE, 6);
        assert_eq!((tally.bad(AGE), tally.sum(AGE)), (1, sum(2, 1)));
        tally.begin(8, AGE + 1, 160);
        assert_eq!(tally.sum(AGE + 1), sum(0, 0));
        tally.success(AGE + 1, 7);
        tally.success(AGE, 8);
        assert_eq!((tally.bad(AGE + 2), tally.sum(AGE + 2)), (1, sum(2, 1)));
    }

    #[test]
    fn a_success_that_a_slower_clock_dates_after_its_era_stays_in_it() {
        let tally = Tally::new(160, 0);
        tally.success(1_159, 0);
        tally.begin(1, 1_000, 160);
        assert_eq!([1_000, 1_100, 1_159, 1_200].map(|now| tally.sum(now)), [sum(0, 0); 4]);
    }

    #[test]
    fn a_call_longer_than_the_window_does_not_count() {
        let tally = Tally::new(160, 0);
        tally.success(1_000, 0);
        tally.success(840, 0);
        tally.success(845, 0);
        assert_eq!(tally.sum(1_000), sum(1, 0));
    }

    #[test]
    fn all_threads_are_counted() {
        for tally in [Tally::new(1 << 40, 0), Tally::small(1 << 40, 0), Tally::over(1 << 40, 0, Stripes::new(2, 2))] {
            let count = || (0..10_000).for_each(|_| tally.success(AGE, 0));
            thread::scope(|scope| (0..6).for_each(|_| drop(scope.spawn(count))));
            assert_eq!(tally.sum(AGE), sum(60_000, 0));
        }
    }

    #[test]
    fn a_slot_that_is_full_stays_full() {
        let serial = 5 * ONE_SERIAL;
        assert_eq!(counted(serial | (COUNT - 1), serial), Some(serial | COUNT));
        assert_eq!(counted(serial | COUNT, serial), None);
        assert_eq!(counted(serial | COUNT, serial + ONE_SERIAL), Some((serial + ONE_SERIAL) | 1));
    }

    #[test]
    fn a_slot_is_taken_over_unless_it_was_used_since() {
        let at = |slices: i64| (slices as u64) << 28;
        let takes_over = |slot: i64, serial: i64| counted(at(slot) | 9, at(serial)).is_some();
        assert!(takes_over(5, 21) && !takes_over(21, 5));
        assert!(!takes_over(5 + LATE, 5) && takes_over(6 + LATE, 5));
        assert!(takes_over(-3, 13) && !takes_over(13, -3), "the numbers wrap");
        assert_eq!(counted(0, at(-16)), Some(at(-16) | 1), "a new slot has no number");
    }

    /// A result of the list model.
    struct Entry {
        tick: u64,
        is_bad: bool,
    }

    /// Attacks T2, T3.
    #[test]
    fn the_slices_agree_with_a_list() {
        let mut random = fastrand::Rng::with_seed(23);
        for _ in 0..400 {
            let window = if random.bool() { random.u64(32..1_000) } else { random.u64(32..1 << 40) };
            let slice = window / 16;
            let tally = if random.bool() { Tally::new(window, 0) } else { Tally::small(window, 0) };
            let (mut now, mut era, mut began) = (AGE + random.u64(..1 << 40), 0, 0);
            let mut list: Vec<Entry> = Vec::new();
            for _ in 0..200 {
                now += [0, 1, slice, random.u64(..slice + 1), random.u64(..window), window][random.usize(..6)];
                let tick = now - random.u64(..window + window / 4).min(now - began);
                match random.u32(..20) {
                    0 => {
                        era += 1;
                        tally.begin(era, now, window);
                        began = now;
                        list.clear();
                    }
                    1 if era > 0 => tally.success(tick, era - 1),
                    2..=5 => {
                        list.push(Entry { tick: now, is_bad: true });
                        let bad = tally.bad(now);
                        assert_eq!(bad, tally.sum(now).bad);
                    }
                    _ => {
                        list.push(Entry { tick, is_bad: false });
                        tally.success(tick, era);
                    }
                }
                let number = |tick: u64| (tick - began) / slice;
                let live = |entry: &&Entry| number(now) - number(entry.tick) < 16;
                let bad = list.iter().filter(live).filter(|entry| entry.is_bad).count() as u64;
                let calls = list.iter().filter(live).count() as u64;
                assert_eq!(tally.sum(now), sum(calls, bad), "window {window}, at {now}");
                let within = |age: u64| list.iter().filter(|entry| now - entry.tick < age).count() as u64;
                assert!(within((window / 16) * 15) <= calls && calls <= within(window), "window {window}");
            }
        }
    }

    #[test]
    fn eras_never_share_a_number() {
        let tally = Tally::new(32, 0);
        let mut last = tally.serial(AGE);
        for era in 1..1_000 {
            tally.begin(era, AGE, 32);
            let first = tally.serial(AGE);
            assert_eq!(first.wrapping_sub(last), GAP * ONE_SERIAL);
            last = first;
        }
    }
}
