//! The budget that policies share, and the rolling window that it and the breaker count in.

pub(crate) mod window;
pub(crate) mod cell;
pub(crate) mod spec;

pub use self::cell::Budget;
pub use self::spec::BudgetSpec;
