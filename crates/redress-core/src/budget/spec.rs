//! A budget's configuration and its `Display` form. `cell.rs` validates it.

use std::fmt;
use std::time::Duration;

use crate::outcome::readable_duration::Readable;

/// The configuration of a [`Budget`](crate::Budget): input of
/// [`from_spec`](crate::Budget::from_spec), and returned by [`spec`](crate::Budget::spec).
///
/// The values are not validated until `from_spec`. The clock is not included.
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
    /// How many retries are granted in any window. At most 16,777,216; zero grants none. No
    /// default.
    pub max_retries: u32,
    /// How long a retry counts. Must not be zero. No default.
    pub window: Duration,
}

impl BudgetSpec {
    /// Creates the configuration of a budget of `max_retries` in any `window`.
    #[must_use]
    pub const fn new(max_retries: u32, window: Duration) -> Self {
        Self { max_retries, window }
    }
}

/// Writes one line: the limit and the window.
impl fmt::Display for BudgetSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "budget: at most {} retries in {}", self.max_retries, Readable(self.window))
    }
}
