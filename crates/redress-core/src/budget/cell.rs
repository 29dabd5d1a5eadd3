//! `Budget`, a shared limit on the retries of several policies: so many in a rolling window, or as
//! many as successes have earned.

use std::fmt;
use std::time::{Duration, Instant};

use crate::budget::builder::EarnedBudgetBuilder;
use crate::budget::earned::{Answer, Earned};
use crate::budget::priority::Priority;
use crate::budget::spec::BudgetSpec;
use crate::budget::windowed::Windowed;
use crate::budget::withdrawal::Withdrawal;
use crate::classify::class::ErrorClass;
use crate::drive::clock::{Clock, ClockChoice};
use crate::policy::config_error::{ConfigError, ConfigIssue};
use crate::stripes::Thread;
use crate::sync::Arc;

/// The largest limit of a budget and the largest threshold of a breaker: 16,777,216, whose window
/// takes 128 MiB.
pub(crate) const MAX_WINDOW_EVENTS: u32 = 1 << 24;

/// A limit on retries, shared by every policy that holds a clone.
///
/// First attempts are free. A handle: clones share the tokens.
///
/// # Earned by successes
///
/// A budget from [`earned`](Self::earned) holds tokens that successful calls pay for. It starts
/// full. Each success of a call adds a share of a token, up to the capacity, and each retry takes
/// one, or what its class costs. Tokens do not come back with time. In an outage without successes
/// the budget grants at most its capacity, however long the outage lasts.
///
/// A retry that is granted and never starts gives its tokens back: one that is deferred or aborted,
/// that the deadline or an open circuit prevents, or whose call is dropped in the wait.
///
/// If fewer tokens are left than a retry costs, and the call may spend them all, the retry is
/// granted with the probability of the balance divided by the cost, and the balance is then zero.
/// So a budget whose capacity is below one retry still grants some.
///
/// ```
/// use redress::Budget;
///
/// let budget = Budget::earned(0.5).capacity(2.0).build()?;
/// assert!(budget.consume() && budget.consume());
/// assert!(!budget.consume());
/// budget.deposit();
/// budget.deposit();
/// assert_eq!(budget.balance(), 1.0);
/// # Ok::<(), redress::ConfigError>(())
/// ```
///
/// # In a rolling window
///
/// A budget from [`new`](Self::new) grants a fixed number of retries in any window. Each retry
/// takes one token, which becomes available again one window later. A retry that was granted and
/// then deferred or aborted does not return its token. Successes add nothing.
///
/// **Invariant B1**: in any window of the given length at most `max_retries` are granted, for any
/// order and number of callers, if the clock never steps back.
///
/// An instant up to one window behind the latest one counts as that one, so a clock that steps back
/// makes tokens available later, never sooner. A token taken at a reading more than one window
/// ahead of all later ones becomes available again after those have advanced by one window, so one
/// wrong reading does not block the budget for good.
///
/// A retry granted exactly one window ago does not count. The budget takes eight bytes for each
/// retry that the limit allows, reserved when it is created, independent of the traffic.
///
/// ```
/// use std::time::Duration;
/// use redress::Budget;
///
/// let budget = Budget::new(2, Duration::from_secs(60))?;
/// assert!(budget.consume() && budget.consume());
/// assert!(!budget.consume());
/// assert_eq!(budget.remaining(), 0);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Budget {
    account: Arc<Account>,
}

enum Account {
    Window(Windowed),
    Earned(Earned),
}

impl Budget {
    /// Returns a builder of a budget to which each success of a call adds `share` tokens. With a
    /// share of 0.1 a dependency that fails a little sees at most 10 % more attempts than calls.
    ///
    /// ```
    /// use redress::{Budget, Policy, Retry, decorrelated_jitter};
    ///
    /// let budget = Budget::earned(0.1).capacity(10.0).build()?;
    /// let policy = Policy::builder().retry(Retry::builder().strategy(decorrelated_jitter()).budget(budget)).build()?;
    /// # let _ = policy;
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    pub fn earned(share: f64) -> EarnedBudgetBuilder {
        EarnedBudgetBuilder::new(share)
    }

    /// Creates a budget of `max_retries` retries in any `window`. A limit of zero grants none.
    ///
    /// # Errors
    ///
    /// If `window` is zero or longer than 584 years, or `max_retries` is above 16,777,216.
    pub fn new(max_retries: u32, window: Duration) -> Result<Self, ConfigError> {
        Self::from_spec(BudgetSpec::new(max_retries, window))
    }

    /// Creates a budget from its configuration.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new) and [`EarnedBudgetBuilder::build`].
    pub fn from_spec(spec: BudgetSpec) -> Result<Self, ConfigError> {
        match spec {
            BudgetSpec::Window { max_retries, window } => {
                Windowed::new(max_retries, window, ClockChoice::default()).map(Account::Window)
            }
            BudgetSpec::Earned(spec) => Earned::new(spec).map(Account::Earned),
        }
        .map(Self::over)
    }

    /// Like [`new`](Self::new), but with a separate clock, which the budget also uses instead of
    /// the clock of a policy.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_clock(max_retries: u32, window: Duration, clock: impl Clock + 'static) -> Result<Self, ConfigError> {
        Windowed::new(max_retries, window, ClockChoice::custom(clock)).map(Account::Window).map(Self::over)
    }

    /// Returns another budget with the same settings, which is full: for each of many tenants or
    /// clients in one process. It counts the successes of all threads in one place, which takes
    /// less memory, and threads that succeed at the same moment wait for each other.
    ///
    /// ```
    /// use redress::Budget;
    ///
    /// let tenants = Budget::earned(0.1).capacity(2.0).build()?;
    /// let [one, other] = [tenants.alike(), tenants.alike()];
    /// assert!(one.consume() && one.consume() && !one.consume());
    /// assert_eq!(other.balance(), 2.0);
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    #[must_use]
    pub fn alike(&self) -> Self {
        Self::over(match &*self.account {
            Account::Window(windowed) => Account::Window(windowed.alike()),
            Account::Earned(earned) => Account::Earned(earned.alike()),
        })
    }

    /// Whether the two are clones of each other.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.account, &other.account)
    }

    fn over(account: Account) -> Self {
        Self { account: Arc::new(account) }
    }

    #[cfg(all(test, loom))]
    pub(crate) fn of_earned(earned: Earned) -> Self {
        Self::over(Account::Earned(earned))
    }

    /// Takes one token now, on the budget's clock. Returns `false` if none is left.
    #[must_use]
    pub fn consume(&self) -> bool {
        match &*self.account {
            Account::Window(windowed) => windowed.take_now(),
            Account::Earned(earned) => earned.take_tokens(1),
        }
    }

    /// Takes `cost` tokens at `now`. Takes none and returns `false` if fewer are left. A cost of
    /// zero is always granted.
    ///
    /// A budget with a separate clock ignores `now`. So does an earned budget, for which it is the
    /// withdrawal of a call of [`Priority::Normal`]; see [`withdraw`](Self::withdraw).
    #[must_use]
    #[inline]
    pub fn consume_at(&self, now: Instant, cost: u32) -> bool {
        match &*self.account {
            Account::Window(windowed) => windowed.take(now, cost),
            Account::Earned(earned) => earned.take_tokens(cost),
        }
    }

    /// Takes the price of a retry after a failure in this class, for code that sends again outside
    /// a policy. Returns `None` if the budget refuses it. A budget from [`new`](Self::new) takes
    /// one token in every class and at every priority.
    ///
    /// ```
    /// use redress::Budget;
    /// use redress::ErrorClass::{RateLimit, Transient};
    /// use redress::budget::Priority;
    ///
    /// let budget = Budget::earned(0.1).capacity(3.0).cost_for(Transient, 2).build()?;
    /// assert!(budget.withdraw(Transient, Priority::Normal).is_some());
    /// assert_eq!(budget.balance(), 1.0);
    /// assert!(budget.withdraw(RateLimit, Priority::Background).is_none());
    /// assert!(budget.withdraw(RateLimit, Priority::Normal).is_some());
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    #[must_use = "without the withdrawal its tokens cannot come back"]
    pub fn withdraw(&self, class: ErrorClass, priority: Priority) -> Option<Withdrawal<'_>> {
        let answer = match &*self.account {
            Account::Window(windowed) if windowed.take_now() => Answer::GrantedByChance,
            Account::Window(_) => Answer::Refused,
            Account::Earned(earned) => earned.withdraw(class, priority),
        };
        Withdrawal::new(self, class, answer)
    }

    /// The withdrawal of a call. A grant of a rolling window counts as one by chance: nothing comes
    /// back.
    #[inline]
    pub(crate) fn withdraw_at(&self, now: Instant, class: ErrorClass, priority: Priority) -> Answer {
        match &*self.account {
            Account::Window(windowed) if windowed.take(now, 1) => Answer::GrantedByChance,
            Account::Window(_) => Answer::Refused,
            Account::Earned(earned) => earned.withdraw(class, priority),
        }
    }

    /// Gives back the price of a retry that was granted and does not start.
    #[cold]
    pub(crate) fn give_back(&self, class: ErrorClass) {
        if let Account::Earned(earned) = &*self.account {
            earned.give_back(class);
        }
    }

    /// What a retry after a failure in this class costs, in tokens.
    pub(crate) fn cost_of(&self, class: ErrorClass) -> u32 {
        match &*self.account {
            Account::Window(_) => 1,
            Account::Earned(earned) => earned.cost_of(class),
        }
    }

    /// Counts the success of a call, which pays into an earned budget. A policy does this for its
    /// calls. Does nothing for a budget from [`new`](Self::new).
    #[inline]
    pub fn deposit(&self) {
        self.deposit_of(Thread::current());
    }

    /// The same for the running thread, if its number is known already.
    #[inline]
    pub(crate) fn deposit_of(&self, thread: Thread) {
        if let Account::Earned(earned) = &*self.account {
            earned.deposit(thread);
        }
    }

    /// Whether successes pay into it.
    pub(crate) fn is_earned(&self) -> bool {
        matches!(*self.account, Account::Earned(_))
    }

    /// How many tokens are left now, on the budget's clock. Of an earned budget, how many whole
    /// ones.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        match &*self.account {
            Account::Window(windowed) => windowed.remaining_now(),
            Account::Earned(earned) => earned.whole_tokens(),
        }
    }

    /// How many tokens are left at `now`, which a budget with a separate clock and an earned budget
    /// ignore.
    #[must_use]
    pub fn remaining_at(&self, now: Instant) -> u32 {
        match &*self.account {
            Account::Window(windowed) => windowed.remaining(now),
            Account::Earned(earned) => earned.whole_tokens(),
        }
    }

    /// How many tokens are left now, parts of a token included. For a gauge.
    #[must_use]
    pub fn balance(&self) -> f64 {
        match &*self.account {
            Account::Window(_) => self.remaining().into(),
            Account::Earned(earned) => earned.balance(),
        }
    }

    /// The most tokens it ever holds: the limit of a rolling window, or the capacity of an earned
    /// budget.
    #[must_use]
    pub fn capacity(&self) -> f64 {
        match &*self.account {
            Account::Window(windowed) => windowed.max_retries().into(),
            Account::Earned(earned) => earned.spec().capacity,
        }
    }

    /// For an earned budget: its capacity, and the least one that would grant a retry now, in
    /// millionths of a token.
    pub(crate) fn capacity_to_grant(&self, class: ErrorClass, priority: Priority) -> Option<(u64, u64)> {
        match &*self.account {
            Account::Window(_) => None,
            Account::Earned(earned) => Some(earned.capacity_to_grant(class, priority)),
        }
    }

    /// The budget's configuration.
    #[must_use]
    pub fn spec(&self) -> BudgetSpec {
        match &*self.account {
            Account::Window(windowed) => windowed.spec(),
            Account::Earned(earned) => BudgetSpec::Earned(earned.spec()),
        }
    }

    /// Replaces the configuration, for all clones and for the policies that hold one.
    ///
    /// In a rolling window the retries that were granted still count: with a smaller limit, none is
    /// granted until enough of them have left the window, so invariant B1 holds throughout. If the
    /// budget no longer knows all that count, because its limit was lowered before or its window is
    /// longer now, what a higher limit adds is granted once the latest of the others has left.
    ///
    /// An earned budget keeps its balance, up to the new capacity. The successes so far pay by the
    /// old share. The same configuration again changes nothing. The clock stays.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress::Budget;
    /// use redress::budget::BudgetSpec;
    ///
    /// let budget = Budget::new(2, Duration::from_secs(60))?;
    /// assert!(budget.consume() && budget.consume());
    /// budget.reconfigure(BudgetSpec::new(3, Duration::from_secs(60)))?;
    /// assert!(budget.consume() && !budget.consume());
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_spec`](Self::from_spec), and if the spec would turn an earned budget into a
    /// rolling window or the reverse. On an error nothing changes.
    pub fn reconfigure(&self, spec: BudgetSpec) -> Result<(), ConfigError> {
        match (&*self.account, spec) {
            (Account::Window(windowed), BudgetSpec::Window { max_retries, window }) => {
                windowed.reconfigure(max_retries, window)
            }
            (Account::Earned(earned), BudgetSpec::Earned(spec)) => earned.reconfigure(spec),
            (Account::Window(_), BudgetSpec::Earned(_)) => Err(Self::stays("earned", "stay a rolling window")),
            (Account::Earned(_), BudgetSpec::Window { .. }) => Err(Self::stays("window", "stay earned by successes")),
        }
    }

    /// A policy asks when it is built whether successes pay.
    fn stays(kind: &str, rule: &'static str) -> ConfigError {
        ConfigError::from(ConfigIssue::new("budget.kind", kind, rule))
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Budget");
        match self.spec() {
            BudgetSpec::Window { max_retries, window } => {
                shown.field("max_retries", &max_retries).field("window", &window)
            }
            BudgetSpec::Earned(spec) => shown.field("share", &spec.share).field("capacity", &spec.capacity),
        };
        shown.finish_non_exhaustive()
    }
}
