//! A clock that stands still until told to move.
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A virtual clock.
#[derive(Clone, Debug)]
pub struct VirtualClock {
    start: Instant,
    elapsed: Arc<Mutex<Duration>>,
}

impl VirtualClock {
    /// New.
    pub fn new() -> Self {
        Self { start: Instant::now(), elapsed: Arc::default() }
    }
    /// Elapsed.
    pub fn elapsed(&self) -> Duration {
        *self.elapsed.lock().unwrap()
    }
    /// Now.
    pub fn now(&self) -> Instant {
        self.start + self.elapsed()
    }
    /// Advance.
    pub fn advance(&self, by: Duration) {
        *self.elapsed.lock().unwrap() += by;
    }
}
impl redress_core::Clock for VirtualClock {
    fn now(&self) -> Instant {
        Self::now(self)
    }
}
