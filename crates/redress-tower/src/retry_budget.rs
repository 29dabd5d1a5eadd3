//! redress's budget as an implementation of tower's `Budget` trait.

use redress_core::Budget;

/// A [`Budget`] for tower's own retry layer, so that its retries and those of redress's policies
/// are bounded together.
///
/// tower's policies call `withdraw` before a retry and `deposit` on success. A withdrawal takes one
/// token, as a call of normal priority. A deposit pays into an [earned](Budget::earned) budget, and
/// does nothing for one in a rolling window, whose tokens come back with time.
///
/// ```
/// use redress::Budget;
/// use redress::integration::tower::RetryBudget;
/// use tower::retry::budget::Budget as _;
///
/// let budget = Budget::earned(0.5).capacity(1.0).build()?;
/// let for_tower = RetryBudget::from(budget.clone());
/// assert!(for_tower.withdraw());
/// assert!(!for_tower.withdraw());
/// for_tower.deposit();
/// assert_eq!(budget.balance(), 0.5);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RetryBudget(Budget);

impl From<Budget> for RetryBudget {
    fn from(budget: Budget) -> Self {
        Self(budget)
    }
}

impl tower::retry::budget::Budget for RetryBudget {
    fn deposit(&self) {
        self.0.deposit();
    }

    fn withdraw(&self) -> bool {
        self.0.consume()
    }
}
