//! The rules that open a closed circuit: thresholds, results in a row, and the ratio. Any of them
//! opens it, and they are asked only when a bad result is recorded.

use super::builder::Counts;
use super::share::Share;
use super::spec::BreakerSpec;
use super::tally::Tally;
use super::trip::{Trip, TripRule};
use crate::budget::window::RollingWindow;
use crate::classify::class::ErrorClass;
use crate::drive::clock::nanos;
use crate::sync::{AtomicU64, Ordering};

/// One window for the classes that count generally, and one for each class with a separate
/// threshold.
pub(super) struct Windows {
    general: Option<(u32, RollingWindow)>,
    alone: Vec<(ErrorClass, u32, RollingWindow)>,
}

impl Windows {
    pub(super) fn new(spec: &BreakerSpec) -> Self {
        let span = nanos(spec.window());
        let window = |threshold| (threshold, RollingWindow::new(threshold, span));
        let own_window = |class| {
            let (threshold, window) = window(spec.own_threshold(class)?);
            Some((class, threshold, window))
        };
        let alone = ErrorClass::ALL.iter().copied().filter_map(own_window).collect();
        Self { general: spec.threshold().map(window), alone }
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

/// The rules that successes matter to. Written under the breaker's lock, except for successes that
/// are counted.
#[derive(Default)]
pub(super) struct Rules {
    row: Option<Row>,
    ratio: Option<Box<Ratio>>,
}

/// Bad results in a row.
struct Row {
    limit: u32,
    /// Written under the breaker's lock. Read without it, to see whether a success ends anything.
    length: AtomicU64,
}

struct Ratio {
    share: Share,
    min_calls: u64,
    /// With fewer bad results the ratio cannot be reached.
    least_bad: u64,
    tally: Tally,
}

impl Rules {
    pub(super) fn new(spec: &BreakerSpec, era: u64, is_small: bool) -> Self {
        let row = spec.consecutive_failures.map(|limit| Row { limit, length: AtomicU64::new(0) });
        let ratio = spec.failure_ratio.map(|share| {
            let (share, min_calls) = (Share::of(share), u64::from(spec.min_calls));
            let window = nanos(spec.window());
            let tally = if is_small { Tally::small(window, era) } else { Tally::new(window, era) };
            Box::new(Ratio { share, min_calls, least_bad: share.least(min_calls), tally })
        });
        Self { row, ratio }
    }

    /// Whether every success has to be counted.
    pub(super) const fn hear_successes(&self) -> bool {
        self.row.is_some() || self.ratio.is_some()
    }

    /// Whether the instant at which a successful call began matters.
    pub(super) const fn read_starts(&self) -> bool {
        self.ratio.is_some()
    }

    /// Counts a success without the lock, unless it ends a row.
    #[inline]
    pub(super) fn succeed(&self, began: u64, era: u64) {
        if let Some(ratio) = &self.ratio {
            ratio.tally.success(began, era);
        }
    }

    /// Whether an answer ends a row of bad results.
    #[inline]
    pub(super) fn is_in_a_row(&self) -> bool {
        self.row.as_ref().is_some_and(|row| row.length.load(Ordering::Acquire) > 0)
    }

    /// Ends the row. Called under the lock.
    pub(super) fn end_row(&self) {
        if let Some(row) = &self.row {
            row.length.store(0, Ordering::Release);
        }
    }

    /// Begins an era. Called under the lock.
    pub(super) fn begin(&self, era: u64, now: u64) {
        self.end_row();
        if let Some(ratio) = &self.ratio {
            ratio.tally.begin(era, now);
        }
    }

    /// Records a bad result. Returns what the first rule that holds saw. Called under the lock.
    #[inline]
    pub(super) fn record(
        &self,
        windows: &mut Windows,
        class: Option<ErrorClass>,
        counts: Counts,
        spec: &BreakerSpec,
        now: u64,
    ) -> Option<Trip> {
        match (class, counts) {
            (Some(class), Counts::Alone) => {
                let reached = windows.record_alone(class, now)?;
                Some(Trip { bad: u64::from(reached), window: Some(spec.window()), ..Trip::new(TripRule::Class) })
            }
            _ => {
                let counted = windows.record(now).then(|| Trip {
                    bad: spec.threshold().map_or(0, u64::from),
                    window: Some(spec.window()),
                    ..Trip::new(TripRule::Count)
                });
                if self.hear_successes() { self.record_too(counted, spec, now) } else { counted }
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn record_too(&self, counted: Option<Trip>, spec: &BreakerSpec, now: u64) -> Option<Trip> {
        let row = self.row.as_ref().and_then(Row::record);
        let ratio = self.ratio.as_ref().and_then(|ratio| ratio.record(spec, now));
        counted.or(row).or(ratio)
    }

    /// Whether no bad result and no call counts.
    pub(super) fn are_empty(&self, now: u64) -> bool {
        !self.is_in_a_row() && self.ratio.as_ref().is_none_or(|ratio| ratio.tally.sum(now).calls == 0)
    }
}

impl Row {
    fn record(&self) -> Option<Trip> {
        let length = self.length.load(Ordering::Relaxed).saturating_add(1);
        self.length.store(length, Ordering::Release);
        (length >= u64::from(self.limit)).then(|| Trip { bad: length, ..Trip::new(TripRule::InARow) })
    }
}

impl Ratio {
    fn record(&self, spec: &BreakerSpec, now: u64) -> Option<Trip> {
        if self.tally.bad(now) < self.least_bad {
            return None;
        }
        let sum = self.tally.sum(now);
        let is_reached = sum.calls >= self.min_calls && self.share.is_reached(sum.bad, sum.calls);
        is_reached.then(|| Trip {
            bad: sum.bad,
            calls: Some(sum.calls),
            window: Some(spec.window()),
            ..Trip::new(TripRule::Ratio)
        })
    }
}
