//! The virtual clock as the timer of asynchronous policies.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use redress_core::driver::Timer;

use crate::clock::{Alarm, VirtualClock};

/// A [`VirtualClock`] as the timer of an asynchronous policy: backoff, attempt timeouts, the
/// deadline and the breaker's windows all use it. Returned by [`VirtualClock::timer`].
///
/// A wait completes when it is polled with the clock at or past its end. [`VirtualClock::block_on`]
/// advances the clock; under another executor, advance it with [`VirtualClock::advance`].
///
/// ```
/// use std::future::pending;
/// use std::io;
/// use std::time::Duration;
/// use redress::{AsyncPolicy, Cause, Retry, fixed};
/// use redress::testing::VirtualClock;
///
/// let clock = VirtualClock::new();
/// let retry = Retry::builder()
///     .strategy(fixed(Duration::from_secs(60)))
///     .max_attempts(3);
/// let policy = AsyncPolicy::builder()
///     .retry(retry)
///     .attempt_timeout(Duration::from_secs(5))
///     .no_deadline()
///     .timer(clock.timer())
///     .build()?;
///
/// let outcome = clock.block_on(policy.execute(|| pending::<Result<(), io::Error>>()));
/// assert_eq!(outcome.cause(), Some(Cause::Timeout));
/// assert_eq!(outcome.elapsed(), Duration::from_secs(5 + 60 + 5 + 60 + 5));
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct VirtualTimer {
    clock: VirtualClock,
}

impl VirtualTimer {
    pub(crate) const fn new(clock: VirtualClock) -> Self {
        Self { clock }
    }

    /// Returns the clock of this timer.
    #[must_use]
    pub const fn clock(&self) -> &VirtualClock {
        &self.clock
    }
}

impl Timer for VirtualTimer {
    type Sleep = VirtualSleep;

    fn sleep(&self, duration: Duration) -> VirtualSleep {
        VirtualSleep::new(&self.clock, duration, true)
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }
}

/// A wait on a [`VirtualClock`]. Returned by [`VirtualTimer`]; the duration counts from its
/// creation, not from the first poll.
///
/// # Cancel safety
///
/// Dropping it before completion removes its alarm, and records no [wait](VirtualClock::slept).
#[derive(Debug)]
#[must_use = "a wait does nothing unless it is polled"]
pub struct VirtualSleep {
    clock: VirtualClock,
    alarm: Alarm,
    duration: Duration,
    /// Whether completion still has to be recorded among the clock's waits.
    is_noted: bool,
}

impl VirtualSleep {
    /// `is_wait` sets whether completion is recorded among the clock's waits.
    pub(crate) fn new(clock: &VirtualClock, duration: Duration, is_wait: bool) -> Self {
        Self { alarm: clock.alarm(duration), clock: clock.clone(), duration, is_noted: is_wait }
    }
}

impl Future for VirtualSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let due = self.clock.poll_alarm(self.alarm, cx.waker());
        if due.is_ready() && self.is_noted {
            self.is_noted = false;
            self.clock.note_wait(self.duration);
        }
        due
    }
}

impl Drop for VirtualSleep {
    fn drop(&mut self) {
        self.clock.cancel(self.alarm);
    }
}
