//! [`Windowed`], the account of a budget in a rolling window.

use std::time::{Duration, Instant};

use super::cell::MAX_WINDOW_EVENTS;
use super::spec::BudgetSpec;
use super::window::RollingWindow;
use crate::drive::clock::{ClockChoice, nanos};
use crate::drive::epoch::Epoch;
use crate::policy::config_error::{Check, ConfigError};
use crate::sync::Mutex;

/// The account of a budget in a rolling window.
pub(super) struct Windowed {
    epoch: Epoch,
    clock: ClockChoice,
    granted: Mutex<Granted>,
}

/// The retries granted within the window, and the limit.
struct Granted {
    events: RollingWindow,
    max_retries: u32,
    window: Duration,
}

impl Windowed {
    pub(super) fn new(max_retries: u32, window: Duration, clock: ClockChoice) -> Result<Self, ConfigError> {
        Self::check(max_retries, window)?;
        Ok(Self::of_valid(max_retries, window, clock))
    }

    fn of_valid(max_retries: u32, window: Duration, clock: ClockChoice) -> Self {
        let events = RollingWindow::new(max_retries, nanos(window));
        let granted = Mutex::new(Granted { events, max_retries, window });
        Self { epoch: Epoch::default(), clock, granted }
    }

    /// Another account with the same limit and clock.
    pub(super) fn alike(&self) -> Self {
        let (max_retries, window) = {
            let granted = self.granted.lock();
            (granted.max_retries, granted.window)
        };
        Self::of_valid(max_retries, window, self.clock.clone())
    }

    pub(super) fn max_retries(&self) -> u32 {
        self.granted.lock().max_retries
    }

    fn check(max_retries: u32, window: Duration) -> Result<(), ConfigError> {
        let mut check = Check::default();
        check.that(
            max_retries <= MAX_WINDOW_EVENTS,
            "budget.max_retries",
            max_retries,
            "be at most 16777216 (128 MiB of window)",
        );
        check.duration("budget.window", window);
        check.finish()
    }

    /// Replaces the limit and the window. The retries that were granted go on to count.
    pub(super) fn reconfigure(&self, max_retries: u32, window: Duration) -> Result<(), ConfigError> {
        Self::check(max_retries, window)?;
        let mut granted = self.granted.lock();
        if (granted.max_retries, granted.window) != (max_retries, window) {
            granted.events.resize(max_retries, nanos(window));
            (granted.max_retries, granted.window) = (max_retries, window);
        }
        Ok(())
    }

    pub(super) fn spec(&self) -> BudgetSpec {
        let granted = self.granted.lock();
        BudgetSpec::new(granted.max_retries, granted.window)
    }

    /// Takes one token on the budget's clock.
    pub(super) fn take_now(&self) -> bool {
        self.take(self.clock.now(), 1)
    }

    #[inline(always)]
    pub(super) fn take(&self, now: Instant, cost: u32) -> bool {
        let now = self.epoch.ticks(self.clock.now_or(now));
        let events = &mut self.granted.lock().events;
        match cost {
            1 => events.take(now),
            _ => events.take_several(now, cost as usize),
        }
    }

    pub(super) fn remaining_now(&self) -> u32 {
        self.remaining(self.clock.now())
    }

    pub(super) fn remaining(&self, now: Instant) -> u32 {
        let now = self.epoch.ticks(self.clock.now_or(now));
        let mut granted = self.granted.lock();
        let live = granted.events.live(now);
        granted.max_retries.saturating_sub(u32::try_from(live).unwrap_or(u32::MAX))
    }
}
