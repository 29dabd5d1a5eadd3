//! [`Clock`], the source of time. Only drivers read a clock; they pass instants to the engine.
//! `epoch.rs` converts instants to the ticks of the shared cells.

use std::sync::Arc;
use std::time::{Duration, Instant};

/// A source of monotonic time.
///
/// On some systems `Instant` does not advance while the system is suspended (Linux:
/// `CLOCK_MONOTONIC`), so a deadline does not expire in a closed laptop; see
/// [`std::time::Instant`].
///
/// Closures are clocks: `|| base + offset()`.
///
/// ```
/// use std::time::{Duration, Instant};
/// use redress::Policy;
/// use redress::driver::Clock;
///
/// /// A clock that stands still.
/// struct Stopped(Instant);
///
/// impl Clock for Stopped {
///     fn now(&self) -> Instant {
///         self.0
///     }
/// }
///
/// let policy = Policy::builder().clock(Stopped(Instant::now())).build()?;
/// let outcome = policy.execute(|| std::fs::read("no/such/file"));
/// assert_eq!(outcome.elapsed(), Duration::ZERO);
/// # Ok::<(), redress::ConfigError>(())
/// ```
pub trait Clock: Send + Sync {
    /// Returns the current instant. Two readings may be equal. A reading earlier than the last one
    /// counts as equal.
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

/// The clock of a component: the system's monotonic clock unless another one was set.
#[derive(Clone, Default)]
pub(crate) struct ClockChoice(Option<Arc<dyn Clock>>);

impl ClockChoice {
    pub(crate) fn custom(clock: impl Clock + 'static) -> Self {
        Self(Some(Arc::new(clock)))
    }

    /// Whether another clock than the system's was set.
    pub(crate) const fn is_custom(&self) -> bool {
        self.0.is_some()
    }

    #[inline]
    pub(crate) fn now(&self) -> Instant {
        match &self.0 {
            None => Instant::now(),
            Some(clock) => clock.now(),
        }
    }

    /// Reads the clock set here, or else calls `now`.
    pub(crate) fn now_or_else(&self, now: impl FnOnce() -> Instant) -> Instant {
        match &self.0 {
            None => now(),
            Some(clock) => clock.now(),
        }
    }

    /// Reads the clock set here, or else returns the instant that a driver passed.
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

/// The duration in nanoseconds, saturating at [`u64::MAX`], which is 584 years.
#[inline]
pub(crate) const fn nanos(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(duration.subsec_nanos() as u64)
}
