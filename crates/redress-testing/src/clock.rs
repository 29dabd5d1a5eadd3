//! Time that passes when told to.
//!
//! Owns the virtual instant, the alarms set on it, and the list of waits. Knows neither futures nor
//! policies: those who wait on it are `timer.rs`, and who moves it on when all wait is
//! `executor.rs`.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use redress_core::driver::Clock;

use crate::lock::lock;
use crate::timer::VirtualTimer;

/// As far as the clock goes: 584 years, where redress's own arithmetic saturates too.
const FURTHEST: Duration = Duration::from_nanos(u64::MAX);

/// A clock that stands still until it is moved, or until somebody waits on it.
///
/// A handle: clones are the same clock. It is a [`Clock`] for blocking policies and breakers, makes
/// the [`sleeper`](Self::sleeper) that replaces the thread's sleep, the [`timer`](Self::timer) for
/// asynchronous policies, and runs their futures without a runtime in [`block_on`](Self::block_on).
/// No wait on it takes real time.
///
/// ```
/// use std::io;
/// use std::time::Duration;
/// use redress::{Policy, Retry, fixed};
/// use redress::testing::VirtualClock;
///
/// let clock = VirtualClock::new();
/// let policy = Policy::builder()
///     .retry(Retry::builder().strategy(fixed(Duration::from_secs(86_400))).max_attempts(366)).no_deadline()
///     .clock(clock.clone())
///     .sleep_with(clock.sleeper())
///     .build()?;
///
/// let outcome = policy.execute(|| Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionReset)));
/// assert_eq!(outcome.elapsed(), Duration::from_secs(365 * 86_400));
/// assert_eq!(clock.slept().len(), 365);
/// # Ok::<(), redress::ConfigError>(())
/// ```
///
/// It goes 584 years from where it began and then stands still.
#[derive(Clone, Debug)]
pub struct VirtualClock {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    origin: Instant,
    time: Mutex<Time>,
}

#[derive(Debug, Default)]
struct Time {
    elapsed: Duration,
    slept: Vec<Duration>,
    alarms: BTreeMap<Alarm, Waker>,
    next_id: u64,
}

/// When something is due, in time since the origin, and a number that tells apart what is due at
/// once.
pub(crate) type Alarm = (Duration, u64);

impl VirtualClock {
    /// A clock of its own. It begins at the system clock's present instant, and never looks there
    /// again.
    #[must_use]
    pub fn new() -> Self {
        Self { shared: Arc::new(Shared { origin: Instant::now(), time: Mutex::default() }) }
    }

    /// The instant it shows.
    #[must_use]
    pub fn now(&self) -> Instant {
        // `move_to` lets nothing in that the origin cannot be moved by.
        self.shared.origin.checked_add(self.elapsed()).unwrap_or(self.shared.origin)
    }

    /// How far it has moved since it was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        lock(&self.shared.time).elapsed
    }

    /// Moves it on, and wakes whatever was waiting for a time up to there.
    pub fn advance(&self, by: Duration) {
        let wakers = {
            let mut time = lock(&self.shared.time);
            let target = self.reachable(time.elapsed, by);
            time.move_to(target)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// The waits that came to their end, in the order in which they did: every call of the
    /// [`sleeper`](Self::sleeper), waits of zero included, and every completed wait on the
    /// [`timer`](Self::timer). An attempt timeout is a wait on the timer: one that struck is in the
    /// list, one that the attempt outran is not.
    #[must_use]
    pub fn slept(&self) -> Vec<Duration> {
        lock(&self.shared.time).slept.clone()
    }

    /// A sleeper for blocking policies: it moves the clock instead of waiting. Give it to
    /// `.sleep_with(..)` of a policy or a call that has this clock as its `.clock(..)`.
    pub fn sleeper(&self) -> impl Fn(Duration) + Clone + Send + Sync + 'static {
        let clock = self.clone();
        move |duration| {
            clock.advance(duration);
            clock.note_wait(duration);
        }
    }

    /// A timer for asynchronous policies, on this clock.
    #[must_use]
    pub fn timer(&self) -> VirtualTimer {
        VirtualTimer::new(self.clone())
    }

    /// Moves it on to the next alarm; `false` if there is none.
    pub(crate) fn advance_to_next_alarm(&self) -> bool {
        let wakers = {
            let mut time = lock(&self.shared.time);
            let Some((due, _)) = time.alarms.keys().next().copied() else { return false };
            time.move_to(due)
        };
        wakers.into_iter().for_each(Waker::wake);
        true
    }

    /// An alarm that is due after `duration`. Nobody is woken before it is first polled.
    pub(crate) fn alarm(&self, duration: Duration) -> Alarm {
        let mut time = lock(&self.shared.time);
        time.next_id += 1;
        (self.reachable(time.elapsed, duration), time.next_id)
    }

    /// Whether the alarm is due; if not, `waker` is woken when it is.
    pub(crate) fn poll_alarm(&self, alarm: Alarm, waker: &Waker) -> Poll<()> {
        // Cloned before and dropped after the lock is held: a waker may do anything then, and call
        // this clock too.
        let waker = waker.clone();
        let replaced = {
            let mut time = lock(&self.shared.time);
            if time.elapsed >= alarm.0 {
                return Poll::Ready(());
            }
            time.alarms.insert(alarm, waker)
        };
        drop(replaced);
        Poll::Pending
    }

    /// Nobody waits for the alarm any more.
    pub(crate) fn cancel(&self, alarm: Alarm) {
        let cancelled = lock(&self.shared.time).alarms.remove(&alarm);
        drop(cancelled);
    }

    pub(crate) fn note_wait(&self, duration: Duration) {
        lock(&self.shared.time).slept.push(duration);
    }

    /// Where `by` after `elapsed` is, or the end of time. What it answers can always be reached, so
    /// no wait is for ever.
    fn reachable(&self, elapsed: Duration, by: Duration) -> Duration {
        let target = elapsed.saturating_add(by).min(FURTHEST);
        self.shared.origin.checked_add(target).map_or(elapsed, |_| target)
    }
}

impl Time {
    /// Moves on to `target`, and answers with those to wake.
    fn move_to(&mut self, target: Duration) -> Vec<Waker> {
        self.elapsed = self.elapsed.max(target);
        let later = self.alarms.split_off(&(self.elapsed, u64::MAX));
        mem::replace(&mut self.alarms, later).into_values().collect()
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Instant {
        Self::now(self)
    }
}
