//! How much of a response that will be replaced is read, and for how long.
//!
//! Owns the bound. What is read, and what becomes of the rest, is the integration's.

use std::time::Duration;

/// What reading a response that will be retried may cost, so that its connection can be used again.
/// A response that is longer, or late, is dropped before the wait, which closes its connection.
/// Default: 64 KiB in 100 ms.
///
/// ```
/// use std::time::Duration;
/// use redress::integration::http::Drain;
///
/// let drain = Drain::new(1024, Duration::from_millis(100));
/// assert_eq!(drain.time(None), Duration::from_millis(100));
/// assert_eq!(drain.time(Some(Duration::from_millis(50))), Duration::from_millis(25));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drain {
    max_bytes: usize,
    max_time: Duration,
}

impl Default for Drain {
    fn default() -> Self {
        Self::new(64 * 1024, Duration::from_millis(100))
    }
}

impl Drain {
    /// Reads at most about so many bytes, for at most so long; zero of either reads nothing.
    #[must_use]
    pub const fn new(max_bytes: usize, max_time: Duration) -> Self {
        Self { max_bytes, max_time }
    }

    /// How many bytes are read at most.
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// The time there is for it once the head is there, in an attempt that has this time left: at
    /// most half of that, so that the attempt does not run into its timeout and lose a response
    /// that is already here.
    #[must_use]
    pub fn time(&self, attempt_left: Option<Duration>) -> Duration {
        attempt_left.map_or(self.max_time, |left| self.max_time.min(left / 2))
    }
}
