//! Retry budgets: a limit on retries that several policies share.
//!
//! A [`Budget`] bounds the extra load of retries during an outage. Give a clone of it to each
//! [`Retry`](crate::Retry) that it limits.

pub(crate) mod window;
pub(crate) mod cell;
pub(crate) mod spec;

pub use self::cell::Budget;
pub use self::spec::BudgetSpec;
