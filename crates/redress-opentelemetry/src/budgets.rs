//! What budgets have left, as a gauge.
//!
//! Owns which budgets are watched, under which names, and for how long. Takes no token.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use opentelemetry::metrics::{AsyncInstrument, Meter, ObservableGauge};
use redress_core::Budget;

use crate::attributes::{BUDGET, text};

/// The budgets that are watched.
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
    /// The gauge that reads these. Its callback stays with the meter for good, so it holds on to
    /// nothing.
    pub(crate) fn gauge(self: &Arc<Self>, meter: &Meter) -> ObservableGauge<u64> {
        let budgets = Arc::downgrade(self);
        meter
            .u64_observable_gauge("redress.budget.remaining")
            .with_unit("{retry}")
            .with_description("Retries that the budget has left.")
            .with_callback(move |gauge| {
                if let Some(budgets) = budgets.upgrade() {
                    budgets.observe(gauge);
                }
            })
            .build()
    }

    /// Asks without the lock: a budget may have a clock of the caller's.
    fn observe(&self, gauge: &dyn AsyncInstrument<u64>) {
        let watched = self.watched().budgets.clone();
        for (_, name, budget) in watched {
            gauge.observe(u64::from(budget.remaining()), &[text(BUDGET, &name)]);
        }
    }

    pub(crate) fn watch(self: &Arc<Self>, name: &str, budget: &Budget) -> BudgetWatch {
        BudgetWatch { id: self.keep(name, budget), budgets: Arc::downgrade(self) }
    }

    /// Watches a budget for as long as this lives.
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

/// A budget's place in the gauge `redress.budget.remaining`, see
/// [`OtelObserver::watch_budget`](crate::OtelObserver::watch_budget). Dropped, the budget leaves
/// the gauge.
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
        // A budget's destructor may be the caller's clock's: it runs without the lock.
        drop(watched);
        drop(removed);
    }
}
