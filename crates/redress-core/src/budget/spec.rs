//! A budget's configuration as plain data.
//!
//! Owns the fields and how they read. What is refused is `cell.rs`.

use std::fmt;
use std::time::Duration;

use crate::outcome::readable_duration::Readable;

/// The configuration of a [`Budget`](crate::Budget), which a budget is [built
/// from](crate::Budget::from_spec) and [gives back](crate::Budget::spec).
///
/// Plain data that nothing has checked: `from_spec` does. The clock is not part of it.
///
/// ```
/// use std::time::Duration;
/// use redress::Budget;
/// use redress::budget::BudgetSpec;
///
/// let spec = BudgetSpec::new(20, Duration::from_secs(60));
/// assert_eq!(spec.to_string(), "budget: at most 20 retries in 1 min");
/// assert_eq!(Budget::from_spec(spec)?.spec(), spec);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetSpec {
    /// How many retries are granted in any window. There is no default.
    pub max_retries: u32,
    /// How long a retry counts. There is no default.
    pub window: Duration,
}

impl BudgetSpec {
    /// At most `max_retries` in any `window`.
    #[must_use]
    pub const fn new(max_retries: u32, window: Duration) -> Self {
        Self { max_retries, window }
    }
}

/// One line: the limit and the window.
impl fmt::Display for BudgetSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "budget: at most {} retries in {}", self.max_retries, Readable(self.window))
    }
}
