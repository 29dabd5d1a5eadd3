//! Where time comes from.
//!
//! Owns the [`Clock`] seam. The engine never reads a clock: drivers do, and pass the instant in.
//! How the shared cells count time is `epoch.rs`.

use std::sync::Arc;
use std::time::{Duration, Instant};

/// A source of monotonic time.
///
/// `std`'s `Instant` stands still while some systems are suspended (Linux: `CLOCK_MONOTONIC`), so a
/// deadline does not run out in a closed laptop; see [`std::time::Instant`].
///
/// Closures are clocks: `|| base + offset()`.
pub trait Clock: Send + Sync {
    /// The current instant. It may stand still; a step back is read as standing still.
    fn now(&self) -> Instant;
}

impl<F: Fn() -> Instant + Send + Sync> Clock for F {
    fn now(&self) -> Instant {
        self()
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Instant {
        (**self).now()
    }
}

/// The clock a component uses: the system's monotonic one unless another was set.
#[derive(Clone, Default)]
pub(crate) struct ClockChoice(Option<Arc<dyn Clock>>);

impl ClockChoice {
    pub(crate) fn custom(clock: impl Clock + 'static) -> Self {
        Self(Some(Arc::new(clock)))
    }

    #[inline]
    pub(crate) fn now(&self) -> Instant {
        match &self.0 {
            None => Instant::now(),
            Some(clock) => clock.now(),
        }
    }

    /// The clock set here, else the instant a driver passed in.
    #[inline]
    pub(crate) fn now_or(&self, now: Instant) -> Instant {
        match &self.0 {
            None => now,
            Some(clock) => clock.now(),
        }
    }
}

impl std::fmt::Debug for ClockChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "custom clock" } else { "system clock" })
    }
}

/// The duration in nanoseconds, [`u64::MAX`] beyond 584 years.
#[inline]
pub(crate) const fn nanos(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(duration.subsec_nanos() as u64)
}
