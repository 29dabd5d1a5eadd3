//! Every grant of a budget with the instant it was granted at, and the check that no window holds
//! too many.
//!
//! Owns the list and its arithmetic. Does not know who was granted what.

use std::sync::{Mutex, PoisonError};

use crate::law::{Law, Laws};

/// How many grants are gathered before they are checked.
const CHUNK: usize = 1 << 14;

/// Checked grants are kept for so many windows, for those that were made at their time and are told
/// of later.
const KEPT_WINDOWS: u64 = 256;

/// The grants of one budget.
///
/// A thread may be held up between a grant and its entry, so entries come in any order: they are
/// checked sorted, and those of the last while are checked again beside the next ones. **The check
/// is exact**: a budget that grants at the instant it read, however late, must keep any window of
/// those instants within its limit.
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

    /// Checks what has not been checked yet.
    pub(crate) fn close(&self) {
        self.check(&mut self.book.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// How many grants were entered, and how many of them too late to be checked beside all of
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

    /// A grant exactly one window old no longer counts, so the one `limit` places on may be as
    /// close as that.
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
