//! A server that the tests of one process share.

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A place in a `static` for a server that takes seconds to start.
///
/// The server runs while a test holds it. A `static` is never dropped, so it must not own the
/// server: the process of the server would outlive the tests.
#[derive(Debug)]
pub struct Shared<S> {
    running: Mutex<Weak<S>>,
}

impl<S> Shared<S> {
    /// An empty place.
    #[must_use]
    pub const fn new() -> Self {
        Self { running: Mutex::new(Weak::new()) }
    }

    /// Returns the running server, or starts one.
    pub fn get(&self, start: impl FnOnce() -> S) -> Arc<S> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.upgrade().unwrap_or_else(|| {
            let started = Arc::new(start());
            *running = Arc::downgrade(&started);
            started
        })
    }
}

impl<S> Default for Shared<S> {
    fn default() -> Self {
        Self::new()
    }
}
