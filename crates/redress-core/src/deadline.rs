//! [`Deadline`], an instant at which work is no longer wanted, and [`CallDeadline`], what a call's
//! settings take: such an instant, or a time from the start of each call.

use std::cmp::Ordering;
use std::time::{Duration, Instant};

/// The instant at which work is no longer wanted. A plain value: it passes through arguments and
/// request extensions, and its time runs while the work waits in a queue.
///
/// Made from an instant ([`at`](Self::at)), or from a time that begins now
/// ([`after`](Self::after)) or at a reading of another clock ([`from_left`](Self::from_left)). A
/// time too long for the clock never ends.
///
/// Each call takes a deadline with [`CallContext::deadline`](crate::CallContext::deadline). Pass a
/// `Duration` there for a time that begins with each call.
///
/// Deadlines compare by their instants: the earlier one is the smaller.
///
/// ```
/// use std::time::{Duration, Instant};
/// use redress::policy::Deadline;
///
/// let received = Instant::now();
/// let of_caller = Deadline::from_left(Duration::from_millis(800), received);
/// let own = Deadline::from_left(Duration::from_secs(2), received);
/// let deadline = of_caller.earlier(own);
/// assert_eq!(deadline.left(received), Duration::from_millis(800));
/// assert!(deadline.is_expired(received + Duration::from_millis(800)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Deadline(
    /// `None` lies beyond the clock's range.
    Option<Instant>,
);

impl Deadline {
    /// Returns the deadline at this instant.
    #[must_use]
    pub const fn at(instant: Instant) -> Self {
        Self(Some(instant))
    }

    /// Returns the deadline `time` from now, by the system's monotonic clock. The time begins here,
    /// so make a new value for each request.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        Self::from_left(time, Instant::now())
    }

    /// Returns the deadline that has this time left at `now`, such as a time left that a caller
    /// sent. The inverse of [`left`](Self::left).
    #[must_use]
    pub fn from_left(left: Duration, now: Instant) -> Self {
        Self(now.checked_add(left))
    }

    /// The instant; `None` if it lies beyond the clock's range.
    #[must_use]
    pub const fn instant(self) -> Option<Instant> {
        self.0
    }

    /// The time left at `now`: zero at and after the deadline, [`Duration::MAX`] if it lies beyond
    /// the clock's range.
    #[must_use]
    pub fn left(self, now: Instant) -> Duration {
        self.0.map_or(Duration::MAX, |instant| instant.saturating_duration_since(now))
    }

    /// How long before `now` it passed; zero if it has not.
    pub(crate) fn passed(self, now: Instant) -> Duration {
        self.0.map_or(Duration::ZERO, |instant| now.saturating_duration_since(instant))
    }

    /// Whether the deadline has passed. It has at its instant, too: no attempt starts there.
    #[must_use]
    pub fn is_expired(self, now: Instant) -> bool {
        self.left(now).is_zero()
    }

    /// Returns the earlier of the two. A deadline that was received can only shorten another in
    /// this way.
    #[must_use]
    pub fn earlier(self, other: Self) -> Self {
        self.min(other)
    }
}

impl Ord for Deadline {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.0, other.0) {
            (Some(own), Some(other)) => own.cmp(&other),
            (own, other) => own.is_none().cmp(&other.is_none()),
        }
    }
}

impl PartialOrd for Deadline {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<Instant> for Deadline {
    fn from(instant: Instant) -> Self {
        Self::at(instant)
    }
}

/// The deadline of single calls, as [`CallContext::deadline`](crate::CallContext::deadline) takes
/// it: converted from a `Duration`, an `Instant` or a [`Deadline`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallDeadline {
    /// This long after the start of each call.
    After(Duration),
    /// At an instant of the policy's clock, whenever the call starts.
    At(Deadline),
}

impl CallDeadline {
    /// The time left at `now`, in a call that has taken `elapsed`. Zero at and after the deadline.
    #[must_use]
    pub fn left(self, elapsed: Duration, now: Instant) -> Duration {
        match self {
            Self::After(time) => time.saturating_sub(elapsed),
            Self::At(deadline) => deadline.left(now),
        }
    }
}

impl From<Duration> for CallDeadline {
    fn from(time: Duration) -> Self {
        Self::After(time)
    }
}

impl From<Instant> for CallDeadline {
    fn from(instant: Instant) -> Self {
        Self::At(instant.into())
    }
}

impl From<Deadline> for CallDeadline {
    fn from(deadline: Deadline) -> Self {
        Self::At(deadline)
    }
}
