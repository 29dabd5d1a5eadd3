//! A budget's configuration and its `Display` form. `cell.rs` and `earned.rs` validate it.

use std::fmt;
use std::time::Duration;

use crate::classify::class::{ErrorClass, PerClass};
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
/// assert_eq!(Budget::from_spec(spec.clone())?.spec(), spec);
///
/// let spec = BudgetSpec::earned(0.1);
/// assert_eq!(spec.to_string(), "budget: 0.1 retries for each success, at most 10");
/// assert_eq!(Budget::from_spec(spec.clone())?.spec(), spec);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum BudgetSpec {
    /// [`Budget::new`](crate::Budget::new): so many retries in any window.
    Window {
        /// How many retries are granted in any window. At most 16,777,216; zero grants none. No
        /// default.
        max_retries: u32,
        /// How long a retry counts. Must not be zero. No default.
        window: Duration,
    },
    /// [`Budget::earned`](crate::Budget::earned): retries that successes pay for.
    Earned(EarnedBudgetSpec),
}

impl BudgetSpec {
    /// Creates the configuration of a budget of `max_retries` in any `window`.
    #[must_use]
    pub const fn new(max_retries: u32, window: Duration) -> Self {
        Self::Window { max_retries, window }
    }

    /// Creates the configuration of a budget to which each success adds `share` tokens, with the
    /// defaults of [`EarnedBudgetSpec`].
    #[must_use]
    pub fn earned(share: f64) -> Self {
        Self::Earned(EarnedBudgetSpec::new(share))
    }
}

/// The configuration of an earned budget, in tokens. Each field is a method of
/// [`EarnedBudgetBuilder`](super::EarnedBudgetBuilder).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EarnedBudgetSpec {
    /// What each success adds. From 0.000001 to 1,000. Default: 0.1.
    pub share: f64,
    /// The most that the budget holds, and what it holds at the start. From 0.000001 to
    /// 1,000,000,000. Default: 10.
    pub capacity: f64,
    /// What is left for calls of [`Priority::Critical`](super::Priority::Critical). From 0 to
    /// 1,000,000,000. Default: 0.
    pub reserve: f64,
    /// What a retry after a failure in each class costs. From 1 to 1,000,000. Default: 1.
    pub costs: PerClass<u32>,
    /// The seed of the chances; `None` draws from the thread's generator. Default: `None`.
    pub seed: Option<u64>,
}

impl EarnedBudgetSpec {
    /// Creates the configuration of a budget to which each success adds `share` tokens.
    #[must_use]
    pub fn new(share: f64) -> Self {
        Self { share, capacity: 10.0, reserve: 0.0, costs: PerClass::from_fn(|_| 1), seed: None }
    }

    /// The classes whose cost is not 1.
    fn dear(&self) -> impl Iterator<Item = (ErrorClass, u32)> {
        self.costs.iter().map(|(class, cost)| (class, *cost)).filter(|(_, cost)| *cost != 1)
    }
}

impl Default for EarnedBudgetSpec {
    fn default() -> Self {
        Self::new(0.1)
    }
}

/// Writes one line: the limit and the window, or what a success adds, the capacity and every
/// setting that is not the default.
impl fmt::Display for BudgetSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Window { max_retries, window } => {
                write!(f, "budget: at most {max_retries} retries in {}", Readable(*window))
            }
            Self::Earned(spec) => write!(f, "budget: {spec}"),
        }
    }
}

impl fmt::Display for EarnedBudgetSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} retries for each success, at most {}", self.share, self.capacity)?;
        if self.reserve != 0.0 {
            write!(f, ", {} reserved for critical calls", self.reserve)?;
        }
        for (class, cost) in self.dear() {
            write!(f, ", {cost} for {class}")?;
        }
        self.seed.map_or(Ok(()), |seed| write!(f, ", seed {seed}"))
    }
}
