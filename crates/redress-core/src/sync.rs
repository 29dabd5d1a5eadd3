//! The one place that names locks, atomics and shared pointers for the cells that calls share.
//!
//! Owns the choice between `std` and the model checker, which stands in for it under `--cfg loom`
//! in this crate's own tests (`models/`). The cells do not know which of the two they run on.

// Std's even under the model checker: no answer of a cell depends on who sets an origin first, see
// `Epoch`, and to the checker a cell without synchronisation of its own is the weaker, hence the
// safer, assumption.
pub(crate) use std::sync::OnceLock;

#[cfg(all(test, loom))]
use loom::sync::{Mutex as Lock, MutexGuard};
#[cfg(not(all(test, loom)))]
use std::sync::{Mutex as Lock, MutexGuard};

#[cfg(all(test, loom))]
pub(crate) use crate::loom::AtomicU64;
#[cfg(all(test, loom))]
pub(crate) use loom::sync::{Arc, atomic::Ordering};
#[cfg(not(all(test, loom)))]
pub(crate) use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use std::sync::PoisonError;

/// A mutex whose contents stay valid when a holder panics: every critical section of redress leaves
/// its state consistent at each step, so poisoning carries no information.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(Lock<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Lock::new(value))
    }

    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
