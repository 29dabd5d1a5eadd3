//! [`Reports`]: which events are captured and leave breadcrumbs, and at which level.

use redress_core::observe::CallOutcome;
use redress_core::{Event, EventName};
use sentry_core::Level;

/// What is reported of each event.
#[derive(Clone, Debug)]
pub(crate) struct Reports {
    levels: [Level; EventName::ALL.len()],
    captured: [bool; EventName::ALL.len()],
    pub(crate) breadcrumbs: bool,
}

impl Reports {
    pub(crate) fn level(&self, name: EventName) -> Level {
        index(name).map_or(Level::Info, |index| self.levels[index])
    }

    pub(crate) fn set_level(&mut self, name: EventName, level: Level) {
        if let Some(index) = index(name) {
            self.levels[index] = level;
        }
    }

    pub(crate) fn captures(&self, name: EventName) -> bool {
        index(name).is_some_and(|index| self.captured[index])
    }

    pub(crate) fn set_captured(&mut self, name: EventName, is_captured: bool) {
        if let Some(index) = index(name) {
            self.captured[index] = is_captured;
        }
    }

    pub(crate) fn set_terminal_captured(&mut self, is_captured: bool) {
        for name in EventName::ALL.iter().copied().filter(|name| name.is_terminal()) {
            self.set_captured(name, is_captured && is_failure(name));
        }
    }

    /// Whether an event leaves a breadcrumb. A success at the first attempt does not: a client
    /// keeps 100 breadcrumbs, and those of a busy service would all be successes.
    pub(crate) fn leaves_breadcrumb(&self, event: &Event<'_>) -> bool {
        self.breadcrumbs && (event.name != EventName::Success || event.attempt > 1)
    }
}

impl Default for Reports {
    fn default() -> Self {
        Self {
            levels: std::array::from_fn(|index| default_level(EventName::ALL[index])),
            captured: std::array::from_fn(|index| is_captured(EventName::ALL[index])),
            breadcrumbs: true,
        }
    }
}

fn default_level(name: EventName) -> Level {
    match name {
        EventName::Retry | EventName::Nested => Level::Warning,
        EventName::CircuitOpened => Level::Error,
        name if is_failure(name) => Level::Error,
        _ => Level::Info,
    }
}

fn is_captured(name: EventName) -> bool {
    is_failure(name) || name == EventName::CircuitOpened
}

fn is_failure(name: EventName) -> bool {
    Event::new(name).outcome() == Some(CallOutcome::Failure)
}

fn index(name: EventName) -> Option<usize> {
    EventName::ALL.iter().position(|other| *other == name)
}
