//! The laws of a single call, judged by what was overheard of it.
//!
//! Owns what must be true of the notes, whenever they are read and when the call has ended. Drives nothing.

use std::time::Duration;

use redress_core::{ErrorClass, EventName, SleepDecision, StopReason};

use super::call::{Ended, Flavour};
use super::log::{Failure, Notes, Wait};
use super::setup::Setup;

/// What a call is limited by: a policy with retry, or one attempt.
#[derive(Clone, Copy)]
pub(super) struct Limits<'s> {
    pub(super) setup: Option<&'s Setup>,
}

impl<'s> Limits<'s> {
    pub(super) const fn of_retry(setup: &'s Setup) -> Self {
        Self { setup: Some(setup) }
    }

    pub(super) const fn of_one_attempt() -> Self {
        Self { setup: None }
    }

    fn max_attempts(self) -> usize {
        self.setup.map_or(1, |setup| setup.max_attempts as usize)
    }

    fn deadline(self) -> Option<Duration> {
        self.setup?.deadline
    }

    fn cap_of(self, class: ErrorClass) -> u32 {
        self.setup.map_or(u32::MAX, |setup| setup.cap_of(class))
    }

    fn delay_after(self, failure: &Failure) -> Option<Duration> {
        self.setup.map_or(Some(Duration::ZERO), |setup| setup.delay_after(failure))
    }
}

/// A call, as it was overheard.
pub(super) struct Seen<'c> {
    pub(super) flavour: Flavour,
    pub(super) notes: &'c Notes,
    pub(super) limits: Limits<'c>,
}

impl Seen<'_> {
    fn began(&self) -> Duration {
        self.notes.began.expect("the call has begun")
    }

    fn deadline(&self) -> Option<Duration> {
        Some(self.began() + self.limits.deadline()?)
    }

    /// **R1** and **R2**, and that no retry happens that a limit forbids.
    pub(super) fn keeps_to_the_limits(&self) {
        let Notes { starts, failures, waits, .. } = self.notes;
        assert!(starts.len() <= self.limits.max_attempts(), "attempts never exceed the cap");
        assert!(starts.iter().map(|(number, _)| *number).eq(1..=starts.len() as u32), "attempts are counted from 1");
        assert!(failures.len() + 1 >= starts.len(), "a further attempt follows a failure");
        for ((_, at), failure) in starts.iter().skip(1).zip(failures) {
            assert!(self.deadline().is_none_or(|deadline| *at < deadline), "no attempt starts at or past the deadline");
            let delay = self.limits.delay_after(failure).expect("a class without a strategy is not retried");
            assert!(*at >= failure.at + delay, "an attempt waits for its time");
        }
        for retried in 1..starts.len() {
            assert!(self.may_be_retried(retried), "a failure that is retried may be: {:?}", failures[retried - 1]);
        }
        waits.iter().for_each(|wait| self.is_bounded(wait));
    }

    /// Whether class and caps allow a retry after so many failures.
    fn may_be_retried(&self, failures: usize) -> bool {
        let class = self.notes.failures[failures - 1].class;
        class.is_retryable() && self.failures_of(class, failures) <= self.limits.cap_of(class)
    }

    fn failures_of(&self, class: ErrorClass, failures: usize) -> u32 {
        self.notes.failures[..failures].iter().filter(|failure| failure.class == class).count() as u32
    }

    fn is_bounded(&self, wait: &Wait) {
        let end = wait.at + wait.duration;
        if wait.is_timeout {
            assert!(self.deadline().is_none_or(|deadline| end <= deadline), "no attempt is given more than is left");
            return;
        }
        assert!(self.deadline().is_none_or(|deadline| end < deadline), "no wait ends past the deadline");
        let failure = self.notes.failures[..wait.failures].last().expect("a wait follows a failure");
        assert_eq!(Some(wait.duration), self.limits.delay_after(failure), "the wait is the strategy's");
    }

    /// When each retry was granted, of the failures and events after so many: a watched call is told of each, and of
    /// another every failure was granted a retry but the one that ended it.
    pub(super) fn grants_since(&self, failures: usize, events: usize, has_ended: bool) -> Vec<Duration> {
        if self.flavour.is_watched() {
            let retries = self.notes.events[events..].iter().filter(|heard| heard.name == EventName::Retry);
            return retries.map(|heard| heard.at).collect();
        }
        let mut granted: Vec<Duration> = self.notes.failures[failures..].iter().map(|failure| failure.at).collect();
        let count = self.notes.failures.len();
        let has_waited = self.notes.waits.iter().any(|wait| !wait.is_timeout && wait.failures == count);
        if has_ended && self.notes.has_just_failed && !has_waited {
            granted.pop();
        }
        granted
    }

    /// Whether a watched call has been told of this, once, or never.
    #[track_caller]
    pub(super) fn heard_of(&self, name: EventName, once: bool) {
        if self.flavour.is_watched() {
            let heard = self.notes.events.iter().filter(|heard| heard.name == name).count();
            assert_eq!(heard, usize::from(once), "{name} is heard");
        }
    }

    /// **R3**, of a call that goes on, was dropped or panicked.
    pub(super) fn has_no_end(&self) {
        assert!(!self.notes.events.iter().any(|heard| heard.name.is_terminal()), "only an end is told as one");
    }

    /// **R3**, and that what the call says of its end is so.
    pub(super) fn ended_as_told(&self, ended: &Ended, now: Duration) {
        let Notes { starts, failures, .. } = self.notes;
        let last = failures.last();
        assert!(ended.attempts.is_none_or(|attempts| attempts as usize == starts.len()), "{ended:?}");
        assert_eq!(ended.rejection.is_some(), ended.reason == Some(StopReason::CircuitOpen), "{ended:?}");
        let last_class = last.filter(|_| ended.reason.is_some()).map(|failure| failure.class);
        assert_eq!(ended.last_class, last_class, "{ended:?}");
        let deferred = last.filter(|_| ended.reason == Some(StopReason::Scheduled));
        assert_eq!(ended.next_delay, deferred.and_then(|failure| self.limits.delay_after(failure)), "{ended:?}");
        assert!(ended.elapsed.is_none_or(|elapsed| elapsed == now - self.began()), "{ended:?}");
        match ended.reason {
            None => assert!(!self.notes.has_just_failed, "{ended:?}"),
            Some(reason) => assert!(self.is_reason(reason, now), "{ended:?} after {:?}", self.notes),
        }
        if self.flavour.is_watched() {
            self.is_told_once(ended);
        }
    }

    fn is_told_once(&self, ended: &Ended) {
        let names: Vec<EventName> = self.notes.events.iter().map(|heard| heard.name).collect();
        let terminal: Vec<EventName> = names.iter().copied().filter(|name| name.is_terminal()).collect();
        assert_eq!(terminal, [ended.reason.map_or(EventName::Success, StopReason::event)], "one terminal event");
        let attempts = self.notes.starts.len();
        assert_eq!((self.notes.hooks_at_start, self.notes.hooks_at_end), (attempts, attempts), "a hook at either end");
        let is_breakers = |name: &EventName| {
            matches!(name, EventName::CircuitOpened | EventName::CircuitHalfOpen | EventName::CircuitClosed)
        };
        let of_call: Vec<EventName> = names.into_iter().filter(|name| !is_breakers(name)).collect();
        let recorded = (ended.reason != Some(StopReason::CircuitOpen)).then_some(of_call);
        assert_eq!(ended.timeline, recorded, "the timeline is what observers heard");
        let is_delay = self.notes.events.iter().filter(|heard| heard.name == EventName::Retry).all(|heard| {
            let before = self.notes.failures.iter().filter(|failure| failure.at <= heard.at);
            before.map(|failure| self.limits.delay_after(failure)).any(|delay| delay == Some(heard.sleep))
        });
        assert!(is_delay, "the delay that is told is a strategy's");
    }

    /// Whether the call can have ended for this reason.
    fn is_reason(&self, reason: StopReason, now: Duration) -> bool {
        let handler = self.limits.setup.filter(|_| self.flavour.is_watched()).and_then(|setup| setup.sleep_handler);
        let Some(last) = self.notes.failures.last() else {
            return matches!(reason, StopReason::Aborted | StopReason::CircuitOpen);
        };
        let failures = self.failures_of(last.class, self.notes.failures.len());
        match reason {
            StopReason::MaxAttemptsGlobal => self.notes.starts.len() == self.limits.max_attempts(),
            StopReason::MaxAttemptsPerClass | StopReason::MaxUnknownAttempts => {
                failures > self.limits.cap_of(last.class)
            }
            StopReason::DeadlineExceeded => {
                let delay = self.limits.delay_after(last).unwrap_or_default();
                self.deadline().is_some_and(|deadline| now.max(last.at + delay) >= deadline)
            }
            StopReason::NonRetryableClass => !last.class.is_retryable(),
            StopReason::NoStrategy => self.limits.delay_after(last).is_none(),
            StopReason::Scheduled => handler == Some(SleepDecision::Defer),
            // By the operation, which leaves no note, by the predicate, or by the handler.
            StopReason::Aborted => {
                !self.notes.has_just_failed || self.notes.wants_abort || handler == Some(SleepDecision::Abort)
            }
            StopReason::BudgetExhausted => self.limits.setup.is_some_and(|setup| setup.budget.is_some()),
            _ => false,
        }
    }
}
