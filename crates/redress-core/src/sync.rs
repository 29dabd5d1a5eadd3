//! The one place that names locks, atomics and shared pointers for the cells that calls share.
//!
//! Owns nothing; it exists so that a model checker can stand in for `std` without touching the cells.

pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
pub(crate) use std::sync::{Arc, OnceLock};

use std::sync::PoisonError;

/// A mutex whose contents stay valid when a holder panics: every critical section of redress leaves its state
/// consistent at each step, so poisoning carries no information.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    #[inline]
    pub(crate) fn lock(&self) -> std::sync::MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
