//! The same delay every time.

use std::time::Duration;

use super::{BackoffContext, Strategy, StrategySpec};
use crate::policy::config_error::{Check, ConfigIssue};

/// Waits the same time before every retry. Returned by [`fixed`].
///
/// Without jitter, callers that failed together retry together. Prefer
/// [`decorrelated_jitter`](super::decorrelated_jitter) if many of them share a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed(Duration);

/// Returns a strategy that always waits `delay`. A delay of zero retries at once, without the
/// timer.
///
/// ```
/// use std::time::Duration;
/// use redress::{Retry, fixed};
///
/// let retry = Retry::builder().strategy(fixed(Duration::from_millis(50))).max_attempts(3).build()?;
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[must_use]
pub const fn fixed(delay: Duration) -> Fixed {
    Fixed(delay)
}

impl Strategy for Fixed {
    fn delay(&self, _: &BackoffContext<'_>) -> Duration {
        self.0
    }

    fn issues(&self) -> Vec<ConfigIssue> {
        let mut check = Check::default();
        check.countable("fixed", self.0);
        check.into_issues()
    }

    fn spec(&self) -> StrategySpec {
        StrategySpec::Fixed { delay: self.0 }
    }
}
