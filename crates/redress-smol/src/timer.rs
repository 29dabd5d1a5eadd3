//! smol's timer behind redress's seam.
//!
//! Owns the call into `async_io` and the future around it. Knows neither policies nor executors.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use redress_core::driver::Timer;

/// smol's timer: [`async_io::Timer`], which is what `smol::Timer` is. The clock is the system's
/// monotonic one.
///
/// It needs no executor of a particular kind, and may be used outside one: a thread of the
/// reactor's own drives it where nothing else does. A wait never ends early.
#[derive(Clone, Copy, Debug, Default)]
pub struct SmolTimer;

#[diagnostic::do_not_recommend]
impl Timer for SmolTimer {
    type Sleep = SmolSleep;

    fn sleep(&self, duration: Duration) -> SmolSleep {
        SmolSleep(async_io::Timer::after(duration))
    }
}

/// Completes when its time has come. Made by [`SmolTimer`]; the time counts from then, not from the
/// first poll. A wait whose end is past the last instant the system's clock can show is for ever.
///
/// # Cancel safety
///
/// Dropped before its end it takes itself out of the reactor.
#[derive(Debug)]
#[must_use = "a wait does nothing unless it is polled"]
pub struct SmolSleep(async_io::Timer);

impl Future for SmolSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(|_| ())
    }
}
