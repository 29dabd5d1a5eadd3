//! Retry settings that do not retry.
//!
//! Owns those settings. What they decide is redress's.

use std::sync::Arc;

use redress_core::RetryConfig;

use crate::strategy::instant_retries;

/// Settings for one attempt and no more: the first failure ends the call, as
/// [`MaxUnknownAttempts`](redress_core::StopReason::MaxUnknownAttempts) if its class is `Unknown`, as
/// [`NonRetryableClass`](redress_core::StopReason::NonRetryableClass) if it is never retried, and else as
/// [`MaxAttemptsGlobal`](redress_core::StopReason::MaxAttemptsGlobal).
///
/// The deadline is the default one; set another, or an attempt timeout, through `Retry::from_config`:
///
/// ```
/// use std::io;
/// use std::time::Duration;
/// use redress_core::{Policy, Retry, StopReason};
/// use redress_testing::no_retries;
///
/// let policy = Policy::builder()
///     .retry(Retry::from_config(no_retries()).deadline(Duration::from_secs(5)))
///     .build()?;
/// let outcome = policy.execute(|| Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionReset)));
/// assert_eq!(outcome.stop_reason(), Some(StopReason::MaxAttemptsGlobal));
/// assert_eq!(outcome.attempts(), 1);
/// # Ok::<(), redress_core::ConfigError>(())
/// ```
#[must_use]
pub fn no_retries() -> RetryConfig {
    let mut config = RetryConfig::default();
    config.max_attempts = 1;
    config.max_unknown_retries = Some(0);
    config.strategy = Some(Arc::new(instant_retries()));
    config
}
