//! The rules that open a closed circuit: thresholds, results in a row, and the ratio. Any of them
//! opens it, and they are asked only when a bad result is recorded.

use super::builder::Counts;
use super::settings::Settings;
use super::share::Share;
use super::spec::BreakerSpec;
use super::tally::Tally;
use super::trip::{Trip, TripRule};
use crate::budget::window::RollingWindow;
use crate::classify::class::ErrorClass;
use crate::drive::clock::nanos;
use crate::stripes::Thread;
use crate::sync::{AtomicU64, Ordering, SetOnce};

/// One window for the classes that count generally, and one for each class with a separate
/// threshold.
pub(super) struct Windows {
    general: Option<(u32, RollingWindow)>,
    alone: Vec<(ErrorClass, u32, RollingWindow)>,
}

impl Windows {
    fn new(spec: &BreakerSpec) -> Self {
        let span = nanos(spec.window());
        let window = |threshold| (threshold, RollingWindow::new(threshold, span));
        let own_window = |class| {
            let (threshold, window) = window(spec.own_threshold(class)?);
            Some((class, threshold, window))
        };
        let alone = ErrorClass::ALL.iter().copied().filter_map(own_window).collect();
        Self { general: spec.threshold().map(window), alone }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn boxed(spec: &BreakerSpec) -> Box<Self> {
        Box::new(Self::new(spec))
    }

    /// Counts a bad result in the general window. Returns whether that is full.
    #[inline]
    fn record(&mut self, now: u64) -> bool {
        self.general.as_mut().is_some_and(|(_, window)| window.record(now))
    }

    /// Counts a failure of a class with a separate threshold. Returns the threshold if it is
    /// reached.
    #[inline(never)]
    fn record_alone(&mut self, class: ErrorClass, now: u64) -> Option<u32> {
        let window = self.alone.iter_mut().find(|(of, ..)| *of == class);
        window.and_then(|(_, threshold, window)| window.record(now).then_some(*threshold))
    }

    /// Whether no failure counts.
    pub(super) fn are_empty(&mut self, now: u64) -> bool {
        let general = self.general.iter_mut().map(|(_, window)| window);
        general.chain(self.alone.iter_mut().map(|(.., window)| window)).all(|window| window.live(now) == 0)
    }

    pub(super) fn clear(&mut self) {
        if let Some((_, window)) = &mut self.general {
            window.clear();
        }
        for (.., window) in &mut self.alone {
            window.clear();
        }
    }
}

/// The rules that successes matter to, as configured.
#[derive(Default)]
pub(super) struct Rules {
    /// How many bad results in a row open the circuit.
    in_a_row: Option<u32>,
    ratio: Option<Ratio>,
}

struct Ratio {
    share: Share,
    min_calls: u64,
    /// With fewer bad results the ratio cannot be reached.
    least_bad: u64,
}

/// Beside the number of an era in place of a row: its first result tells the tick at which its
/// window begins. What changes a mode or a configuration has no tick, because the calls may run on
/// another clock than the system's.
const UNBEGUN: u64 = 1 << 63;

/// What the rules count of successes. Written under the breaker's lock, except for successes that
/// are counted.
#[derive(Default)]
pub(super) struct Counters {
    /// The bad results in a row, or an era that is [`UNBEGUN`]. Read without the lock, to see
    /// whether a success needs it.
    row: AtomicU64,
    /// Present from the first configuration with a ratio on. It is set before the breaker admits
    /// calls of that configuration, so a success of such a call finds it.
    tally: SetOnce<Box<Tally>>,
}

impl Rules {
    pub(super) fn new(spec: &BreakerSpec) -> Self {
        let ratio = spec.failure_ratio.map(|share| {
            let (share, min_calls) = (Share::of(share), u64::from(spec.min_calls));
            Ratio { share, min_calls, least_bad: share.least(min_calls) }
        });
        Self { in_a_row: spec.consecutive_failures, ratio }
    }

    /// Whether every success has to be counted.
    const fn hear_successes(&self) -> bool {
        self.in_a_row.is_some() || self.ratio.is_some()
    }
}

impl Counters {
    /// The counters of a new breaker, in its first era.
    pub(super) fn new(settings: &Settings, is_small: bool) -> Self {
        let counters = Self::default();
        if settings.rules.ratio.is_some() {
            counters.tally(settings, is_small, 0);
        }
        counters
    }

    fn tally(&self, settings: &Settings, is_small: bool, era: u64) -> &Tally {
        let window = nanos(settings.window());
        self.tally.get_or_set(|| Box::new(if is_small { Tally::small(window, era) } else { Tally::new(window, era) }))
    }

    /// Begins an era of this configuration with its first result. Called under the lock.
    pub(super) fn begin_with_result(&self, settings: &Settings, is_small: bool, era: u64) {
        if settings.rules.ratio.is_some() {
            self.tally(settings, is_small, era);
            self.row.store(UNBEGUN | era, Ordering::Release);
        } else {
            self.end_row();
        }
    }

    /// Counts a success without the lock, unless it ends a row.
    #[inline]
    pub(super) fn succeed(&self, began: u64, era: u64) {
        if let Some(tally) = self.tally.get() {
            tally.success(began, era);
        }
    }

    /// The same for a success that ends no row, if the thread has a place to itself and there is a
    /// tick. Returns whether both are.
    #[inline]
    pub(super) fn succeed_alone(&self, began: impl FnOnce() -> Option<u64>, era: u64, thread: Thread) -> bool {
        self.tally.get().is_some_and(|tally| tally.success_alone(began, era, thread))
    }

    /// Whether a success needs the lock: it ends a row of bad results, or begins an era.
    #[inline]
    pub(super) fn need_lock(&self) -> bool {
        self.row.load(Ordering::Acquire) > 0
    }

    /// Counts an answer, which ends the row. Called under the lock.
    pub(super) fn answer(&self, settings: &Settings, began: u64, era: u64) {
        self.begin_at_result(settings, began);
        self.end_row();
        self.succeed(began, era);
    }

    fn end_row(&self) {
        self.row.store(0, Ordering::Release);
    }

    /// Begins an era at this tick. Called under the lock.
    pub(super) fn begin(&self, settings: &Settings, era: u64, now: u64) {
        if let Some(tally) = self.tally_of(settings) {
            tally.begin(era, now, nanos(settings.window()));
        }
        self.end_row();
    }

    /// The era whose first result is still to come.
    fn unbegun(&self) -> Option<u64> {
        let row = self.row.load(Ordering::Acquire);
        (row & UNBEGUN != 0).then_some(row & !UNBEGUN)
    }

    fn begin_at_result(&self, settings: &Settings, tick: u64) {
        let Some(era) = self.unbegun() else { return };
        if let Some(tally) = self.tally_of(settings) {
            tally.begin_with_result(era, tick, nanos(settings.window()));
        }
        // ORDER: after the tally. A success that finds no row counts without the lock.
        self.end_row();
    }

    /// The tally, if the present configuration counts in it.
    fn tally_of(&self, settings: &Settings) -> Option<&Tally> {
        self.tally.get().filter(|_| settings.rules.ratio.is_some()).map(|tally| &**tally)
    }

    /// Records a bad result. Returns what the first rule that holds saw. Called under the lock.
    #[inline]
    pub(super) fn record(
        &self,
        windows: &mut Windows,
        class: Option<ErrorClass>,
        counts: Counts,
        settings: &Settings,
        now: u64,
    ) -> Option<Trip> {
        match (class, counts) {
            (Some(class), Counts::Alone) => {
                let reached = windows.record_alone(class, now)?;
                Some(Trip { bad: u64::from(reached), window: Some(settings.window()), ..Trip::new(TripRule::Class) })
            }
            _ => {
                let counted = windows.record(now).then(|| Trip {
                    bad: settings.spec.threshold().map_or(0, u64::from),
                    window: Some(settings.window()),
                    ..Trip::new(TripRule::Count)
                });
                if settings.rules.hear_successes() { self.record_too(counted, settings, now) } else { counted }
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn record_too(&self, counted: Option<Trip>, settings: &Settings, now: u64) -> Option<Trip> {
        self.begin_at_result(settings, now);
        let row = settings.rules.in_a_row.and_then(|limit| self.record_in_a_row(limit));
        let ratio = settings.rules.ratio.as_ref().zip(self.tally.get());
        let ratio = ratio.and_then(|(ratio, tally)| ratio.record(tally, settings, now));
        counted.or(row).or(ratio)
    }

    fn record_in_a_row(&self, limit: u32) -> Option<Trip> {
        let length = self.row.load(Ordering::Relaxed).saturating_add(1);
        self.row.store(length, Ordering::Release);
        (length >= u64::from(limit)).then(|| Trip { bad: length, ..Trip::new(TripRule::InARow) })
    }

    /// Whether no bad result and no call counts.
    pub(super) fn are_empty(&self, settings: &Settings, now: u64) -> bool {
        let has_no_calls = || self.tally_of(settings).is_none_or(|tally| tally.sum(now).calls == 0);
        self.unbegun().is_some() || (!self.need_lock() && has_no_calls())
    }
}

impl Ratio {
    fn record(&self, tally: &Tally, settings: &Settings, now: u64) -> Option<Trip> {
        if tally.bad(now) < self.least_bad {
            return None;
        }
        let sum = tally.sum(now);
        let is_reached = sum.calls >= self.min_calls && self.share.is_reached(sum.bad, sum.calls);
        is_reached.then(|| Trip {
            bad: sum.bad,
            calls: Some(sum.calls),
            window: Some(settings.window()),
            ..Trip::new(TripRule::Ratio)
        })
    }
}
