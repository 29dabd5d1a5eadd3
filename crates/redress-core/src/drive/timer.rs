//! The seam to an asynchronous runtime: something that completes after a while.
//!
//! Owns the trait and the placeholder for "no timer chosen". The runtimes' timers are in crates of
//! their own.

use std::future::{Future, Ready};
use std::time::{Duration, Instant};

/// A runtime's timer.
///
/// Take one from a runtime's crate (`redress-tokio` and its siblings). To write one, implement
/// [`sleep`](Self::sleep); a runtime with a clock of its own, such as a paused one in tests, also
/// overrides [`now`](Self::now).
#[diagnostic::on_unimplemented(
    message = "this asynchronous policy has no timer",
    label = "`{Self}` is not a timer",
    note = "take the policy of your runtime's crate instead: `use redress::runtime::tokio::AsyncPolicy;` (feature `tokio`)",
    note = "or give this one a timer of your own: `AsyncPolicy::builder().timer(MyTimer)`"
)]
pub trait Timer {
    /// The future [`sleep`](Self::sleep) returns. It is stored inside the call's future, so a small
    /// one keeps calls small.
    type Sleep: Future<Output = ()>;

    /// Completes when `duration` has passed. Never called with zero.
    fn sleep(&self, duration: Duration) -> Self::Sleep;

    /// Cuts an attempt after `duration`, which is never zero: [`sleep`](Self::sleep), or `None` for
    /// a timer that cannot tell how time passes. Default: `sleep`.
    fn timeout(&self, duration: Duration) -> Option<Self::Sleep> {
        Some(self.sleep(duration))
    }

    /// The current instant, on the clock the timer runs by. Default: the system's monotonic clock.
    fn now(&self) -> Instant {
        Instant::now()
    }
}

impl<Tm: Timer> Timer for &Tm {
    type Sleep = Tm::Sleep;

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        (**self).sleep(duration)
    }

    fn timeout(&self, duration: Duration) -> Option<Self::Sleep> {
        (**self).timeout(duration)
    }

    fn now(&self) -> Instant {
        (**self).now()
    }
}

impl<Tm: Timer> Timer for std::sync::Arc<Tm> {
    type Sleep = Tm::Sleep;

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        (**self).sleep(duration)
    }

    fn timeout(&self, duration: Duration) -> Option<Self::Sleep> {
        (**self).timeout(duration)
    }

    fn now(&self) -> Instant {
        (**self).now()
    }
}

/// The timer of a policy for which none was chosen. It is not a [`Timer`], so such a policy builds
/// but makes no calls: the compiler says what to add.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTimer;

/// The timer for policies that never wait: no delays but zero. A wait on it completes at once, and
/// it cuts no attempts.
///
/// For environments without a timer; with a strategy other than a zero delay, retries follow each
/// other without pause.
#[derive(Clone, Copy, Debug, Default)]
pub struct InstantTimer;

impl Timer for InstantTimer {
    type Sleep = Ready<()>;

    fn sleep(&self, _: Duration) -> Self::Sleep {
        std::future::ready(())
    }

    fn timeout(&self, _: Duration) -> Option<Self::Sleep> {
        None
    }
}
