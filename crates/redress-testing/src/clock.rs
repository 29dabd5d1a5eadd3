//! The virtual clock: its time, the alarms set on it, and the list of waits.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use redress_core::driver::Clock;

use crate::lock::lock;
use crate::timer::VirtualTimer;

/// The furthest time of the clock: 584 years, where redress's own arithmetic saturates too.
const FURTHEST: Duration = Duration::from_nanos(u64::MAX);

/// A clock that stands still until it is advanced or waited on.
///
/// A handle: clones share one clock. It is a [`Clock`] for blocking policies and breakers, provides
/// the [`sleeper`](Self::sleeper) that replaces the thread's sleep and the [`timer`](Self::timer)
/// for asynchronous policies, and runs futures without a runtime in [`block_on`](Self::block_on).
/// Waits on it take no real time.
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
/// It stops 584 years after its start.
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

/// The due time of an alarm since the origin, and an id that distinguishes alarms due at the same
/// time.
pub(crate) type Alarm = (Duration, u64);

impl VirtualClock {
    /// Creates a clock that starts at the current instant of the system clock, and is independent
    /// of it afterwards.
    #[must_use]
    pub fn new() -> Self {
        Self { shared: Arc::new(Shared { origin: Instant::now(), time: Mutex::default() }) }
    }

    /// Returns the current instant.
    #[must_use]
    pub fn now(&self) -> Instant {
        // `move_to` only accepts targets that the origin can be moved by.
        self.shared.origin.checked_add(self.elapsed()).unwrap_or(self.shared.origin)
    }

    /// Returns the time since the clock was created.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        lock(&self.shared.time).elapsed
    }

    /// Advances the clock, and wakes every wait that is due.
    pub fn advance(&self, by: Duration) {
        let wakers = {
            let mut time = lock(&self.shared.time);
            let target = self.reachable(time.elapsed, by);
            time.move_to(target)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Returns the completed waits, in the order of completion: every call of the
    /// [`sleeper`](Self::sleeper), including waits of zero, and every completed wait on the
    /// [`timer`](Self::timer). An attempt timeout is a wait on the timer; it is in the list only if
    /// it was reached.
    #[must_use]
    pub fn slept(&self) -> Vec<Duration> {
        lock(&self.shared.time).slept.clone()
    }

    /// Returns a sleeper for blocking policies, which advances the clock instead of waiting. Pass
    /// it to `.sleep_with(..)` of a policy or a call with this clock as its `.clock(..)`.
    pub fn sleeper(&self) -> impl Fn(Duration) + Clone + Send + Sync + 'static {
        let clock = self.clone();
        move |duration| {
            clock.advance(duration);
            clock.note_wait(duration);
        }
    }

    /// Returns a timer on this clock for asynchronous policies.
    #[must_use]
    pub fn timer(&self) -> VirtualTimer {
        VirtualTimer::new(self.clone())
    }

    /// Advances to the next alarm; returns `false` if there is none.
    pub(crate) fn advance_to_next_alarm(&self) -> bool {
        let wakers = {
            let mut time = lock(&self.shared.time);
            let Some((due, _)) = time.alarms.keys().next().copied() else { return false };
            time.move_to(due)
        };
        wakers.into_iter().for_each(Waker::wake);
        true
    }

    /// Creates an alarm that is due after `duration`. It wakes no task before it is first polled.
    pub(crate) fn alarm(&self, duration: Duration) -> Alarm {
        let mut time = lock(&self.shared.time);
        time.next_id += 1;
        (self.reachable(time.elapsed, duration), time.next_id)
    }

    /// Polls the alarm, and registers `waker` if it is not due.
    pub(crate) fn poll_alarm(&self, alarm: Alarm, waker: &Waker) -> Poll<()> {
        // Cloned before locking and dropped after unlocking, because a waker may run any code,
        // including calls to this clock.
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

    /// Removes an alarm.
    pub(crate) fn cancel(&self, alarm: Alarm) {
        let cancelled = lock(&self.shared.time).alarms.remove(&alarm);
        drop(cancelled);
    }

    pub(crate) fn note_wait(&self, duration: Duration) {
        lock(&self.shared.time).slept.push(duration);
    }

    /// Returns `elapsed` plus `by`, at most [`FURTHEST`], or `elapsed` if no instant represents the
    /// sum. The result is always reachable, so every wait ends.
    fn reachable(&self, elapsed: Duration, by: Duration) -> Duration {
        let target = elapsed.saturating_add(by).min(FURTHEST);
        self.shared.origin.checked_add(target).map_or(elapsed, |_| target)
    }
}

impl Time {
    /// Advances to `target`, and returns the wakers to wake.
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
