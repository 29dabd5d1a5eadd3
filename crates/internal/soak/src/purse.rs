//! A budget with its clock and its ledger, and the test that it passes after the storm.
//!
//! Also the direct use of budgets; retries take their tokens themselves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redress_core::driver::Clock;
use redress_core::{Budget, ErrorClass, Policy, Retry, fixed};

use crate::clock::{NotedClock, last_told, nanos};
use crate::law::{Law, Laws};
use crate::ledger::Ledger;

pub(crate) struct Purse {
    pub(crate) name: &'static str,
    pub(crate) budget: Budget,
    /// For a budget with its own clock: every grant can be checked.
    noted: Option<Noted>,
    /// The clock of the callers, for a budget without one.
    offered: Option<&'static dyn Clock>,
}

struct Noted {
    clock: Arc<NotedClock>,
    ledger: Ledger,
}

impl Purse {
    /// A budget that uses the time of its policies.
    pub(crate) fn plain(name: &'static str, limit: u32, window: Duration, offered: Option<&'static dyn Clock>) -> Self {
        let budget = Budget::new(limit, window).expect("a limit and a window within bounds");
        Self { name, budget, noted: None, offered }
    }

    /// A budget on a clock that remembers its readings, so that the grants can be checked.
    pub(crate) fn noted(
        laws: &'static Laws,
        name: &'static str,
        limit: u32,
        window: Duration,
        clock: NotedClock,
    ) -> Self {
        let clock = Arc::new(clock);
        let budget = Budget::with_clock(limit, window, Arc::clone(&clock)).expect("a limit and a window within bounds");
        // The first reading becomes the budget's origin: it must be the earliest.
        let _ = budget.remaining();
        let ledger = Ledger::new(laws, name, limit, nanos(window));
        Self { name, budget, noted: Some(Noted { clock, ledger }), offered: None }
    }

    /// Enters a retry that was granted just now, on this thread.
    pub(crate) fn note_retry(&self) {
        self.note(1);
    }

    fn note(&self, cost: u32) {
        if let Some(noted) = &self.noted {
            noted.ledger.enter(last_told(), cost);
        }
    }

    /// Takes tokens without a policy.
    pub(crate) fn take(&self, cost: u32) {
        let granted = match cost {
            1 if self.offered.is_none() => self.budget.consume(),
            _ => self.budget.consume_at(self.now(), cost),
        };
        if granted {
            self.note(cost);
        }
    }

    /// Checks that no more tokens are left than the limit.
    pub(crate) fn look(&self, laws: &Laws) {
        let (left, limit) = (self.budget.remaining_at(self.now()), self.budget.max_retries());
        laws.require(Law::Tokens, left <= limit, || format!("{}: {left} left of {limit}", self.name));
    }

    fn now(&self) -> Instant {
        self.offered.map_or_else(Instant::now, Clock::now)
    }

    /// Stops a logical clock or lets it run, and makes it jump.
    pub(crate) fn disturb(&self, still: bool, jump: Duration) {
        if let Some(noted) = self.noted.as_ref().filter(|noted| noted.clock.is_logical()) {
            noted.clock.stand_still(still);
            noted.clock.jump(jump);
        }
    }

    /// The number of grants entered, and of those entered too late to be checked with all others of
    /// their time.
    pub(crate) fn figures(&self) -> Option<(u64, u64)> {
        self.noted.as_ref().map(|noted| noted.ledger.figures())
    }

    /// Checks after the storm the last grants, and that all tokens are back two windows later, that
    /// a retry takes one, that the limit is exact, and that a refusal takes none.
    pub(crate) fn settle(&self, laws: &Laws) {
        let (window, limit) = (self.budget.window(), self.budget.max_retries());
        if let Some(noted) = &self.noted {
            noted.ledger.close();
            noted.clock.freeze(Duration::ZERO);
        }
        let now = self.later(self.now(), window * 2);
        let left = self.budget.remaining_at(now);
        laws.balance(Law::Tokens, self.name, ("left when all are back", left.into()), ("limit", limit.into()));
        let retries = self.retries_of_one_call(now);
        let left = self.budget.remaining_at(now);
        laws.balance(Law::Tokens, self.name, ("tokens of a call", (limit - left).into()), ("its retries", retries));
        let taken = (0..=limit).filter(|_| self.budget.consume_at(now, 1)).count();
        laws.balance(Law::Tokens, self.name, ("tokens then taken", taken as u64), ("left", left.into()));
        let now = self.later(now, window / 2);
        let granted = self.budget.consume_at(now, 1);
        laws.require(Law::Tokens, !granted, || format!("{}: granted half a window after the last one", self.name));
        let left = self.budget.remaining_at(self.later(now, window / 2));
        laws.balance(Law::Tokens, self.name, ("left a window later", left.into()), ("limit", limit.into()));
    }

    /// An instant later by this time, on the budget's clock or on that of the callers.
    fn later(&self, now: Instant, by: Duration) -> Instant {
        if let Some(noted) = &self.noted {
            noted.clock.jump(by);
        }
        now + by
    }

    fn retries_of_one_call(&self, now: Instant) -> u64 {
        let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(4).budget(self.budget.clone());
        let policy = Policy::builder()
            .retry(retry)
            .classifier(|_: &Result<(), ()>| Some(ErrorClass::Transient))
            .clock(move || now)
            .build()
            .expect("a valid configuration");
        u64::from(policy.execute(|| Err(())).attempts() - 1)
    }
}
