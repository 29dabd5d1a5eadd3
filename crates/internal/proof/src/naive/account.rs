//! The budget: the grants of a window in a list, or a balance that each success adds to at once.

use std::time::Duration;

use redress_core::ErrorClass;
use redress_core::budget::Priority;

use crate::doubt::{Events, end_of_time};
use crate::world::{BudgetSpec, EarnedSpec};

/// The tokens of a budget.
pub(super) enum Account {
    Window(Grants),
    Earned(Balance),
}

impl Account {
    pub(super) fn new(budget: BudgetSpec) -> Self {
        match budget.earned {
            None => Self::Window(Grants::new(budget)),
            Some(spec) => Self::Earned(Balance::new(spec)),
        }
    }

    /// The tokens left; of an earned budget, millionths of them.
    pub(super) fn left(&mut self, now: Duration) -> u32 {
        match self {
            Self::Window(grants) => grants.left(now),
            Self::Earned(balance) => balance.left as u32,
        }
    }

    /// Takes the price of a retry after a failure in this class, if that is granted. Returns what
    /// comes back if the retry does not start.
    pub(super) fn take(&mut self, class: ErrorClass, priority: Priority, now: Duration) -> Option<u64> {
        match self {
            Self::Window(grants) => grants.takes(now).then_some(0),
            Self::Earned(balance) => balance.take(class, priority),
        }
    }

    /// A call succeeded.
    pub(super) fn succeed(&mut self) {
        if let Self::Earned(balance) = self {
            balance.add(millionths(balance.spec.share));
        }
    }

    /// A retry did not start.
    pub(super) fn give_back(&mut self, price: u64) {
        if let Self::Earned(balance) = self {
            balance.add(price);
        }
    }
}

fn millionths(tokens: f64) -> u64 {
    (tokens * 1e6).round() as u64
}

/// The account of an earned budget: BU2 to BU8.
pub(super) struct Balance {
    spec: EarnedSpec,
    left: u64,
    random: fastrand::Rng,
}

impl Balance {
    fn new(spec: EarnedSpec) -> Self {
        Self { spec, left: millionths(spec.capacity), random: fastrand::Rng::with_seed(spec.seed) }
    }

    fn add(&mut self, tokens: u64) {
        self.left = (self.left + tokens).min(millionths(self.spec.capacity));
    }

    fn take(&mut self, class: ErrorClass, priority: Priority) -> Option<u64> {
        let price = u64::from(self.spec.cost_of(class)) * 1_000_000;
        let (reserve, capacity) = (millionths(self.spec.reserve), millionths(self.spec.capacity));
        let pays = match priority {
            Priority::Critical => self.left >= price,
            Priority::Background => self.left >= price && self.left * 2 > capacity,
            _ => self.left >= price + reserve,
        };
        if pays {
            self.left -= price;
            return Some(price);
        }
        // A part of the price is a chance for those who may spend all. The draw spends it.
        let may_spend_all = priority == Priority::Critical || (priority == Priority::Normal && reserve == 0);
        if !may_spend_all || self.left == 0 {
            return None;
        }
        let chance = std::mem::take(&mut self.left);
        (self.random.u64(..price) < chance).then_some(0)
    }
}

/// The tokens that a window granted.
pub(super) struct Grants {
    budget: BudgetSpec,
    granted: Events,
    /// The end of the budget's time, once it has been used.
    end: Option<Duration>,
}

impl Grants {
    const fn new(budget: BudgetSpec) -> Self {
        Self { budget, granted: Events::new(budget.window), end: None }
    }

    fn left(&mut self, now: Duration) -> u32 {
        let now = now.min(*self.end.get_or_insert_with(|| end_of_time(now)));
        self.granted.observe(now);
        self.budget.limit.saturating_sub(self.granted.count(now) as u32)
    }

    fn takes(&mut self, now: Duration) -> bool {
        let is_granted = self.left(now) > 0;
        if is_granted {
            self.granted.push(self.end.map_or(now, |end| now.min(end)));
        }
        is_granted
    }
}
