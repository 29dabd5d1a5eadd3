//! [`EarnedBudgetBuilder`], which sets the fields of an [`EarnedBudgetSpec`].

use super::cell::Budget;
use super::spec::{BudgetSpec, EarnedBudgetSpec};
use crate::classify::class::ErrorClass;
use crate::policy::config_error::ConfigError;

/// For how many seconds of traffic [`for_traffic`](EarnedBudgetBuilder::for_traffic) keeps tokens.
const SECONDS_OF_TRAFFIC: f64 = 10.0;

/// Builds an [earned budget](Budget::earned). Each method sets a field of an [`EarnedBudgetSpec`].
///
/// # Defaults
///
/// `capacity` 10, `reserve` 0, each class costs 1, chances from the thread's generator.
///
/// ```
/// use redress::{Budget, ErrorClass};
///
/// let budget = Budget::earned(0.1)
///     .capacity(20.0)
///     .cost_for(ErrorClass::Transient, 2)
///     .reserve(4.0)
///     .build()?;
/// assert_eq!(budget.balance(), 20.0);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct EarnedBudgetBuilder {
    spec: EarnedBudgetSpec,
}

impl EarnedBudgetBuilder {
    pub(super) fn new(share: f64) -> Self {
        Self { spec: EarnedBudgetSpec::new(share) }
    }

    /// Sets the most tokens that the budget holds. It holds as many at the start. Default: 10.
    ///
    /// In an outage without successes, all clients together make at most their number times this
    /// many retries. A capacity below 1 is for clients that call rarely: of a retry that costs 1
    /// and finds 0.3 tokens, three in ten are granted. The price is that such a client also repairs
    /// only about three of ten single failures while the dependency is healthy.
    ///
    /// ```
    /// use redress::Budget;
    ///
    /// let for_one_of_10_000_clients = Budget::earned(0.1).capacity(0.3).build()?;
    /// assert_eq!(for_one_of_10_000_clients.balance(), 0.3);
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    pub const fn capacity(mut self, tokens: f64) -> Self {
        self.spec.capacity = tokens;
        self
    }

    /// Sets the capacity to what ten seconds of calls earn if all succeed, at least 0.1 and at most
    /// 1,000. The rate is that of the calls which share this budget.
    ///
    /// ```
    /// use redress::Budget;
    ///
    /// assert_eq!(Budget::earned(0.1).for_traffic(50.0).build()?.balance(), 50.0);
    /// assert_eq!(Budget::earned(0.1).for_traffic(0.001).build()?.balance(), 0.1);
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    pub const fn for_traffic(self, calls_per_second: f64) -> Self {
        let earned = self.spec.share * calls_per_second * SECONDS_OF_TRAFFIC;
        // A rate that is not a number stays one, and `build` refuses it.
        self.capacity(earned.clamp(0.1, 1_000.0))
    }

    /// Sets what a retry after a failure in this class costs. Default: 1.
    ///
    /// A higher cost lets fewer retries of that class through. It suits timeouts, after which the
    /// dependency may still be working on the former attempt.
    pub fn cost_for(mut self, class: ErrorClass, tokens: u32) -> Self {
        self.spec.costs[class] = tokens;
        self
    }

    /// Sets how many tokens are left for calls of
    /// [`Priority::Critical`](super::Priority::Critical). Default: 0.
    ///
    /// Calls of [`Priority::Background`](super::Priority::Background) stop at half of the capacity,
    /// even if more is reserved.
    pub const fn reserve(mut self, tokens: f64) -> Self {
        self.spec.reserve = tokens;
        self
    }

    /// Draws chances from a generator with this seed, for reproducible results. Default: the
    /// thread's generator.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.spec.seed = Some(seed);
        self
    }

    /// Builds the budget.
    ///
    /// # Errors
    ///
    /// If a value is outside the range that [`EarnedBudgetSpec`] states for it.
    pub fn build(self) -> Result<Budget, ConfigError> {
        Budget::from_spec(BudgetSpec::Earned(self.spec))
    }
}
