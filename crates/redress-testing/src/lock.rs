//! Locks a mutex, ignoring poisoning: a test that panicked elsewhere must not be hidden by a second
//! panic here.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`. Ignoring poisoning is sound because every locked value here is consistent between
/// statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
