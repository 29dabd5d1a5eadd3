//! [`Timer`], the interface to an asynchronous runtime, and the timers for policies without a
//! runtime. The timers of runtimes are in separate crates.

use std::future::{Future, Ready};
use std::time::{Duration, Instant};

/// A runtime's timer.
///
/// The runtime crates, such as `redress-tokio`, provide implementations. A custom timer implements
/// [`sleep`](Self::sleep). If its runtime has a separate clock, such as one that tests can pause,
/// it also overrides [`now`](Self::now).
///
/// ```
/// use std::future::{Future, poll_fn};
/// use std::pin::Pin;
/// use std::task::Poll;
/// use std::time::{Duration, Instant};
/// use redress::AsyncPolicy;
/// use redress::driver::Timer;
///
/// #[derive(Clone, Copy, Debug)]
/// struct MyTimer;
///
/// impl Timer for MyTimer {
///     type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;
///
///     fn sleep(&self, duration: Duration) -> Self::Sleep {
///         // Your runtime's sleep. This one reads the clock at every poll.
///         let until = Instant::now() + duration;
///         Box::pin(poll_fn(move |context| {
///             context.waker().wake_by_ref();
///             if Instant::now() >= until { Poll::Ready(()) } else { Poll::Pending }
///         }))
///     }
/// }
///
/// let policy = AsyncPolicy::builder().timer(MyTimer).build()?;
/// # drop(policy);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "this asynchronous policy has no timer",
    label = "`{Self}` is not a timer",
    note = "take the policy of your runtime's crate instead: `use redress::runtime::tokio::AsyncPolicy;` (feature `tokio`)",
    note = "or give this one a timer of your own: `AsyncPolicy::builder().timer(MyTimer)`"
)]
pub trait Timer {
    /// The future returned by [`sleep`](Self::sleep). It is stored in the call's future, so its
    /// size adds to every call.
    type Sleep: Future<Output = ()>;

    /// Returns a future that completes when `duration` has passed. Never called with zero.
    fn sleep(&self, duration: Duration) -> Self::Sleep;

    /// Returns a future that completes when an attempt has taken `duration`, which is never zero,
    /// or `None` if the timer cannot measure time and so never cuts attempts. Default:
    /// [`sleep`](Self::sleep).
    fn timeout(&self, duration: Duration) -> Option<Self::Sleep> {
        Some(self.sleep(duration))
    }

    /// Returns the current instant of the timer's clock. Default: the system's monotonic clock.
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

/// The placeholder for a timer that is not set. It does not implement [`Timer`], so a policy with
/// it can be built, but calling it does not compile. The compiler message says what to add.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTimer;

/// A timer for policies whose delays are all zero. Its waits complete at once, and it does not cut
/// attempts.
///
/// For environments without a timer. With a strategy that computes longer delays, retries still
/// follow each other without a pause.
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
