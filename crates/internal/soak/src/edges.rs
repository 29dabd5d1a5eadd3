//! Counts of the reported transitions of one breaker, and the law that they keep.

use std::sync::atomic::{AtomicU64, Ordering};

use redress_core::EventName;
use redress_core::breaker::{CircuitState, Transition};

use crate::law::{Law, Laws};

/// The numbers of times that a breaker opened, admitted a first probe, and closed.
#[derive(Debug, Default)]
pub(crate) struct Edges {
    opened: AtomicU64,
    half_opened: AtomicU64,
    closed: AtomicU64,
}

/// The counts at one instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EdgeCounts {
    pub(crate) opened: u64,
    pub(crate) half_opened: u64,
    pub(crate) closed: u64,
}

impl Edges {
    pub(crate) fn passed(&self, transition: Option<Transition>) {
        if let Some(transition) = transition {
            self.count(transition.event());
        }
    }

    /// Counts an event if it is a transition.
    pub(crate) fn count(&self, event: EventName) {
        let count = match event {
            EventName::CircuitOpened => &self.opened,
            EventName::CircuitHalfOpen => &self.half_opened,
            EventName::CircuitClosed => &self.closed,
            _ => return,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self) -> EdgeCounts {
        EdgeCounts {
            opened: self.opened.load(Ordering::Relaxed),
            half_opened: self.half_opened.load(Ordering::Relaxed),
            closed: self.closed.load(Ordering::Relaxed),
        }
    }
}

impl EdgeCounts {
    /// Half-open is reached only from open, and left to open or closed. So a breaker that began
    /// closed has as many openings as half-openings, and one more while it is open.
    pub(crate) fn check(self, laws: &Laws, whose: &str, state: CircuitState) {
        let expected = self.half_opened + u64::from(state == CircuitState::Open);
        let holds = self.opened == expected && self.closed <= self.half_opened;
        laws.require(Law::Edges, holds, || format!("{whose}: {self:?}, and now it is {state}"));
    }
}

#[cfg(test)]
mod tests {
    use redress_core::breaker::CircuitState;

    use super::EdgeCounts;
    use crate::law::Laws;

    fn holds(opened: u64, half_opened: u64, closed: u64, state: CircuitState) -> bool {
        let laws = Laws::default();
        EdgeCounts { opened, half_opened, closed }.check(&laws, "test", state);
        laws.all_hold()
    }

    #[test]
    fn openings_and_half_openings_take_turns() {
        assert!(holds(0, 0, 0, CircuitState::Closed));
        assert!(holds(1, 0, 0, CircuitState::Open));
        assert!(holds(3, 3, 1, CircuitState::Closed));
        assert!(!holds(3, 4, 1, CircuitState::Closed), "two first probes");
        assert!(!holds(2, 1, 1, CircuitState::Closed), "opened, closed without a probe");
        assert!(!holds(1, 1, 2, CircuitState::Closed), "closed twice");
    }
}
