//! The ledger of a budget: every grant with its instant, and the check that no window holds too
//! many.

use std::sync::{Mutex, PoisonError};

use crate::law::{Law, Laws};

/// The number of grants collected before a check.
const CHUNK: usize = 1 << 14;

/// Checked grants are kept for this many windows, for grants of the same time that are entered
/// later.
const KEPT_WINDOWS: u64 = 256;

/// The grants of one budget.
///
/// A thread may be interrupted between a grant and its entry, so entries arrive in any order. They
/// are checked sorted, and recent ones are checked again with the next batch. **The check is
/// exact**: a budget grants at the instant it read, and any window of those instants must stay
/// within its limit.
#[derive(Debug)]
pub(crate) struct Ledger {
    laws: &'static Laws,
    whose: &'static str,
    limit: usize,
    window: u64,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    fresh: Vec<u64>,
    kept: Vec<u64>,
    entered: u64,
    late: u64,
}

impl Ledger {
    pub(crate) fn new(laws: &'static Laws, whose: &'static str, limit: u32, window: u64) -> Self {
        Self { laws, whose, limit: limit as usize, window, book: Mutex::default() }
    }

    /// Enters `cost` grants at this tick.
    pub(crate) fn enter(&self, tick: u64, cost: u32) {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.entered += u64::from(cost);
        book.fresh.extend((0..cost).map(|_| tick));
        if book.fresh.len() >= CHUNK {
            self.check(&mut book);
        }
    }

    /// Checks the remaining grants.
    pub(crate) fn close(&self) {
        self.check(&mut self.book.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The number of grants entered, and of those entered too late to be checked with all others of
    /// their time.
    pub(crate) fn figures(&self) -> (u64, u64) {
        let book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        (book.entered, book.late)
    }

    fn check(&self, book: &mut Book) {
        let kept_since = book.kept.first().copied().unwrap_or(0);
        book.late += book.fresh.iter().filter(|tick| **tick < kept_since).count() as u64;
        let mut ticks = std::mem::take(&mut book.kept);
        ticks.append(&mut book.fresh);
        ticks.sort_unstable();
        self.check_sorted(&ticks);
        let keep_since = ticks.last().map_or(0, |last| last.saturating_sub(KEPT_WINDOWS * self.window));
        ticks.drain(..ticks.partition_point(|tick| *tick < keep_since));
        book.kept = ticks;
    }

    /// A grant exactly one window old does not count, so the one `limit` places later may be that
    /// close.
    fn check_sorted(&self, ticks: &[u64]) {
        let later = ticks.iter().skip(self.limit);
        for (first, over) in ticks.iter().zip(later) {
            self.laws.require(Law::BudgetWindow, over - first >= self.window, || {
                let (whose, limit, window) = (self.whose, self.limit, self.window);
                format!("{whose}: {} grants from {first} to {over}, limit {limit} in {window} ns", limit + 1)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Ledger;
    use crate::law::{Law, Laws};

    fn broken_by(ticks: &[u64]) -> u64 {
        let laws: &'static Laws = Box::leak(Box::default());
        let ledger = Ledger::new(laws, "test", 2, 10);
        for tick in ticks {
            ledger.enter(*tick, 1);
        }
        ledger.close();
        laws.broken(Law::BudgetWindow)
    }

    #[test]
    fn a_full_window_is_no_breach_and_one_more_is() {
        assert_eq!(broken_by(&[0, 1, 10, 11]), 0);
        assert_eq!(broken_by(&[0, 1, 9]), 1);
        assert_eq!(broken_by(&[5, 5, 5]), 1);
    }

    #[test]
    fn entries_may_come_in_any_order() {
        assert_eq!(broken_by(&[11, 0, 10, 1]), 0);
        assert_eq!(broken_by(&[9, 0, 1]), 1);
    }
}
