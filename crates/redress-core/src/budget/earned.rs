//! [`Earned`], the account of an earned budget: successes pay in, retries are paid from it.
//!
//! A success only counts itself, in the stripe of its thread. A withdrawal converts the successes
//! since the last one to tokens. Between two withdrawals the balance only grows, so one capped
//! deposit equals as many capped deposits as there were successes.

use std::sync::Arc as Shared;

use super::priority::Priority;
use super::spec::EarnedBudgetSpec;
use crate::classify::class::{ErrorClass, PerClass};
use crate::policy::config_error::{Check, ConfigError};
use crate::strategy::random_source::RandomSource;
use crate::stripes::{Here, Stripes, Thread};
use crate::sync::{AtomicU64, Mutex, Ordering};

/// A token in the unit of balances.
const TOKEN: f64 = 1_000_000.0;

const WHOLE_TOKEN: u64 = 1_000_000;

/// The account of an earned budget. Amounts are in millionths of a token.
///
/// **Invariant B2**: what was taken and not given back never exceeds the capacity plus the share of
/// each success before.
///
/// **Invariant B3**: the balance is never below zero nor above the capacity.
///
/// **Invariant B4**: no more is given back than was granted.
#[derive(Debug)]
pub(crate) struct Earned {
    successes: Stripes<AtomicU64>,
    account: Mutex<Account>,
}

#[derive(Debug)]
struct Account {
    balance: u64,
    /// How many successes the balance includes.
    counted: u64,
    /// What was granted for its price and has not come back.
    granted: u64,
    /// Of budgets that are alike, one.
    terms: Shared<Terms>,
}

/// An [`EarnedBudgetSpec`] in millionths.
#[derive(Debug)]
struct Terms {
    share: u64,
    capacity: u64,
    reserve: u64,
    costs: PerClass<u64>,
    random: RandomSource,
    spec: EarnedBudgetSpec,
}

/// The answer to a withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Refused,
    /// Granted for the price, which comes back if the retry does not start.
    Granted,
    /// Granted for less than the price. Nothing comes back.
    GrantedByChance,
}

impl Earned {
    pub(super) fn new(spec: EarnedBudgetSpec) -> Result<Self, ConfigError> {
        check(&spec)?;
        Ok(Self::over(spec, Stripes::per_thread()))
    }

    pub(crate) fn over(spec: EarnedBudgetSpec, successes: Stripes<AtomicU64>) -> Self {
        Self::with_terms(Shared::new(Terms::new(spec)), successes)
    }

    /// A full account with these terms and a single stripe.
    pub(super) fn alike(&self) -> Self {
        let terms = Shared::clone(&self.account.lock().terms);
        Self::with_terms(terms, Stripes::single())
    }

    fn with_terms(terms: Shared<Terms>, successes: Stripes<AtomicU64>) -> Self {
        let account = Account { balance: terms.capacity, counted: 0, granted: 0, terms };
        Self { successes, account: Mutex::new(account) }
    }

    /// Replaces the terms. What the successes so far have earned, they have earned by the old ones.
    pub(super) fn reconfigure(&self, spec: EarnedBudgetSpec) -> Result<(), ConfigError> {
        check(&spec)?;
        let mut account = self.account.lock();
        if account.terms.spec != spec {
            let balance = self.settle(&mut account);
            account.terms = Shared::new(Terms::new(spec));
            account.balance = balance.min(account.terms.capacity);
        }
        Ok(())
    }

    pub(super) fn spec(&self) -> EarnedBudgetSpec {
        self.account.lock().terms.spec.clone()
    }

    pub(super) fn cost_of(&self, class: ErrorClass) -> u32 {
        self.account.lock().terms.spec.costs[class]
    }

    /// Counts a success of the running thread.
    #[inline]
    pub(crate) fn deposit(&self, thread: Thread) {
        match self.successes.own(thread) {
            Some(count) => count_alone(count),
            None => self.deposit_rarely(),
        }
    }

    #[cold]
    #[inline(never)]
    fn deposit_rarely(&self) {
        match self.successes.here() {
            Here::Own(count) => count_alone(count),
            Here::Shared(count) => {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Takes the price of a retry after a failure in this class.
    pub(crate) fn withdraw(&self, class: ErrorClass, priority: Priority) -> Answer {
        self.take(|terms| terms.costs[class], priority)
    }

    /// Takes whole tokens, at normal priority.
    pub(super) fn take_tokens(&self, tokens: u32) -> bool {
        self.take(|_| u64::from(tokens) * WHOLE_TOKEN, Priority::Normal) != Answer::Refused
    }

    #[inline]
    fn take(&self, price: impl FnOnce(&Terms) -> u64, priority: Priority) -> Answer {
        let mut account = self.account.lock();
        let balance = self.settle(&mut account);
        let terms = &account.terms;
        let (price, kept) = (price(terms), terms.kept(priority));
        if price == 0 || (terms.is_above_line(balance, priority) && balance.saturating_sub(kept) >= price) {
            account.balance = balance.saturating_sub(price);
            account.granted = account.granted.saturating_add(price);
            return Answer::Granted;
        }
        // A part of a token is a chance for those who may spend all there is. It is spent whether
        // or not the draw grants the retry, so that retries cost what they take in the mean.
        if balance == 0 || balance >= price || kept > 0 || priority == Priority::Background {
            return Answer::Refused;
        }
        account.balance = 0;
        if account.terms.random.below(price) < balance { Answer::GrantedByChance } else { Answer::Refused }
    }

    /// The capacity, and the least one with which the present balance would grant a retry: with
    /// more capacity the budget starts with more, and has as much more ever since.
    pub(crate) fn capacity_to_grant(&self, class: ErrorClass, priority: Priority) -> (u64, u64) {
        let mut account = self.account.lock();
        let balance = self.settle(&mut account);
        let terms = &account.terms;
        let short = terms.costs[class].saturating_add(terms.kept(priority)).saturating_sub(balance);
        let below_line = match priority {
            Priority::Background => (terms.capacity + 1).saturating_sub(balance.saturating_mul(2)),
            Priority::Normal | Priority::Critical => 0,
        };
        (terms.capacity, terms.capacity.saturating_add(short.max(below_line)))
    }

    /// Gives back the price of a retry in this class that was granted and did not start. If the
    /// price has changed since, it is the new one, within what was granted in all.
    pub(crate) fn give_back(&self, class: ErrorClass) {
        let mut account = self.account.lock();
        let price = account.terms.costs[class].min(account.granted);
        account.granted -= price;
        account.balance = account.balance.saturating_add(price).min(account.terms.capacity);
    }

    /// The balance, in tokens.
    pub(super) fn balance(&self) -> f64 {
        self.settled() as f64 / TOKEN
    }

    /// The whole tokens of the balance.
    pub(super) fn whole_tokens(&self) -> u32 {
        u32::try_from(self.settled() / WHOLE_TOKEN).unwrap_or(u32::MAX)
    }

    fn settled(&self) -> u64 {
        self.settle(&mut self.account.lock())
    }

    /// Adds what the successes since the last withdrawal have earned, and returns the balance.
    ///
    /// The lock orders the readings of all callers, so the count of successes never decreases.
    fn settle(&self, account: &mut Account) -> u64 {
        let counts = self.successes.iter().map(|count| count.load(Ordering::Relaxed));
        let counted = counts.fold(0, u64::wrapping_add);
        let earned = counted.wrapping_sub(account.counted).saturating_mul(account.terms.share);
        account.counted = counted;
        account.balance = account.balance.saturating_add(earned).min(account.terms.capacity);
        account.balance
    }
}

impl Terms {
    fn new(spec: EarnedBudgetSpec) -> Self {
        Self {
            share: millionths(spec.share),
            capacity: millionths(spec.capacity),
            reserve: millionths(spec.reserve),
            costs: PerClass::from_fn(|class| u64::from(spec.costs[class]) * WHOLE_TOKEN),
            random: spec.seed.map_or(RandomSource::Thread, RandomSource::seeded),
            spec,
        }
    }

    /// What a call of this priority leaves.
    const fn kept(&self, priority: Priority) -> u64 {
        match priority {
            Priority::Normal => self.reserve,
            Priority::Critical | Priority::Background => 0,
        }
    }

    /// Whether enough is left that a call of this priority may spend at all.
    const fn is_above_line(&self, balance: u64, priority: Priority) -> bool {
        !matches!(priority, Priority::Background) || balance > self.capacity - balance
    }
}

fn check(spec: &EarnedBudgetSpec) -> Result<(), ConfigError> {
    let mut check = Check::default();
    check.that((0.000_001..=1e3).contains(&spec.share), "budget.share", spec.share, "be from 0.000001 to 1000");
    check.that(
        (0.000_001..=1e9).contains(&spec.capacity),
        "budget.capacity",
        spec.capacity,
        "be from 0.000001 to 1000000000",
    );
    check.that((0.0..=1e9).contains(&spec.reserve), "budget.reserve", spec.reserve, "be from 0 to 1000000000");
    for (class, cost) in spec.costs.iter() {
        check.of_class(class, (1..=1_000_000).contains(cost), "budget.cost_for", *cost, "be from 1 to 1000000");
    }
    check.finish()
}

/// Tokens in millionths, rounded. The checks bound them.
fn millionths(tokens: f64) -> u64 {
    (tokens * TOKEN).round() as u64
}

/// Counts in a stripe that no other thread writes.
#[inline]
fn count_alone(count: &AtomicU64) {
    count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}
