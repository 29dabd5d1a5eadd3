//! Strategies with delays known in advance.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use redress_core::fixed;
use redress_core::strategy::{BackoffContext, Fixed, Strategy};

use crate::lock::lock;

/// A strategy that returns the delays of a list by the number of the failed attempt, and records
/// each request.
///
/// Past the end of the list it returns the delay set by [`otherwise`](Self::otherwise), or else the
/// last delay of the list, or zero if the list is empty. A handle: clones share the record, so keep
/// one and pass a clone to the policy.
///
/// ```
/// use std::io;
/// use std::time::Duration;
/// use redress::{Policy, Retry};
/// use redress::testing::{DeterministicStrategy, VirtualClock};
///
/// let clock = VirtualClock::new();
/// let strategy = DeterministicStrategy::new([1, 5].map(Duration::from_secs));
/// let policy = Policy::builder()
///     .retry(Retry::builder().strategy(strategy.clone()).max_attempts(4))
///     .clock(clock.clone())
///     .sleep_with(clock.sleeper())
///     .build()?;
///
/// let _ = policy.call(|| Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionReset)));
/// assert_eq!(clock.slept(), [1, 5, 5].map(Duration::from_secs));
/// assert_eq!(strategy.calls()[1].prev_delay, Some(Duration::from_secs(1)));
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct DeterministicStrategy {
    sleeps: Arc<[Duration]>,
    otherwise: Option<Duration>,
    calls: Arc<Mutex<Vec<BackoffContext<'static>>>>,
}

impl DeterministicStrategy {
    /// Creates a strategy that waits the first of `sleeps` after the first attempt, the second
    /// after the second, and so on.
    pub fn new(sleeps: impl IntoIterator<Item = Duration>) -> Self {
        Self { sleeps: sleeps.into_iter().collect(), otherwise: None, calls: Arc::default() }
    }

    /// Sets the delay past the end of the list. Default: the last delay of the list.
    #[must_use]
    pub fn otherwise(mut self, sleep: Duration) -> Self {
        self.otherwise = Some(sleep);
        self
    }

    /// Returns the requests for delays so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<BackoffContext<'static>> {
        lock(&self.calls).clone()
    }

    /// Clears the record. The delays depend only on the number of the attempt, so they are
    /// unaffected.
    pub fn reset(&self) {
        lock(&self.calls).clear();
    }
}

impl Strategy for DeterministicStrategy {
    fn delay(&self, context: &BackoffContext<'_>) -> Duration {
        lock(&self.calls).push(context.clone().into_owned());
        let index = usize::try_from(context.attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        let listed = self.sleeps.get(index).copied();
        listed.or(self.otherwise).or_else(|| self.sleeps.last().copied()).unwrap_or_default()
    }
}

/// Returns a strategy whose delays are all zero.
///
/// ```
/// use redress::{Policy, Retry};
/// use redress::testing::instant_retries;
///
/// let policy = Policy::builder().retry(Retry::builder().strategy(instant_retries()).max_attempts(3)).build()?;
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[must_use]
pub const fn instant_retries() -> Fixed {
    fixed(Duration::ZERO)
}
