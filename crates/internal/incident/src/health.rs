//! The health of a backend: a switch that the outage script sets and the backend reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A switch shared by a backend and the script.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health(Arc<AtomicBool>);

impl Health {
    /// Makes the backend ill, or well again.
    pub(crate) fn set_ill(&self, ill: bool) {
        self.0.store(ill, Ordering::Release);
    }

    pub(crate) fn is_ill(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
