//! redress's budget as an implementation of tower's `Budget` trait. A withdrawal takes a token;
//! deposits do nothing, because tokens come back with time.

use redress_core::Budget;

/// A [`Budget`] for tower's own retry layer, so that its retries and those of redress's policies
/// are bounded together.
///
/// tower's policies call `withdraw` before a retry and `deposit` on success. Here `deposit` does
/// nothing.
///
/// ```
/// use std::time::Duration;
/// use redress::Budget;
/// use redress::integration::tower::RetryBudget;
/// use tower::retry::budget::Budget as _;
///
/// let budget = Budget::new(1, Duration::from_secs(10))?;
/// let for_tower = RetryBudget::from(budget.clone());
/// assert!(for_tower.withdraw());
/// assert_eq!(budget.remaining(), 0);
/// assert!(!for_tower.withdraw());
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
    fn deposit(&self) {}

    fn withdraw(&self) -> bool {
        self.0.consume()
    }
}
