//! Retry settings without retries.

use std::time::Duration;

use redress_core::policy::RetrySpec;
use redress_core::strategy::StrategySpec;

/// Returns settings for a single attempt. The first failure ends the call with
/// [`MaxUnknownAttempts`](redress_core::StopReason::MaxUnknownAttempts) if its class is `Unknown`,
/// with [`NonRetryableClass`](redress_core::StopReason::NonRetryableClass) if its class is never
/// retried, and otherwise with [`MaxAttempts`](redress_core::StopReason::MaxAttempts).
///
/// ```
/// use std::io;
/// use std::time::Duration;
/// use redress::{Policy, Retry, StopReason};
/// use redress::testing::no_retries;
///
/// let policy = Policy::builder()
///     .retry(Retry::from_spec(no_retries())).deadline(Duration::from_secs(5))
///     .build()?;
/// let outcome = policy.execute(|| Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionReset)));
/// assert_eq!(outcome.stop_reason(), Some(StopReason::MaxAttempts));
/// assert_eq!(outcome.attempts(), 1);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[must_use]
pub fn no_retries() -> RetrySpec {
    let mut spec = RetrySpec::default();
    spec.max_attempts = 1;
    spec.max_unknown_retries = Some(0);
    spec.strategy = Some(StrategySpec::Fixed { delay: Duration::ZERO });
    spec
}
