//! Implements redress's `Timer` with `tokio::time`.

use std::time::{Duration, Instant};

use redress_core::driver::Timer;
use tokio::time::{self, Sleep};

/// tokio's timer and clock, including the paused clock.
///
/// tokio's timer rounds up to milliseconds, so a wait may take up to a millisecond longer than
/// requested; see [`tokio::time::sleep`].
///
/// # Panics
///
/// Waiting panics outside a tokio runtime, or in one without time enabled, as
/// [`tokio::time::sleep`] does.
///
/// ```
/// use redress::AsyncPolicy;
/// use redress::runtime::tokio::TokioTimer;
///
/// let policy = AsyncPolicy::builder().timer(TokioTimer).build()?;
/// # drop(policy);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioTimer;

impl Timer for TokioTimer {
    type Sleep = Sleep;

    fn sleep(&self, duration: Duration) -> Sleep {
        time::sleep(duration)
    }

    #[inline]
    fn now(&self) -> Instant {
        time::Instant::now().into_std()
    }
}
