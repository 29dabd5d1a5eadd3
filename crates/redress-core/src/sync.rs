//! The locks, atomics, shared pointers and thread-locals of the cells that calls share: those of
//! `std`, or of the model checker under `--cfg loom` in this crate's tests (`loom/`).

// Std's even under the model checker: no result of a cell depends on which thread sets an origin
// first (see `Epoch`), and a cell without synchronisation is the weaker assumption for the checker,
// and so the safer one.
pub(crate) use std::sync::OnceLock;

#[cfg(all(test, loom))]
use loom::sync::{Mutex as Lock, MutexGuard, RwLock as SharedLock, RwLockReadGuard, RwLockWriteGuard};
#[cfg(not(all(test, loom)))]
use std::sync::{Mutex as Lock, MutexGuard, RwLock as SharedLock, RwLockReadGuard, RwLockWriteGuard};

#[cfg(all(test, loom))]
pub(crate) use crate::loom::AtomicU64;
#[cfg(all(test, loom))]
pub(crate) use loom::{
    sync::{Arc, atomic::Ordering},
    thread_local,
};
#[cfg(not(all(test, loom)))]
pub(crate) use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
#[cfg(not(all(test, loom)))]
pub(crate) use std::thread_local;

use std::sync::PoisonError;

/// A mutex without poisoning: every critical section of redress leaves its state consistent at each
/// step, so the state is valid even if a holder panics.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(Lock<T>);

#[cfg(not(all(test, loom)))]
impl<T> Mutex<T> {
    /// [`new`](Self::new) for statics.
    pub(crate) const fn of(value: T) -> Self {
        Self(Lock::new(value))
    }
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Lock::new(value))
    }

    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A value that is set once, under the lock of a cell that calls share, and read without it.
#[derive(Debug)]
pub(crate) struct SetOnce<T> {
    value: OnceLock<T>,
    /// Tells the model checker, which does not see into `OnceLock`, that a reader of the value sees
    /// what was written before it was set.
    #[cfg(all(test, loom))]
    is_set: AtomicU64,
}

impl<T> Default for SetOnce<T> {
    fn default() -> Self {
        Self {
            value: OnceLock::new(),
            #[cfg(all(test, loom))]
            is_set: AtomicU64::new(0),
        }
    }
}

impl<T> SetOnce<T> {
    #[inline]
    pub(crate) fn get(&self) -> Option<&T> {
        #[cfg(all(test, loom))]
        if self.is_set.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.value.get()
    }

    /// Called under the lock.
    pub(crate) fn get_or_set(&self, make: impl FnOnce() -> T) -> &T {
        let value = self.value.get_or_init(make);
        #[cfg(all(test, loom))]
        self.is_set.store(1, Ordering::Release);
        value
    }
}

/// A read-write lock without poisoning, for the same reason.
#[derive(Debug, Default)]
pub(crate) struct RwLock<T>(SharedLock<T>);

impl<T> RwLock<T> {
    #[inline]
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
