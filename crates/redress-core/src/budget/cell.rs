//! `Budget`, a shared limit on the retries of several policies in a rolling window.

use std::fmt;
use std::time::{Duration, Instant};

use crate::budget::spec::BudgetSpec;
use crate::budget::window::RollingWindow;
use crate::drive::clock::{Clock, ClockChoice, nanos};
use crate::drive::epoch::Epoch;
use crate::policy::config_error::{Check, ConfigError};
use crate::sync::{Arc, Mutex};

/// The largest limit of a budget and the largest threshold of a breaker: 16,777,216, whose window
/// takes 128 MiB.
pub(crate) const MAX_WINDOW_EVENTS: u32 = 1 << 24;

/// A limit on retries within a rolling window, shared by every policy that holds a clone.
///
/// First attempts are free. Each retry takes one token, which becomes available again one window
/// later. A retry that was granted and then deferred or aborted does not return its token.
///
/// A handle: clones share the tokens.
///
/// **Invariant B1**: in any window of the given length at most `max_retries` are granted, for any
/// order and number of callers, if the clock never steps back.
///
/// An instant up to one window behind the latest one counts as that one, so a clock that steps back
/// makes tokens available later, never sooner. A token taken at a reading more than one window
/// ahead of all later ones becomes available again after those have advanced by one window, so one
/// wrong reading does not block the budget for good.
///
/// A retry granted exactly one window ago does not count. The budget takes eight bytes for each
/// retry that the limit allows, reserved when it is created, independent of the traffic.
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
    /// Creates a budget of `max_retries` retries in any `window`. A limit of zero grants none.
    ///
    /// # Errors
    ///
    /// If `window` is zero or longer than 584 years, or `max_retries` is above 16,777,216.
    pub fn new(max_retries: u32, window: Duration) -> Result<Self, ConfigError> {
        Self::from_spec(BudgetSpec::new(max_retries, window))
    }

    /// Creates a budget from its configuration.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn from_spec(spec: BudgetSpec) -> Result<Self, ConfigError> {
        Self::make(spec, ClockChoice::default())
    }

    /// Like [`new`](Self::new), but with a separate clock, which the budget also uses instead of
    /// the clock of a policy.
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

    /// Takes one token now, on the budget's clock. Returns `false` if none is left.
    #[must_use]
    pub fn consume(&self) -> bool {
        self.consume_at(self.cell.clock.now(), 1)
    }

    /// Takes `cost` tokens at `now`. Takes none and returns `false` if fewer are left. A cost of
    /// zero is always granted.
    ///
    /// A budget with a separate clock ignores `now`.
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

    /// How many tokens are left now, on the budget's clock.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.remaining_at(self.cell.clock.now())
    }

    /// How many tokens are left at `now`, which a budget with a separate clock ignores.
    #[must_use]
    pub fn remaining_at(&self, now: Instant) -> u32 {
        let now = self.cell.epoch.ticks(self.cell.clock.now_or(now));
        let live = self.cell.granted.lock().live(now);
        self.cell.spec.max_retries.saturating_sub(u32::try_from(live).unwrap_or(u32::MAX))
    }

    /// The budget's configuration.
    #[must_use]
    pub fn spec(&self) -> BudgetSpec {
        self.cell.spec
    }

    /// How many retries are granted in any window.
    #[must_use]
    pub fn max_retries(&self) -> u32 {
        self.cell.spec.max_retries
    }

    /// How long a retry counts.
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
