//! A budget with its clock and the ledger of its grants, and the test that it passes after the
//! storm.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redress_core::Budget;
use redress_core::driver::Clock;
use redress_proof::{Law, Laws, check_grants};

use crate::clock::{NotedClock, last_told, nanos};

/// The number of grants collected before a check.
const CHUNK: usize = 1 << 14;

/// Checked grants are kept for this many windows, for grants of the same time that are entered
/// later.
const KEPT_WINDOWS: u64 = 256;

pub(crate) struct Purse {
    pub(crate) name: &'static str,
    pub(crate) budget: Budget,
    limit: u32,
    pub(crate) window: Duration,
    /// The clock of a budget that has one, with its grants.
    noted: Option<(Arc<NotedClock>, Mutex<Ledger>)>,
    /// The clock of the callers, for a budget without one.
    offered: Option<&'static dyn Clock>,
}

/// The grants of one budget.
///
/// A thread may be interrupted between a grant and its entry, so entries arrive in any order. They
/// are checked sorted, and recent ones are checked again with the next batch. **The check is
/// exact**: a budget grants at the instant it read, and any window of those instants must stay
/// within its limit. That holds of readings up to a window old when the budget uses them, so a
/// thread that was interrupted for longer enters nothing.
#[derive(Debug, Default)]
struct Ledger {
    fresh: Vec<u64>,
    kept: Vec<u64>,
    entered: u64,
    late: u64,
}

impl Ledger {
    fn check(&mut self, whose: &str, (limit, window): (u32, u64), laws: &Laws) {
        let mut ticks = std::mem::take(&mut self.kept);
        ticks.append(&mut self.fresh);
        ticks.sort_unstable();
        check_grants(&ticks, whose, (limit, window), laws);
        let keep_since = ticks.last().map_or(0, |last| last.saturating_sub(KEPT_WINDOWS * window));
        ticks.drain(..ticks.partition_point(|tick| *tick < keep_since));
        self.kept = ticks;
    }
}

impl Purse {
    /// A budget on the time of its callers.
    pub(crate) fn plain(name: &'static str, limit: u32, window: Duration, offered: Option<&'static dyn Clock>) -> Self {
        let budget = Budget::new(limit, window).expect("a limit and a window within bounds");
        Self { name, budget, limit, window, noted: None, offered }
    }

    /// A budget on a clock that remembers its readings, so that the grants can be checked.
    pub(crate) fn noted(name: &'static str, limit: u32, window: Duration, clock: NotedClock) -> Self {
        let clock = Arc::new(clock);
        let budget = Budget::with_clock(limit, window, Arc::clone(&clock)).expect("a limit and a window within bounds");
        // The first reading becomes the budget's origin: it must be the earliest.
        let _ = budget.remaining();
        Self { name, budget, limit, window, noted: Some((clock, Mutex::default())), offered: None }
    }

    fn limits(&self) -> (u32, u64) {
        (self.limit, nanos(self.window))
    }

    /// Enters tokens that were granted just now, on this thread.
    pub(crate) fn note(&self, cost: u32, laws: &Laws) {
        let Some((clock, ledger)) = &self.noted else { return };
        let is_late = clock.shows().saturating_sub(last_told()) > self.limits().1;
        let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
        if is_late {
            ledger.late += u64::from(cost);
            return;
        }
        ledger.entered += u64::from(cost);
        ledger.fresh.extend((0..cost).map(|_| last_told()));
        if ledger.fresh.len() >= CHUNK {
            ledger.check(self.name, self.limits(), laws);
        }
    }

    /// Takes tokens without a policy, and checks that no more are left than the limit.
    pub(crate) fn take(&self, cost: u32, laws: &Laws) {
        let granted = match cost {
            1 if self.offered.is_none() => self.budget.consume(),
            _ => self.budget.consume_at(self.now(), cost),
        };
        if granted {
            self.note(cost, laws);
        }
        let (left, limit) = (self.budget.remaining_at(self.now()), self.limit);
        laws.require(Law::Tokens, left <= limit, || format!("{}: {left} left of {limit}", self.name));
    }

    fn now(&self) -> Instant {
        self.offered.map_or_else(Instant::now, Clock::now)
    }

    /// Stops a logical clock or lets it run, and makes it jump.
    pub(crate) fn disturb(&self, still: bool, jump: Duration) {
        if let Some((clock, _)) = self.noted.as_ref().filter(|(clock, _)| clock.is_logical()) {
            clock.stand_still(still);
            clock.jump(jump);
        }
    }

    /// The number of grants in the ledger, and of those that came too late to be entered.
    pub(crate) fn entered(&self) -> Option<(u64, u64)> {
        let ledger = self.noted.as_ref()?.1.lock().unwrap_or_else(PoisonError::into_inner);
        Some((ledger.entered, ledger.late))
    }

    /// Checks after the storm the last grants, and that two windows later all tokens are back, the
    /// limit is exact, and a refusal takes none.
    pub(crate) fn settle(&self, laws: &Laws) {
        let (window, limit) = (self.window, self.limit);
        if let Some((clock, ledger)) = &self.noted {
            ledger.lock().unwrap_or_else(PoisonError::into_inner).check(self.name, self.limits(), laws);
            clock.freeze(Duration::ZERO);
        }
        let now = self.later(self.now(), window * 2);
        let left = |now| ("left", u64::from(self.budget.remaining_at(now)));
        laws.balance(Law::Tokens, self.name, left(now), ("limit", limit.into()));
        let taken = (0..=limit).filter(|_| self.budget.consume_at(now, 1)).count();
        laws.balance(Law::Tokens, self.name, ("tokens then taken", taken as u64), ("limit", limit.into()));
        let now = self.later(now, window / 2);
        let granted = u64::from(self.budget.consume_at(now, 1));
        laws.balance(Law::Tokens, self.name, ("granted half a window later", granted), ("allowed", 0));
        laws.balance(Law::Tokens, self.name, left(self.later(now, window / 2)), ("limit", limit.into()));
    }

    /// An instant later by this time, on the budget's clock or on that of the callers.
    fn later(&self, now: Instant, by: Duration) -> Instant {
        if let Some((clock, _)) = &self.noted {
            clock.jump(by);
        }
        now + by
    }
}
