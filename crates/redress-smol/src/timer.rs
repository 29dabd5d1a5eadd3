//! Implements redress's `Timer` with `async_io::Timer`.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use redress_core::driver::Timer;

/// smol's timer: [`async_io::Timer`], which smol exports as `smol::Timer`, and on which
/// `async_std::task::sleep` waits too. The clock is the system's monotonic clock.
///
/// It works under any executor and outside of one: the background thread of `async-io` drives it if
/// nothing else does. A wait never ends early.
///
/// ```
/// use redress::AsyncPolicy;
/// use redress::runtime::smol::SmolTimer;
///
/// let policy = AsyncPolicy::builder().timer(SmolTimer).build()?;
/// # drop(policy);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SmolTimer;

#[diagnostic::do_not_recommend]
impl Timer for SmolTimer {
    type Sleep = SmolSleep;

    fn sleep(&self, duration: Duration) -> SmolSleep {
        SmolSleep(async_io::Timer::after(duration))
    }
}

/// A wait on smol's timer. Returned by [`SmolTimer`]; the duration counts from its creation, not
/// from the first poll. A wait that would end after the last instant of the system's clock never
/// completes.
///
/// # Cancel safety
///
/// Dropping it before completion removes it from the reactor.
#[derive(Debug)]
#[must_use = "a wait does nothing unless it is polled"]
pub struct SmolSleep(async_io::Timer);

impl Future for SmolSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(|_| ())
    }
}
