//! tokio's timer behind redress's seam.
//!
//! Owns the two calls into `tokio::time`. Knows nothing of policies.

use std::time::{Duration, Instant};

use redress_core::driver::Timer;
use tokio::time::{self, Sleep};

/// tokio's timer and clock. It honours a paused clock.
///
/// tokio's timer counts milliseconds and rounds up, so a wait takes up to a millisecond longer than
/// asked; see [`tokio::time::sleep`].
///
/// # Panics
///
/// Waiting panics outside a tokio runtime, or in one without time, as [`tokio::time::sleep`] does.
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
