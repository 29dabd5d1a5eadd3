//! Randomness for strategies and earned budgets: the thread's generator, or one with a seed.

use std::time::Duration;

use crate::drive::clock::nanos;
use crate::sync::Mutex;

/// Draws durations and numbers from a range.
#[derive(Debug, Default)]
pub(crate) enum RandomSource {
    /// fastrand's thread-local generator: no sharing, no lock.
    #[default]
    Thread,
    /// A generator with a seed, for reproducible delays. Boxed, because it is rare.
    Seeded(Box<Seeded>),
}

#[derive(Debug)]
pub(crate) struct Seeded {
    seed: u64,
    rng: Mutex<fastrand::Rng>,
}

impl RandomSource {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self::Seeded(Box::new(Seeded { seed, rng: Mutex::new(fastrand::Rng::with_seed(seed)) }))
    }

    /// The seed, if it was created with one.
    pub(crate) fn seed(&self) -> Option<u64> {
        match self {
            Self::Thread => None,
            Self::Seeded(seeded) => Some(seeded.seed),
        }
    }

    /// A duration between `low` and `high`, both included, uniform to the nanosecond.
    pub(crate) fn between(&self, low: Duration, high: Duration) -> Duration {
        let (low, high) = (nanos(low), nanos(high.max(low)));
        Duration::from_nanos(match self {
            Self::Thread => fastrand::u64(low..=high),
            Self::Seeded(seeded) => seeded.rng.lock().u64(low..=high),
        })
    }

    /// A number below `limit`, which must not be zero, uniform.
    pub(crate) fn below(&self, limit: u64) -> u64 {
        match self {
            Self::Thread => fastrand::u64(..limit),
            Self::Seeded(seeded) => seeded.rng.lock().u64(..limit),
        }
    }
}
