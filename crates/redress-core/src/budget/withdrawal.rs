//! [`Withdrawal`], what a retry took from a budget, for code that sends again outside a policy.

use super::cell::Budget;
use super::earned::Answer;
use crate::classify::class::ErrorClass;

/// The price of one retry, taken from a [`Budget`] by [`withdraw`](Budget::withdraw).
///
/// Dropped, it is spent. Call [`give_back`](Self::give_back) if the retry does not start.
#[derive(Debug)]
#[must_use = "dropped, the tokens are spent"]
pub struct Withdrawal<'a> {
    budget: &'a Budget,
    /// The class whose price comes back, if any does.
    returns: Option<ErrorClass>,
}

impl<'a> Withdrawal<'a> {
    pub(super) fn new(budget: &'a Budget, class: ErrorClass, answer: Answer) -> Option<Self> {
        match answer {
            Answer::Refused => None,
            Answer::Granted => Some(Self { budget, returns: Some(class) }),
            Answer::GrantedByChance => Some(Self { budget, returns: None }),
        }
    }

    /// Gives the tokens back, because the retry does not start. A retry that an
    /// [earned budget](Budget::earned) granted by chance took less than its price, and gives nothing
    /// back; nor does one of a budget from [`Budget::new`].
    ///
    /// ```
    /// use redress::Budget;
    /// use redress::ErrorClass::Transient;
    /// use redress::budget::Priority;
    ///
    /// let budget = Budget::earned(0.1).capacity(1.0).build()?;
    /// let retry = budget.withdraw(Transient, Priority::Normal).expect("it is full");
    /// assert_eq!(budget.balance(), 0.0);
    /// retry.give_back();
    /// assert_eq!(budget.balance(), 1.0);
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    pub fn give_back(self) {
        if let Some(class) = self.returns {
            self.budget.give_back(class);
        }
    }
}
