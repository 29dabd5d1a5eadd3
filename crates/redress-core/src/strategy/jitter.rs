//! Randomness for the strategies: the thread's generator, or one with a seed.
//!
//! Owns the drawing of a duration from a range. Does not know what the range is for.

use std::time::Duration;

use crate::drive::clock::nanos;
use crate::sync::Mutex;

/// A source of jitter.
#[derive(Debug, Default)]
pub(crate) enum Jitter {
    /// fastrand's thread-local generator: no sharing, no lock.
    #[default]
    Thread,
    /// A generator of its own, so that a seed replays a run. Boxed, since it is the rare case.
    Seeded(Box<Mutex<fastrand::Rng>>),
}

impl Jitter {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self::Seeded(Box::new(Mutex::new(fastrand::Rng::with_seed(seed))))
    }

    /// A duration between `low` and `high`, both included, uniform to the nanosecond.
    pub(crate) fn between(&self, low: Duration, high: Duration) -> Duration {
        let (low, high) = (nanos(low), nanos(high.max(low)));
        Duration::from_nanos(match self {
            Self::Thread => fastrand::u64(low..=high),
            Self::Seeded(rng) => rng.lock().u64(low..=high),
        })
    }
}
