//! The gauges of watched budgets.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use metrics::{Key, KeyName, SharedString};
use redress_core::{Budget, Event, EventName};

use crate::labels;
use crate::series::set;

/// The watched budgets, by name.
pub(crate) struct Budgets {
    gauge: Option<KeyName>,
    /// Replaced as a whole, so that it can be iterated without holding the lock.
    watched: RwLock<Arc<[Arc<Watched>]>>,
}

struct Watched {
    name: SharedString,
    key: Key,
    budget: Budget,
    shown: AtomicU32,
}

impl Budgets {
    pub(crate) fn new(gauge: Option<KeyName>) -> Self {
        Self { gauge, watched: RwLock::new(Arc::new([])) }
    }

    /// Starts watching this budget, replacing an earlier one of the same name.
    pub(crate) fn watch(&self, name: SharedString, budget: Budget) {
        let Some(gauge) = self.gauge.clone() else { return };
        let key = Key::from_parts(gauge, vec![labels::named(labels::BUDGET, name.clone())]);
        let added = Arc::new(Watched { name, key, budget, shown: AtomicU32::new(0) });
        self.replace(&added.name, Some(Arc::clone(&added)));
        added.show();
    }

    pub(crate) fn unwatch(&self, name: &str) {
        for removed in self.replace(name, None) {
            set(&removed.key, f64::NAN);
        }
    }

    /// Replaces the budgets of this name by `added`, and returns them.
    fn replace(&self, name: &str, added: Option<Arc<Watched>>) -> Vec<Arc<Watched>> {
        let mut watched = self.watched.write().unwrap_or_else(PoisonError::into_inner);
        let (removed, kept): (Vec<_>, Vec<_>) = watched.iter().map(Arc::clone).partition(|each| *each.name == *name);
        *watched = kept.into_iter().chain(added).collect();
        removed
    }

    /// A retry spends a token. A budget that is not full regains tokens with time, so any event may
    /// change its gauge.
    pub(crate) fn hear(&self, event: &Event<'_>) {
        for each in &*self.all() {
            if event.name == EventName::Retry || each.shown.load(Ordering::Relaxed) != each.budget.max_retries() {
                each.show();
            }
        }
    }

    pub(crate) fn refresh(&self) {
        for each in &*self.all() {
            each.show();
        }
    }

    fn all(&self) -> Arc<[Arc<Watched>]> {
        Arc::clone(&self.watched.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Watched {
    /// Two threads may write in the wrong order, so each reads the budget again after writing,
    /// until the value is stable.
    fn show(&self) {
        let mut remaining = self.budget.remaining();
        loop {
            self.shown.store(remaining, Ordering::Relaxed);
            set(&self.key, f64::from(remaining));
            let now = self.budget.remaining();
            if now == remaining {
                return;
            }
            remaining = now;
        }
    }
}
