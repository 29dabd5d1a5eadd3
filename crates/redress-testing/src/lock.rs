//! The one way this crate takes a lock.
//!
//! Owns the answer to poisoning: a test that panicked elsewhere must not hide behind a second panic
//! here.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks; what a panicking thread left behind is read as it is. Every value behind a lock here is
/// whole between statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
