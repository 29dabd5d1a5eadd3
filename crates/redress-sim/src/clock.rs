//! The virtual clock as a timer of the engine. Waits are instants that the world schedules.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use redress_core::driver::Timer;

/// Nanoseconds since the start of the simulation.
pub(crate) type Nanos = u64;

pub(crate) const SECOND: Nanos = 1_000_000_000;

/// The duration in nanoseconds, saturating after 584 years.
pub(crate) fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The timer of simulated policies. Clones share the clock.
#[derive(Clone, Debug)]
pub(crate) struct SimTimer(Rc<Clock>);

#[derive(Debug)]
struct Clock {
    start: Instant,
    now: Cell<Nanos>,
}

impl SimTimer {
    pub(crate) fn new() -> Self {
        Self(Rc::new(Clock { start: Instant::now(), now: Cell::new(0) }))
    }

    pub(crate) fn elapsed(&self) -> Nanos {
        self.0.now.get()
    }

    pub(crate) fn set(&self, now: Nanos) {
        self.0.now.set(now);
    }
}

impl Timer for SimTimer {
    type Sleep = Wake;

    fn sleep(&self, duration: Duration) -> Wake {
        Wake { at: self.elapsed().saturating_add(nanos(duration)), timer: self.clone() }
    }

    fn now(&self) -> Instant {
        self.0.start + Duration::from_nanos(self.elapsed())
    }
}

/// A wait until an instant. It registers no waker: the world reads [`at`](Self::at) after each
/// poll, and polls the call again at that instant.
#[derive(Debug)]
pub(crate) struct Wake {
    pub(crate) at: Nanos,
    timer: SimTimer,
}

impl Wake {
    pub(crate) fn is_due(&self) -> bool {
        self.timer.elapsed() >= self.at
    }
}

impl Future for Wake {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.is_due() { Poll::Ready(()) } else { Poll::Pending }
    }
}
