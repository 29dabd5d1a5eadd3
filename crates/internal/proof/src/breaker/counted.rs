//! What a circuit has counted in the present era: failures by window, bad results in a row, and
//! calls by slices of the ratio's window. All in lists.

use std::time::Duration;

use redress_core::ErrorClass;
use redress_core::breaker::{BreakerSpec, Trip, TripRule};

use super::share::{is_reached, millionths};
use crate::doubt::{BEFORE, Events};

/// How many slices the window of the ratio has.
const SLICES: u128 = 16;

/// A success takes the place of a slice that is further ahead than this.
const LATE: u128 = 1 << 20;

/// When an era began.
#[derive(Clone, Copy, Debug)]
enum Began {
    /// As long before the origin as a breaker's time reaches: the first era.
    BeforeAll,
    /// With its first result, which is still to come.
    WithResult,
    /// With this result, or that of a call that began up to a window before it.
    AtResult(Duration),
    At(Duration),
}

#[derive(Clone, Debug)]
pub(super) struct Counted {
    /// By window: that of a class with a separate threshold, or the shared one.
    failures: Vec<(Option<ErrorClass>, Events)>,
    in_a_row: u32,
    began: Began,
    /// Each call by the number of its slice, and whether it was bad.
    calls: Vec<(u128, bool)>,
}

impl Counted {
    /// The first era.
    pub(super) const fn first() -> Self {
        Self { failures: Vec::new(), in_a_row: 0, began: Began::BeforeAll, calls: Vec::new() }
    }

    /// An era that begins now.
    pub(super) fn since(began: Duration) -> Self {
        Self { began: Began::At(began), ..Self::first() }
    }

    /// An era that begins with its first result.
    pub(super) fn at_result() -> Self {
        Self { began: Began::WithResult, ..Self::first() }
    }

    /// A failure in a class with a threshold of its own, which counts towards that alone.
    pub(super) fn fail_alone(
        &mut self,
        spec: &BreakerSpec,
        class: ErrorClass,
        threshold: u32,
        now: Duration,
    ) -> Option<Trip> {
        let count = self.window(spec, Some(class)).add(now);
        (count >= threshold as usize).then(|| saw(TripRule::Class, threshold.into(), None, Some(spec.window())))
    }

    /// Any other bad result: what the first rule that holds saw, in the order of BR2.
    pub(super) fn fail(&mut self, spec: &BreakerSpec, now: Duration) -> Option<Trip> {
        let count = spec.threshold().map(|threshold| (threshold, self.window(spec, None).add(now)));
        self.in_a_row += 1;
        self.count_call(spec, true, now);
        if let Some((threshold, count)) = count {
            if count >= threshold as usize {
                return Some(saw(TripRule::Count, threshold.into(), None, Some(spec.window())));
            }
        }
        if spec.consecutive_failures.is_some_and(|limit| self.in_a_row >= limit) {
            return Some(saw(TripRule::InARow, self.in_a_row.into(), None, None));
        }
        let share = spec.failure_ratio?;
        let in_window: Vec<bool> = self.in_window(spec, now).collect();
        let (calls, bad) = (in_window.len() as u64, in_window.iter().filter(|is_bad| **is_bad).count() as u64);
        let holds = calls >= u64::from(spec.min_calls) && is_reached(millionths(share), bad, calls);
        holds.then(|| saw(TripRule::Ratio, bad, Some(calls), Some(spec.window())))
    }

    /// A success, or a failure that does not count; it counts as a call at this instant.
    pub(super) fn answer(&mut self, spec: &BreakerSpec, at: Duration) {
        self.in_a_row = 0;
        self.count_call(spec, false, at);
    }

    fn window(&mut self, spec: &BreakerSpec, window: Option<ErrorClass>) -> &mut Events {
        let known = self.failures.iter().position(|(of, _)| *of == window).unwrap_or_else(|| {
            self.failures.push((window, Events::new(spec.window())));
            self.failures.len() - 1
        });
        &mut self.failures[known].1
    }

    fn slice(&self, spec: &BreakerSpec, at: Duration) -> u128 {
        let slice = spec.window().as_nanos() / SLICES;
        let since = match self.began {
            Began::BeforeAll => at.saturating_add(BEFORE).as_nanos(),
            Began::WithResult => 0,
            Began::AtResult(first) => (at.as_nanos() + SLICES * slice).saturating_sub(first.as_nanos()),
            Began::At(began) => at.saturating_sub(began).as_nanos(),
        };
        since / slice
    }

    /// Sixteen slices are kept. The place of one goes to the slice that many later.
    fn count_call(&mut self, spec: &BreakerSpec, is_bad: bool, at: Duration) {
        if spec.failure_ratio.is_none() {
            return;
        }
        if matches!(self.began, Began::WithResult) {
            self.began = Began::AtResult(at);
        }
        let slice = self.slice(spec, at);
        let has_its_place = |(of, bad): &(u128, bool)| *bad == is_bad && of % SLICES == slice % SLICES && *of != slice;
        let is_late = |of: u128| of > slice && of - slice <= LATE;
        if self.calls.iter().any(|call| has_its_place(call) && is_late(call.0)) {
            return;
        }
        self.calls.retain(|call| !has_its_place(call));
        self.calls.push((slice, is_bad));
    }

    /// The calls less than a window before or after `now`, by slices: whether each was bad.
    fn in_window(&self, spec: &BreakerSpec, now: Duration) -> impl Iterator<Item = bool> {
        let slice = self.slice(spec, now);
        let is_near = move |of: u128| of.abs_diff(slice) < SLICES;
        self.calls.iter().filter(move |(of, _)| is_near(*of)).map(|(_, is_bad)| *is_bad)
    }
}

/// What the breaker saw when it opened by this rule.
pub(super) fn saw(rule: TripRule, bad: u64, calls: Option<u64>, window: Option<Duration>) -> Trip {
    let mut trip = Trip::new(rule);
    (trip.bad, trip.calls, trip.window) = (bad, calls, window);
    trip
}
