//! The state of one call between the engine's decisions, without its settings.

use std::time::{Duration, Instant};

use super::call_observers::CallObservers;
use super::decisions::EndedBy;
use super::fast_path::FastPath;
use super::flags::Flags;
use crate::classify::class::ErrorClass;
use crate::drive::clock::nanos;
use crate::outcome::failure::Cause;
use crate::outcome::stop_reason::StopReason;

/// An optional duration in eight bytes instead of sixteen: nanoseconds, saturating at 584 years.
#[derive(Clone, Copy)]
pub(crate) struct Wait(u64);

impl Wait {
    pub(super) const NONE: Self = Self(u64::MAX);

    #[inline]
    pub(super) fn of(duration: Duration) -> Self {
        Self(nanos(duration).min(u64::MAX - 1))
    }

    /// Nanoseconds; zero for none.
    pub(super) fn nanos(self) -> u64 {
        if self.0 == Self::NONE.0 { 0 } else { self.0 }
    }

    #[inline]
    pub(super) fn get(self) -> Option<Duration> {
        (self.0 != Self::NONE.0).then(|| Duration::from_nanos(self.0))
    }
}

impl Default for Wait {
    #[inline]
    fn default() -> Self {
        Self::NONE
    }
}

impl From<Option<Duration>> for Wait {
    fn from(duration: Option<Duration>) -> Self {
        duration.map_or(Self::NONE, Self::of)
    }
}

/// The state of a call. Part of every call's future, so its size matters.
#[derive(Default)]
pub(crate) struct RunState {
    pub(super) observers: CallObservers,
    /// When the call began, if an event, an outcome or a deadline needs it.
    pub(super) started: Option<Instant>,
    /// The wait before the next attempt. While an attempt [runs](Flags::ATTEMPT_RUNS) and the
    /// breaker wants to know how long it takes: when it began, after the start of the call. After
    /// the end of the call: the time until a deferred retry or a breaker's next probe, or a hint
    /// that did not fit the deadline.
    pub(super) wait: Wait,
    /// The last delay that the strategy computed, without the effect of hints. After the end of a
    /// call that is not deferred: the wait that did not fit the deadline, if one ended the call.
    pub(super) prev_delay: Wait,
    pub(super) generation: u64,
    pub(super) failures: Failures,
    pub(super) attempts: u32,
    pub(super) flags: Flags,
    pub(super) last_class: Option<ErrorClass>,
    pub(super) cause: Option<Cause>,
    pub(super) stop_reason: Option<StopReason>,
    pub(super) ended_by: EndedBy,
    /// The state of the asynchronous driver. It is here because a separate byte would take eight.
    pub(crate) step: Step,
}

/// Where the next poll of an asynchronous call continues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Step {
    #[default]
    New,
    /// An attempt is running. The sleep slot holds its timeout, if it has one.
    Attempting,
    /// The hook before the wait is awaited.
    BeforeWait,
    /// A custom sleeper waits in place of the timer.
    HookWaits,
    /// The timer waits.
    Waiting,
    /// The next attempt is due; the call has yielded to the runtime.
    Resuming,
    Ended,
}

/// The failures of each class, saturating.
///
/// The first failure of a class that is never retried ends the call, so only the other classes are
/// counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Failures([u16; RETRYABLE]);

const RETRYABLE: usize = ErrorClass::ALL.len() - FIRST_RETRYABLE;
const FIRST_RETRYABLE: usize = ErrorClass::Concurrency as usize;

impl Failures {
    /// Counts a failure; returns how many attempts have failed in its class.
    #[inline]
    pub(super) fn count(&mut self, class: ErrorClass) -> u16 {
        match self.place(class) {
            None => 1,
            Some(count) => {
                *count = count.saturating_add(1);
                *count
            }
        }
    }

    /// How many attempts have failed in a class; zero if it is not counted.
    #[inline]
    pub(crate) fn of(&self, class: ErrorClass) -> u16 {
        self.0.get((class as usize).wrapping_sub(FIRST_RETRYABLE)).copied().unwrap_or(0)
    }

    /// Sets how many attempts have failed in a class, if it is counted.
    pub(crate) fn set(&mut self, class: ErrorClass, failures: u16) {
        if let Some(count) = self.place(class) {
            *count = failures;
        }
    }

    #[inline]
    fn place(&mut self, class: ErrorClass) -> Option<&mut u16> {
        self.0.get_mut((class as usize).wrapping_sub(FIRST_RETRYABLE))
    }
}

impl RunState {
    #[inline]
    pub(crate) fn new(start: &FastPath<'_>, attempts: u32) -> Self {
        Self {
            observers: CallObservers::default(),
            started: start.started,
            wait: Wait::NONE,
            prev_delay: Wait::NONE,
            generation: start.generation,
            failures: Failures::default(),
            attempts,
            flags: start.flags,
            last_class: None,
            cause: None,
            stop_reason: None,
            ended_by: EndedBy::default(),
            step: Step::New,
        }
    }

    /// The state of a call that has ended and holds nothing.
    pub(crate) fn ended() -> Self {
        Self { step: Step::Ended, ..Self::default() }
    }

    /// Initialises the state; `attempts` is 1 if the first attempt takes the fast path.
    #[inline]
    pub(crate) fn open(&mut self, start: &FastPath<'_>, attempts: u32) {
        self.started = start.started;
        self.generation = start.generation;
        self.flags = start.flags;
        self.attempts = attempts;
    }

    /// Whether the wait before the next attempt is longer than zero.
    #[inline]
    pub(crate) const fn waits(&self) -> bool {
        self.wait.0 != 0
    }

    /// Whether the call has no hooks, observers or learning strategies.
    #[inline]
    pub(crate) const fn is_plain(&self) -> bool {
        self.flags.are_plain()
    }

    /// Whether a success is returned only to the caller, and is neither timed nor counted.
    #[inline]
    pub(crate) const fn ends_alone(&self) -> bool {
        !self.flags.end_matters()
    }

    /// Whether a success has an instant, for the outcome or for those who are told.
    #[inline]
    pub(crate) const fn ends_timed(&self) -> bool {
        self.flags.end_is_timed()
    }

    /// Whether nothing is left to report or to give back: the call holds neither a permit nor
    /// tokens, and has neither observers nor a timeline.
    #[inline]
    pub(crate) const fn is_spent(&self) -> bool {
        !self.flags.has(Flags::HOLDS_PERMIT.with(Flags::HOLDS_TOKENS).with(Flags::OBSERVED))
    }

    /// Runs a step of the operation within the scopes of the call's observers and in its frame.
    #[inline(always)]
    pub(crate) fn within<R>(&mut self, step: impl FnOnce() -> R) -> R {
        self.observers.within(step)
    }
}

#[cfg(test)]
mod tests {
    use super::FIRST_RETRYABLE;
    use crate::classify::class::ErrorClass;

    #[test]
    fn the_classes_that_are_retried_are_the_last_ones() {
        for class in ErrorClass::ALL.iter().copied() {
            assert_eq!(class.is_retryable(), class as usize >= FIRST_RETRYABLE, "{class}");
        }
    }
}
