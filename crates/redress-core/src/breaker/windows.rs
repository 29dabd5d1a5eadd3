//! The failure windows of a breaker, one for each threshold.

use super::builder::Counts;
use super::spec::BreakerSpec;
use crate::budget::window::RollingWindow;
use crate::classify::class::ErrorClass;
use crate::drive::clock::nanos;

/// One window for the classes that count generally, and one for each class with a separate
/// threshold.
pub(super) struct Windows {
    general: RollingWindow,
    alone: Vec<(ErrorClass, RollingWindow)>,
}

impl Windows {
    pub(super) fn new(spec: &BreakerSpec) -> Self {
        let span = nanos(spec.window);
        let own_window = |class| Some((class, RollingWindow::new(spec.own_threshold(class)?, span)));
        let alone = ErrorClass::ALL.iter().copied().filter_map(own_window).collect();
        Self { general: RollingWindow::new(spec.failure_threshold, span), alone }
    }

    /// Counts a failure. Returns whether its window is full.
    #[inline]
    pub(super) fn record(&mut self, class: ErrorClass, counts: Counts, now: u64) -> bool {
        match counts {
            Counts::Generally => self.general.record(now),
            Counts::Never => false,
            Counts::Alone => self.record_alone(class, now),
        }
    }

    #[inline(never)]
    fn record_alone(&mut self, class: ErrorClass, now: u64) -> bool {
        let window = self.alone.iter_mut().find_map(|(of, window)| (*of == class).then_some(window));
        window.is_some_and(|window| window.record(now))
    }

    /// Whether no failure counts.
    pub(super) fn are_empty(&mut self, now: u64) -> bool {
        self.general.live(now) == 0 && self.alone.iter_mut().all(|(_, window)| window.live(now) == 0)
    }

    pub(super) fn clear(&mut self) {
        self.general.clear();
        for (_, window) in &mut self.alone {
            window.clear();
        }
    }
}
