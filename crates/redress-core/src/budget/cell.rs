//! The shared budget: how many retries a group of policies may make in any window.
//!
//! Owns the counting of retries granted. Does not know who asks, why, or what a retry costs
//! elsewhere.

use std::fmt;
use std::time::{Duration, Instant};

use crate::budget::spec::BudgetSpec;
use crate::budget::window::RollingWindow;
use crate::drive::clock::{Clock, ClockChoice, nanos};
use crate::drive::epoch::Epoch;
use crate::policy::config_error::{Check, ConfigError};
use crate::sync::{Arc, Mutex};

/// The largest limit of a budget and the largest threshold of a breaker: 16,777,216, which is 128
/// MiB of window.
pub(crate) const MAX_WINDOW_EVENTS: u32 = 1 << 24;

/// A limit on retries within a rolling window, shared by every policy that holds a clone.
///
/// First attempts are free; each retry takes one token, which comes back when the window has passed
/// since it was taken. Retries that were granted and then deferred or aborted keep their token.
///
/// **Invariant B1**: in any window of the given length at most `max_retries` are granted, whatever
/// the order and number of callers, by a clock that never steps back.
///
/// A clock that steps back by up to one window gets tokens back later, never sooner. A token taken
/// at a reading that was too far ahead, later by more than a window than every reading since, comes
/// back once those readings have gone on for a window: one such reading does not use the budget up
/// for good. Out of order, instants from up to one window ago change nothing.
///
/// A retry granted exactly one window ago no longer counts. The memory is eight bytes for each
/// retry the limit allows, reserved when the budget is made and used as it fills, whatever the
/// traffic.
///
/// ```
/// use std::time::Duration;
/// use redress::Budget;
///
/// let budget = Budget::new(2, Duration::from_secs(60))?;
/// assert!(budget.consume() && budget.consume());
/// assert!(!budget.consume());
/// assert_eq!(budget.remaining(), 0);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Budget {
    cell: Arc<Cell>,
}

struct Cell {
    epoch: Epoch,
    clock: ClockChoice,
    granted: Mutex<RollingWindow>,
    spec: BudgetSpec,
}

impl Budget {
    /// A budget of `max_retries` retries in any `window`. A limit of zero never grants one.
    ///
    /// # Errors
    ///
    /// If `window` is zero or longer than 584 years, or `max_retries` is above 16,777,216.
    pub fn new(max_retries: u32, window: Duration) -> Result<Self, ConfigError> {
        Self::from_spec(BudgetSpec::new(max_retries, window))
    }

    /// The budget that this configuration describes.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn from_spec(spec: BudgetSpec) -> Result<Self, ConfigError> {
        Self::make(spec, ClockChoice::default())
    }

    /// The same with a clock of its own, which it then uses even when a policy offers it the
    /// policy's time.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_clock(max_retries: u32, window: Duration, clock: impl Clock + 'static) -> Result<Self, ConfigError> {
        Self::make(BudgetSpec::new(max_retries, window), ClockChoice::custom(clock))
    }

    fn make(spec: BudgetSpec, clock: ClockChoice) -> Result<Self, ConfigError> {
        let BudgetSpec { max_retries, window } = spec;
        let mut check = Check::default();
        check.that(
            max_retries <= MAX_WINDOW_EVENTS,
            "budget.max_retries",
            max_retries,
            "be at most 16777216 (128 MiB of window)",
        );
        check.duration("budget.window", window);
        check.finish()?;
        let granted = Mutex::new(RollingWindow::new(max_retries, nanos(window)));
        let cell = Cell { epoch: Epoch::default(), clock, granted, spec };
        Ok(Self { cell: Arc::new(cell) })
    }

    /// Takes one token now. `false`, and nothing taken, if none is left.
    #[must_use]
    pub fn consume(&self) -> bool {
        self.consume_at(self.cell.clock.now(), 1)
    }

    /// Takes `cost` tokens at `now`, or none at all: `false` if fewer are left. A cost of zero is
    /// always granted.
    #[must_use]
    #[inline]
    pub fn consume_at(&self, now: Instant, cost: u32) -> bool {
        let now = self.cell.epoch.ticks(self.cell.clock.now_or(now));
        let mut granted = self.cell.granted.lock();
        match cost {
            1 => granted.take(now),
            _ => granted.take_several(now, cost as usize),
        }
    }

    /// How many tokens are left now.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.remaining_at(self.cell.clock.now())
    }

    /// How many tokens are left at `now`.
    #[must_use]
    pub fn remaining_at(&self, now: Instant) -> u32 {
        let now = self.cell.epoch.ticks(self.cell.clock.now_or(now));
        let live = self.cell.granted.lock().live(now);
        self.cell.spec.max_retries.saturating_sub(u32::try_from(live).unwrap_or(u32::MAX))
    }

    /// The configuration it was made from.
    #[must_use]
    pub fn spec(&self) -> BudgetSpec {
        self.cell.spec
    }

    /// The limit it was made with.
    #[must_use]
    pub fn max_retries(&self) -> u32 {
        self.cell.spec.max_retries
    }

    /// The window it was made with.
    #[must_use]
    pub fn window(&self) -> Duration {
        self.cell.spec.window
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget")
            .field("max_retries", &self.cell.spec.max_retries)
            .field("window", &self.cell.spec.window)
            .finish_non_exhaustive()
    }
}
