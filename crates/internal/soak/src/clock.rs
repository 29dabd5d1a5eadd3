//! Clocks that remember their last reading, and clocks that misbehave, with a timer for the latter.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redress_core::driver::{Clock, Timer};
use redress_tokio::TokioTimer;
use tokio::task::yield_now;

thread_local! {
    static LAST_TOLD: Cell<u64> = const { Cell::new(0) };
}

/// The last reading of a [`NotedClock`] on this thread, in nanoseconds since its origin.
pub(crate) fn last_told() -> u64 {
    LAST_TOLD.get()
}

/// The clock of a budget. It remembers the last reading of each thread, so that a grant is checked
/// at exactly the instant it was granted at.
#[derive(Debug)]
pub(crate) struct NotedClock {
    origin: Instant,
    /// Counts its readings instead of time.
    logical: bool,
    ticks: AtomicU64,
    still: AtomicBool,
}

impl NotedClock {
    pub(crate) fn real() -> Self {
        Self::new(false)
    }

    /// A clock that advances by a nanosecond with each reading.
    pub(crate) fn logical() -> Self {
        Self::new(true)
    }

    fn new(logical: bool) -> Self {
        Self { origin: Instant::now(), logical, ticks: AtomicU64::new(0), still: AtomicBool::new(false) }
    }

    /// Stops the clock, or lets it run again.
    pub(crate) fn stand_still(&self, still: bool) {
        self.still.store(still, Ordering::Relaxed);
    }

    pub(crate) fn is_logical(&self) -> bool {
        self.logical
    }

    /// Advances the clock; a real one is then ahead by this time.
    pub(crate) fn jump(&self, by: Duration) {
        self.ticks.fetch_add(nanos(by), Ordering::Relaxed);
    }

    /// Stops the clock for good, this time `after` its present reading.
    pub(crate) fn freeze(&self, after: Duration) {
        if !self.logical {
            let shown = nanos(self.origin.elapsed());
            self.ticks.fetch_add(shown, Ordering::Relaxed);
        }
        self.stand_still(true);
        self.jump(after);
    }

    /// What the clock shows, without a reading.
    pub(crate) fn shows(&self) -> u64 {
        let real = if self.logical || self.still.load(Ordering::Relaxed) { 0 } else { nanos(self.origin.elapsed()) };
        self.ticks.load(Ordering::Relaxed) + real
    }

    fn read(&self) -> u64 {
        match (self.still.load(Ordering::Relaxed), self.logical) {
            (false, true) => self.ticks.fetch_add(1, Ordering::Relaxed),
            _ => self.shows(),
        }
    }
}

impl Clock for NotedClock {
    fn now(&self) -> Instant {
        let ticks = self.read();
        LAST_TOLD.set(ticks);
        self.origin + Duration::from_nanos(ticks)
    }
}

/// A clock that stands still until it is moved, moves in jumps, and sometimes steps back.
#[derive(Debug)]
pub(crate) struct WildClock {
    origin: Instant,
    elapsed: AtomicU64,
    readings: AtomicU64,
}

/// One of so many readings is early by this time.
const STEP_BACK_EVERY: u64 = 11;
const STEP_BACK: u64 = 50_000;

impl WildClock {
    pub(crate) fn new() -> Self {
        Self { origin: Instant::now(), elapsed: AtomicU64::new(STEP_BACK), readings: AtomicU64::new(0) }
    }

    pub(crate) fn jump(&self, by: Duration) {
        self.elapsed.fetch_add(nanos(by), Ordering::Relaxed);
    }
}

impl Clock for WildClock {
    fn now(&self) -> Instant {
        let reading = self.readings.fetch_add(1, Ordering::Relaxed);
        let back = if reading % STEP_BACK_EVERY == 0 { STEP_BACK } else { 0 };
        self.origin + Duration::from_nanos(self.elapsed.load(Ordering::Relaxed).saturating_sub(back))
    }
}

/// Tokio's timer, or one on a [`WildClock`]: there a wait yields once, then advances the clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StormTimer(pub(crate) Option<&'static WildClock>);

impl Timer for StormTimer {
    type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        match self.0 {
            None => Box::pin(TokioTimer.sleep(duration)),
            Some(clock) => Box::pin(async move {
                yield_now().await;
                clock.jump(duration);
            }),
        }
    }

    fn now(&self) -> Instant {
        self.0.map_or_else(|| TokioTimer.now(), Clock::now)
    }
}

/// Storms last hours; 64 bits of nanoseconds last 584 years.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
