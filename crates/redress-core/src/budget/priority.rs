//! [`Priority`], how much of an earned budget the retries of a call may spend.

use std::fmt;

use crate::closed_set::closed_set;

/// How important a call is. Decides how far its retries may draw down an
/// [earned budget](crate::Budget::earned). A budget from [`Budget::new`](crate::Budget::new)
/// ignores it.
///
/// Default: [`Normal`](Self::Normal).
///
/// ```
/// use redress::Budget;
/// use redress::budget::Priority;
/// use redress::ErrorClass::Transient;
///
/// let budget = Budget::earned(0.1).capacity(3.0).reserve(1.0).build()?;
/// assert!(budget.withdraw(Transient, Priority::Background).is_some());
/// assert!(budget.withdraw(Transient, Priority::Background).is_some());
/// assert!(budget.withdraw(Transient, Priority::Background).is_none()); // less than half is left
/// assert!(budget.withdraw(Transient, Priority::Normal).is_none()); // it is reserved
/// assert!(budget.withdraw(Transient, Priority::Critical).is_some());
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Priority {
    /// Spends everything, the reserve included.
    Critical,
    /// Leaves the reserve.
    #[default]
    Normal,
    /// Spends only while more than half of the capacity is left. A refresh, a prefetch, a batch.
    Background,
}

closed_set! {
    /// All priorities, the highest first.
    Priority { Critical, Normal, Background }
}

impl Priority {
    /// The name, as [`Display`](fmt::Display) writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Normal => "normal",
            Self::Background => "background",
        }
    }

    /// Returns the priority with this [name](Self::as_str), or `None`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|priority| priority.as_str() == name)
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
