//! Retry budgets: a limit on retries that several policies share.
//!
//! A [`Budget`] bounds the extra load of retries during an outage. Give a clone of it to each
//! [`Retry`](crate::Retry) that it limits. [`Budget::earned`] makes one that successes pay for,
//! [`Budget::new`] one of so many retries in a rolling window. A [`Priority`] decides how far the
//! retries of a call may draw an earned budget down.

mod builder;
pub(crate) mod cell;
pub(crate) mod earned;
mod priority;
pub(crate) mod spec;
pub(crate) mod window;
mod windowed;
mod withdrawal;

pub use self::builder::EarnedBudgetBuilder;
pub use self::cell::Budget;
pub use self::priority::Priority;
pub use self::spec::{BudgetSpec, EarnedBudgetSpec};
pub use self::withdrawal::Withdrawal;
