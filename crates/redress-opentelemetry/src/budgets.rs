//! The gauge of watched budgets.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use opentelemetry::metrics::{AsyncInstrument, Meter, ObservableGauge};
use redress_core::Budget;

use crate::attributes::{BUDGET, text};

/// The watched budgets.
#[derive(Default)]
pub(crate) struct Budgets {
    watched: Mutex<Watched>,
}

#[derive(Default)]
struct Watched {
    budgets: Vec<(u64, Arc<str>, Budget)>,
    next_id: u64,
}

impl Budgets {
    /// Creates the gauge that reads these budgets. The meter keeps the callback forever, so it
    /// holds only a weak reference.
    pub(crate) fn gauge(self: &Arc<Self>, meter: &Meter) -> ObservableGauge<f64> {
        let budgets = Arc::downgrade(self);
        meter
            .f64_observable_gauge("redress.budget.remaining")
            .with_unit("{retry}")
            .with_description("Retries that the budget has left.")
            .with_callback(move |gauge| {
                if let Some(budgets) = budgets.upgrade() {
                    budgets.observe(gauge);
                }
            })
            .build()
    }

    /// Reads the budgets without holding the lock, because a budget may have a custom clock.
    fn observe(&self, gauge: &dyn AsyncInstrument<f64>) {
        let watched = self.watched().budgets.clone();
        for (_, name, budget) in watched {
            gauge.observe(budget.balance(), &[text(BUDGET, &name)]);
        }
    }

    pub(crate) fn watch(self: &Arc<Self>, name: &str, budget: &Budget) -> BudgetWatch {
        BudgetWatch { id: self.keep(name, budget), budgets: Arc::downgrade(self) }
    }

    /// Watches a budget until this is dropped.
    pub(crate) fn keep(&self, name: &str, budget: &Budget) -> u64 {
        let mut watched = self.watched();
        let id = watched.next_id;
        watched.next_id += 1;
        watched.budgets.push((id, name.into(), budget.clone()));
        id
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        // Each change is one insertion or removal, so a panic leaves nothing half done.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a budget in the gauge `redress.budget.remaining` until dropped. Returned by
/// [`OtelObserver::watch_budget`](crate::OtelObserver::watch_budget).
#[derive(Debug)]
#[must_use = "a budget is watched until this is dropped"]
pub struct BudgetWatch {
    budgets: Weak<Budgets>,
    id: u64,
}

impl BudgetWatch {
    pub(crate) const fn of_nothing() -> Self {
        Self { budgets: Weak::new(), id: 0 }
    }
}

impl Drop for BudgetWatch {
    fn drop(&mut self) {
        let Some(budgets) = self.budgets.upgrade() else { return };
        let mut watched = budgets.watched();
        let index = watched.budgets.iter().position(|(id, _, _)| *id == self.id);
        let removed = index.map(|index| watched.budgets.remove(index));
        // Dropping a budget may run a custom clock's destructor, so release the lock first.
        drop(watched);
        drop(removed);
    }
}
