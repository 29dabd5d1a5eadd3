//! [`ResumeToken`], what a call needs to go on in another process.

use std::time::{Duration, SystemTime};

use crate::classify::class::ErrorClass;
use crate::drive::clock::nanos;
use crate::engine::Failures;

/// After this time a forgotten job is a new intention.
const LONGEST_PAUSE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The state of a deferred call. Returned by [`RetryOutcome::resume_token`]; continued by
/// `policy.resume(token)`. See the [module](super).
///
/// `Display` writes it as a text of at most 120 characters, `FromStr` reads it. The text begins
/// with its version, `rd1.`, and has no secrets: counts, times and a hash of the policy's name.
///
/// # Time
///
/// By default the pause between two deliveries does not count: the policy's deadline limits the
/// time in which the call runs and waits. With [`with_pause_until`](Self::with_pause_until) it
/// counts. [`with_wall_deadline`](Self::with_wall_deadline) sets an end by the wall clock instead.
///
/// [`RetryOutcome::resume_token`]: crate::RetryOutcome::resume_token
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResumeToken {
    pub(crate) attempts: u32,
    pub(crate) failures: Failures,
    pub(crate) prev_delay: Option<Duration>,
    pub(crate) elapsed: Duration,
    /// Since the Unix epoch, as are all instants of the wall clock in a token.
    pub(super) deferred_at: Duration,
    pub(super) wall_deadline: Option<Duration>,
    pub(super) policy: u32,
}

impl ResumeToken {
    /// The state of a call that was just deferred. Durations keep the range of the text.
    pub(crate) fn new(
        attempts: u32,
        failures: Failures,
        prev_delay: Option<Duration>,
        elapsed: Duration,
        policy: Option<&str>,
    ) -> Self {
        Self {
            attempts,
            failures,
            prev_delay: prev_delay.map(within_range),
            elapsed: within_range(elapsed),
            deferred_at: Duration::ZERO,
            wall_deadline: None,
            policy: name_hash(policy),
        }
    }

    pub(crate) fn deferred_by(self, now: SystemTime) -> Self {
        Self { deferred_at: since_epoch(now), ..self }
    }

    /// The attempts of all deliveries so far.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How many attempts have failed in this class. Zero for classes that are never retried,
    /// because such a failure ends the call.
    #[must_use]
    pub fn failures(&self, class: ErrorClass) -> u32 {
        u32::from(self.failures.of(class))
    }

    /// The time that the call has used: all of its time until it was deferred, and the pauses that
    /// [count](Self::with_pause_until).
    #[must_use]
    pub const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// When the call was deferred, by the wall clock.
    #[must_use]
    pub fn deferred_at(&self) -> SystemTime {
        at(self.deferred_at)
    }

    /// The end of the call by the wall clock, if it has one.
    #[must_use]
    pub fn wall_deadline(&self) -> Option<SystemTime> {
        self.wall_deadline.map(at)
    }

    /// Ends the call at this instant of the wall clock, deliveries and pauses included. The
    /// policy's deadline still applies. Instants before 1970 count as 1970, and those after 2554 as
    /// 2554.
    #[must_use]
    pub fn with_wall_deadline(self, deadline: SystemTime) -> Self {
        Self { wall_deadline: Some(since_epoch(deadline)), ..self }
    }

    /// Counts the pause from the deferral to `now` as time that the call has used, so that the
    /// policy's deadline covers it. A clock that was set back counts as no pause.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use redress::Policy;
    /// use redress::resume::ResumeToken;
    ///
    /// fn deliver(policy: &Policy, token: ResumeToken) {
    ///     let call = policy.resume(token.with_pause_until(SystemTime::now()));
    ///     // call.execute(..)
    /// #   drop(call);
    /// }
    /// ```
    #[must_use]
    pub fn with_pause_until(self, now: SystemTime) -> Self {
        let pause = since_epoch(now).saturating_sub(self.deferred_at);
        Self {
            elapsed: within_range(self.elapsed.saturating_add(pause)),
            deferred_at: self.deferred_at.saturating_add(pause),
            ..self
        }
    }

    /// Whether a call of the policy with this [name](crate::policy::PolicyBuilder::name) gave the
    /// token. Policies without a name are one policy.
    #[must_use]
    pub fn is_of(&self, policy: Option<&str>) -> bool {
        self.policy == name_hash(policy)
    }

    /// Whether the call was deferred more than seven days before `now`.
    #[must_use]
    pub fn is_stale(&self, now: SystemTime) -> bool {
        since_epoch(now).saturating_sub(self.deferred_at) > LONGEST_PAUSE
    }

    /// The time until the wall deadline.
    pub(crate) fn time_left(&self, now: SystemTime) -> Option<Duration> {
        self.wall_deadline.map(|deadline| deadline.saturating_sub(since_epoch(now)))
    }
}

/// The range of the text: whole nanoseconds, up to 584 years. One value is left for "none".
fn within_range(time: Duration) -> Duration {
    Duration::from_nanos(nanos(time).min(u64::MAX - 1))
}

fn since_epoch(time: SystemTime) -> Duration {
    within_range(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

fn at(since_epoch: Duration) -> SystemTime {
    SystemTime::UNIX_EPOCH.checked_add(since_epoch).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// FNV-1a of the name in 32 bits: the same in every version and on every machine.
fn name_hash(name: Option<&str>) -> u32 {
    let bytes = name.unwrap_or_default().bytes();
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
