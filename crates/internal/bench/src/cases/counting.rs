//! Ways to count a success in slices of a window, of which redress uses the first: what each costs
//! on one thread, on two, and with so many counters that they do not stay in the processor's cache.
//!
//! These are models of the ways, and not the code of a crate. They share the work that is the same
//! in all: the slice of the instant, and the era that still has to be the present one.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::case::Kind::Blocking;
use crate::case::{Batch, Case, Who};

const FEW: &str = "counted";
const MANY: &str = "counted-1000";

pub(super) const CASES: &[Case] = &[
    case(FEW, "own stripe: load and store", || counts(1, Tally::own)),
    case(FEW, "own stripe: compare-exchange", || counts(1, Tally::striped)),
    case(FEW, "shared: compare-exchange", || counts(1, Tally::shared)),
    case(FEW, "shared: fetch_add, no slices", || counts(1, Tally::added)),
    case(FEW, "shared: a mutex", || counts(1, Tally::locked)),
    case(MANY, "own stripe: load and store", || counts(1_000, Tally::own)),
    case(MANY, "own stripe: compare-exchange", || counts(1_000, Tally::striped)),
    case(MANY, "shared: compare-exchange", || counts(1_000, Tally::shared)),
    case(MANY, "shared: fetch_add, no slices", || counts(1_000, Tally::added)),
    case(MANY, "shared: a mutex", || counts(1_000, Tally::locked)),
];

const fn case(row: &'static str, name: &'static str, prepare: fn() -> Batch) -> Case {
    Case::new(row, Who::Peer, Blocking, name, prepare)
}

/// Stripes for two threads and the one that prepares the case.
const STRIPES: usize = 4;

const COUNT_BITS: u32 = 28;

/// A slice of two seconds or so.
const SLICE_BITS: u32 = 31;

#[derive(Default)]
#[repr(align(128))]
struct Stripe([AtomicU64; 16]);

#[derive(Default)]
struct Tally {
    era: AtomicU64,
    began: AtomicU64,
    stripes: [Stripe; STRIPES],
    locked: Mutex<[u64; 16]>,
}

impl Tally {
    fn own(&self, now: u64) {
        let Some(serial) = self.serial(now) else { return };
        let slot = &self.stripes[number()].0[slot(serial)];
        slot.store(counted(slot.load(Ordering::Relaxed), serial), Ordering::Relaxed);
    }

    fn striped(&self, now: u64) {
        let Some(serial) = self.serial(now) else { return };
        exchange(&self.stripes[number()].0[slot(serial)], serial);
    }

    fn shared(&self, now: u64) {
        let Some(serial) = self.serial(now) else { return };
        exchange(&self.stripes[0].0[slot(serial)], serial);
    }

    fn added(&self, now: u64) {
        if self.serial(now).is_some() {
            self.stripes[0].0[0].fetch_add(1, Ordering::Relaxed);
        }
    }

    fn locked(&self, now: u64) {
        let Some(serial) = self.serial(now) else { return };
        let mut words = self.locked.lock().expect("no thread panics with it");
        let word = &mut words[slot(serial)];
        *word = counted(*word, serial);
    }

    /// The number of the slice, above the bits that count.
    #[inline]
    fn serial(&self, now: u64) -> Option<u64> {
        let slice = now.saturating_sub(self.began.load(Ordering::Acquire)) >> SLICE_BITS;
        (self.era.load(Ordering::Relaxed) == 0).then_some(slice << COUNT_BITS)
    }
}

#[inline]
const fn slot(serial: u64) -> usize {
    (serial >> COUNT_BITS) as usize % 16
}

#[inline]
const fn counted(word: u64, serial: u64) -> u64 {
    if (word ^ serial) >> COUNT_BITS == 0 { word + 1 } else { serial | 1 }
}

#[inline]
fn exchange(slot: &AtomicU64, serial: u64) {
    let mut word = slot.load(Ordering::Relaxed);
    while let Err(other) = slot.compare_exchange_weak(word, counted(word, serial), Ordering::Relaxed, Ordering::Relaxed)
    {
        word = other;
    }
}

/// A small number for each thread. Threads of a case run two at a time, so numbers are reused.
#[inline]
fn number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    NUMBER.with(|number| match number.get() {
        usize::MAX => {
            number.set(NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES);
            number.get()
        }
        known => known,
    })
}

/// Counts with so many counters, in an order that no prefetcher knows.
fn counts(counters: usize, count: fn(&Tally, u64)) -> Batch {
    let tallies: Box<[Tally]> = (0..counters).map(|_| Tally::default()).collect();
    Box::new(move |times| {
        let mut next = 0;
        for _ in 0..times {
            count(black_box(&tallies[next]), black_box(1 << 40));
            next = (next * 5 + 3) % tallies.len();
        }
    })
}
