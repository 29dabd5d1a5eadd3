//! Where time comes from, and the tick arithmetic of the shared cells.
//!
//! Owns the [`Clock`] seam and the conversion of instants to saturating nanosecond counts. The engine never reads a
//! clock: drivers do, and pass the instant in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::sync::OnceLock;

/// A source of monotonic time.
///
/// `std`'s `Instant` stands still while some systems are suspended (Linux: `CLOCK_MONOTONIC`), so a deadline does not
/// run out in a closed laptop; see [`std::time::Instant`].
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

/// The origin of a cell's ticks, which the first instant that the cell is shown decides.
///
/// Set lazily, not when the cell is built: a virtual clock may have started before the cell was made. The ticks leave room
/// for an [`AGE`] before that instant, so that a first reading that was too late does not make time stand still at
/// tick 0 until the clock has caught up. A first reading whole ages ahead of the system's clock counts as taken that many
/// ages earlier, for the same reason. When two calls are the first at once, either may set the origin.
#[derive(Debug, Default)]
pub(crate) struct Epoch(OnceLock<Instant>);

/// 146 years in nanoseconds: what lies before an origin.
const AGE: u64 = 1 << 62;

impl Epoch {
    /// Nanoseconds to `now` since 146 years before the origin; 0 before them, [`u64::MAX`] beyond 438 years after the origin.
    #[inline]
    pub(crate) fn ticks(&self, now: Instant) -> u64 {
        let origin = match self.0.get() {
            Some(origin) => *origin,
            None => self.begin(now),
        };
        match now.checked_duration_since(origin) {
            Some(since) => AGE.saturating_add(nanos(since)),
            None => AGE.saturating_sub(nanos(origin.saturating_duration_since(now))),
        }
    }

    #[cold]
    fn begin(&self, now: Instant) -> Instant {
        *self
            .0
            .get_or_init(|| now.checked_sub(whole_ages(now.saturating_duration_since(Instant::now()))).unwrap_or(now))
    }
}

/// The part of it that is a multiple of [`AGE`].
fn whole_ages(duration: Duration) -> Duration {
    let age = Duration::from_nanos(AGE).as_nanos();
    let rest = duration.as_nanos() % age;
    duration.saturating_sub(Duration::from_nanos(u64::try_from(rest).unwrap_or(0)))
}

/// The duration in nanoseconds, [`u64::MAX`] beyond 584 years.
#[inline]
pub(crate) const fn nanos(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(duration.subsec_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{AGE, Epoch};

    const SECOND: Duration = Duration::from_secs(1);
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

    #[test]
    fn time_goes_on_before_a_first_reading_that_was_too_late() {
        let now = Instant::now();
        for years in [0, 10, 145, 147, 1_000, 10_000] {
            let epoch = Epoch::default();
            let first = epoch.ticks(now + YEAR * years);
            let [one, other] = [SECOND, SECOND * 2].map(|later| epoch.ticks(now + later));
            assert_eq!(other - one, 1_000_000_000, "{years} years ahead");
            assert!(first >= AGE && (years == 0 || first > other), "{years} years ahead");
        }
    }

    #[test]
    fn ticks_saturate_at_both_ends() {
        let (epoch, now) = (Epoch::default(), Instant::now());
        assert_eq!(epoch.ticks(now), AGE);
        assert_eq!(epoch.ticks(now + YEAR * 600), u64::MAX);
        if let Some(before) = now.checked_sub(YEAR * 150) {
            assert_eq!(epoch.ticks(before), 0);
        }
    }
}
