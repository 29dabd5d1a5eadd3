//! The gauges of watched budgets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use redress_core::{Budget, Event, EventName};

use crate::series::Writer;
use crate::sink::MetricSink;
use crate::value::LabelValue;

/// The watched budgets, by name.
pub(crate) struct Budgets<S: MetricSink> {
    writer: Arc<Writer<S>>,
    /// Replaced as a whole, so that it can be iterated without holding the lock.
    watched: RwLock<Arc<[Arc<Watched<S>>]>>,
}

struct Watched<S: MetricSink> {
    writer: Arc<Writer<S>>,
    name: Arc<str>,
    gauge: S::Series,
    budget: Budget,
    /// The bits of the balance that the gauge shows.
    shown: AtomicU64,
}

impl<S: MetricSink> Budgets<S> {
    pub(crate) fn new(writer: Arc<Writer<S>>) -> Self {
        Self { writer, watched: RwLock::new(Arc::new([])) }
    }

    /// Starts watching this budget, replacing an earlier one of the same name.
    pub(crate) fn watch(&self, name: Arc<str>, budget: Budget) {
        let Some(gauge) = &self.writer.settings.budgets else { return };
        let gauge = self.writer.series(gauge, |_| LabelValue::Named(Arc::clone(&name)));
        let added =
            Arc::new(Watched { writer: Arc::clone(&self.writer), name, gauge, budget, shown: AtomicU64::new(0) });
        self.replace(&added.name, Some(Arc::clone(&added)));
        added.show();
    }

    pub(crate) fn unwatch(&self, name: &str) {
        for removed in self.replace(name, None) {
            self.writer.sink.clear(&removed.gauge);
        }
    }

    /// Replaces the budgets of this name by `added`, and returns them.
    fn replace(&self, name: &str, added: Option<Arc<Watched<S>>>) -> Vec<Arc<Watched<S>>> {
        let mut watched = self.watched.write().unwrap_or_else(PoisonError::into_inner);
        let (removed, kept): (Vec<_>, Vec<_>) = watched.iter().map(Arc::clone).partition(|each| *each.name == *name);
        *watched = kept.into_iter().chain(added).collect();
        removed
    }

    /// A retry spends tokens. A budget that is not full regains tokens, with time or by successes, so
    /// any event may change its gauge.
    pub(crate) fn hear(&self, event: &Event<'_>) {
        for each in &*self.all() {
            if event.name == EventName::Retry || each.shown.load(Ordering::Relaxed) != each.budget.capacity().to_bits()
            {
                each.show();
            }
        }
    }

    pub(crate) fn refresh(&self) {
        for each in &*self.all() {
            each.show();
        }
    }

    fn all(&self) -> Arc<[Arc<Watched<S>>]> {
        Arc::clone(&self.watched.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: MetricSink> Watched<S> {
    /// Two threads may write in the wrong order, so each reads the budget again after writing,
    /// until the value is stable.
    fn show(&self) {
        let mut balance = self.budget.balance();
        loop {
            self.shown.store(balance.to_bits(), Ordering::Relaxed);
            self.writer.sink.set(&self.gauge, balance);
            let now = self.budget.balance();
            if now.to_bits() == balance.to_bits() {
                return;
            }
            balance = now;
        }
    }
}
