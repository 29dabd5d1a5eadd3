//! Bounds for draining a response that will be retried.

use std::time::Duration;

/// Bounds how much of a response that will be retried is read, and for how long, so that its
/// connection can be reused. A response that exceeds either bound is dropped before the wait, which
/// closes its connection. Default: 64 KiB in 100 ms.
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
    /// Reads at most about `max_bytes`, for at most `max_time`. Zero for either disables reading.
    #[must_use]
    pub const fn new(max_bytes: usize, max_time: Duration) -> Self {
        Self { max_bytes, max_time }
    }

    /// Returns the bound on bytes.
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Returns how long draining may take in an attempt with this time left: at most half of it, so
    /// that the attempt's timeout does not discard a response that has arrived.
    #[must_use]
    pub fn time(&self, attempt_left: Option<Duration>) -> Duration {
        attempt_left.map_or(self.max_time, |left| self.max_time.min(left / 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draining_takes_at_most_its_time_and_half_of_what_the_attempt_has_left() {
        let drain = Drain::default();
        assert_eq!((drain.max_bytes(), drain.time(None)), (65_536, Duration::from_millis(100)));
        for (left, time) in [(0, 0), (50, 25), (199, 99), (200, 100), (5_000, 100)] {
            assert_eq!(drain.time(Some(Duration::from_millis(left))).as_millis(), time, "{left} ms left");
        }
    }
}
