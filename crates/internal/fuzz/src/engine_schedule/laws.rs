//! The laws of a single call, checked on the notes about it: some at any time, some when the call
//! has ended.

use std::time::Duration;

use redress_core::{ErrorClass, EventName, SleepDecision, StopReason};

use super::call::{Ended, Manner, OwnDeadline};
use super::log::{Failure, Heard, Notes, Wait};
use super::setup::{Setup, Times};

/// The limits of a call, from its policy and its own deadline.
#[derive(Clone, Copy)]
pub(super) struct Limits<'s> {
    setup: &'s Setup,
    manner: Manner,
}

impl<'s> Limits<'s> {
    pub(super) const fn new(setup: &'s Setup, manner: Manner) -> Self {
        Self { setup, manner }
    }

    /// The settings for retries, if the call has any.
    fn retry(self) -> Option<&'s Setup> {
        self.manner.retries.then_some(self.setup)
    }

    fn times(self) -> Times {
        self.setup.times(self.manner.retries)
    }

    fn max_attempts(self) -> usize {
        self.retry().map_or(1, |setup| setup.max_attempts as usize)
    }

    /// The deadline of a call that begins at this instant: the earlier of the policy's and its own.
    pub(super) fn deadline(self, began: Duration) -> Option<Duration> {
        let own = self.manner.deadline.map(|deadline| match deadline {
            OwnDeadline::After(time) => began + time,
            OwnDeadline::At(at) => at,
        });
        self.times().deadline.map(|deadline| began + deadline).into_iter().chain(own).min()
    }

    fn cap_of(self, class: ErrorClass) -> u32 {
        self.retry().map_or(u32::MAX, |setup| setup.cap_of(class))
    }

    fn delay_after(self, failure: &Failure) -> Option<Duration> {
        self.retry().map_or(Some(Duration::ZERO), |setup| setup.delay_after(failure))
    }

    /// The part of a hint that counts.
    fn heeded(self, hint: Duration) -> Duration {
        self.retry().map_or(hint, |setup| setup.heeded(hint))
    }

    pub(super) fn has_budget(self) -> bool {
        self.retry().is_some_and(|setup| setup.budget.is_some())
    }

    fn is_watched(self) -> bool {
        self.manner.flavour.is_watched()
    }
}

/// The notes on a call, with its limits.
pub(super) struct Seen<'c> {
    pub(super) notes: &'c Notes,
    pub(super) limits: Limits<'c>,
}

impl Seen<'_> {
    fn began(&self) -> Duration {
        self.notes.began.expect("the call has begun")
    }

    fn deadline(&self) -> Option<Duration> {
        self.limits.deadline(self.began())
    }

    fn is_late(&self, now: Duration) -> bool {
        self.deadline().is_some_and(|deadline| now >= deadline)
    }

    /// The time until the deadline at this instant.
    fn left(&self, at: Duration) -> Option<Duration> {
        self.deadline().map(|deadline| deadline.saturating_sub(at))
    }

    /// The instant at which the driver cuts an attempt that started at `started`.
    fn cut_at(&self, started: Duration) -> Option<Duration> {
        Some(started + self.limits.times().attempt_limit(self.left(started))?)
    }

    /// Checks **R1** and **R2**, and that the limits allow every retry.
    pub(super) fn keeps_to_the_limits(&self) {
        let Notes { starts, failures, waits, .. } = self.notes;
        assert!(starts.len() <= self.limits.max_attempts(), "attempts never exceed the cap");
        assert!(starts.iter().map(|start| start.number).eq(1..=starts.len() as u32), "attempts are counted from 1");
        assert!(failures.len() + 1 >= starts.len(), "a further attempt follows a failure");
        for start in starts {
            assert!(!self.is_late(start.at), "no attempt starts at or past the deadline");
            let time_left = self.limits.times().time_left(self.left(start.at));
            assert_eq!(start.time_left, time_left, "an operation receives the time left");
        }
        for (start, failure) in starts.iter().skip(1).zip(failures) {
            let delay = self.limits.delay_after(failure).expect("a class without a strategy is not retried");
            assert!(start.at >= failure.at + delay, "an attempt waits for its time");
        }
        for retried in 1..starts.len() {
            assert!(self.may_be_retried(retried), "the limits forbid this retry: {:?}", failures[retried - 1]);
        }
        for (start, failure) in starts.iter().zip(failures).filter(|(_, failure)| failure.is_cut) {
            assert!(self.cut_at(start.at).is_some_and(|limit| failure.at >= limit), "an attempt is cut at its limit");
        }
        waits.iter().for_each(|wait| self.is_bounded(wait));
    }

    /// Checks of a pending asynchronous call that no attempt outlasts its limit, and that the call
    /// does not outlast its deadline unless its attempts may.
    pub(super) fn is_in_time(&self, now: Duration) {
        let started = self.notes.starts.last().filter(|_| self.notes.is_running).map(|start| start.at);
        let cut_at = match started {
            Some(started) => self.cut_at(started),
            None => self.deadline(),
        };
        assert!(cut_at.is_none_or(|cut_at| now < cut_at), "still pending at {now:?}, past {cut_at:?}");
    }

    /// Whether class and caps allow a retry after this number of failures.
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
            assert_eq!(Some(end), self.cut_at(wait.at), "an attempt is given its timeout, or what is left");
            return;
        }
        assert!(!self.is_late(end), "no wait ends past the deadline");
        let failure = self.notes.failures[..wait.failures].last().expect("a wait follows a failure");
        assert_eq!(Some(wait.duration), self.limits.delay_after(failure), "the wait is the strategy's");
    }

    /// The instants at which retries were granted, since these numbers of failures and events. A
    /// watched call reports each. For any other call, every failure but the one that ended it was
    /// granted a retry.
    pub(super) fn grants_since(&self, failures: usize, events: usize, has_ended: bool) -> Vec<Duration> {
        if self.limits.is_watched() {
            let retries = self.notes.events[events..].iter().filter(|heard| heard.name == EventName::Retry);
            return retries.map(|heard| heard.at).collect();
        }
        let mut granted: Vec<Duration> = self.notes.failures[failures..].iter().map(|failure| failure.at).collect();
        if has_ended && self.notes.has_just_failed && !self.has_waited() {
            granted.pop();
        }
        granted
    }

    /// Checks that the observers of a watched call received this event once, or never.
    #[track_caller]
    pub(super) fn received_once(&self, name: EventName, once: bool) {
        if self.limits.is_watched() {
            let heard = self.notes.events.iter().filter(|heard| heard.name == name).count();
            assert_eq!(heard, usize::from(once), "{name} is heard");
        }
    }

    /// Checks **R3** of a call that goes on, or that was dropped before it began.
    pub(super) fn has_no_end(&self) {
        assert!(!self.notes.events.iter().any(|heard| heard.name.is_terminal()), "a terminal event before the end");
    }

    /// Checks **R3** of a call that was dropped or panicked at this instant, in an attempt or not.
    pub(super) fn was_cancelled(&self, now: Duration, in_attempt: bool) {
        if self.limits.is_watched() {
            self.ended_with(EventName::Cancelled, now);
            self.hooks_agree(self.notes.starts.len() - usize::from(in_attempt));
        }
    }

    /// Checks that there is one terminal event: the last that is not the breaker's, at the instant
    /// of the end.
    fn ended_with(&self, name: EventName, now: Duration) {
        let terminal: Vec<&Heard> = self.notes.events.iter().filter(|heard| heard.name.is_terminal()).collect();
        let [last] = terminal[..] else { panic!("one terminal event: {terminal:?}") };
        assert_eq!((last.name, last.at), (name, now), "the event of the end");
        // A breaker's event does not hold the time that the call took.
        let elapsed = (name != EventName::CircuitRejected).then(|| now - self.began());
        assert_eq!(last.elapsed, elapsed, "{name} says when");
        let of_call = self.notes.events.iter().rfind(|heard| !is_transition(heard.name));
        assert_eq!(of_call.map(|heard| heard.name), Some(name), "nothing follows the end");
    }

    fn hooks_agree(&self, ended: usize) {
        let hooks = (self.notes.hooks_at_start, self.notes.hooks_at_end);
        assert_eq!(hooks, (self.notes.starts.len(), ended), "a hook at either end of an attempt");
    }

    /// Checks **R3**, and that the result of the call is true.
    pub(super) fn ended_as_told(&self, ended: &Ended, now: Duration) {
        let Notes { starts, failures, .. } = self.notes;
        let last = failures.last();
        assert!(ended.attempts.is_none_or(|attempts| attempts as usize == starts.len()), "{ended:?}");
        assert_eq!(ended.rejection.is_some(), ended.reason == Some(StopReason::CircuitOpen), "{ended:?}");
        let last_class = last.filter(|_| ended.reason.is_some()).map(|failure| failure.class);
        assert_eq!(ended.last_class, last_class, "{ended:?}");
        let deferred = last.filter(|_| ended.reason == Some(StopReason::Scheduled));
        assert_eq!(ended.next_delay, deferred.and_then(|failure| self.limits.delay_after(failure)), "{ended:?}");
        assert_eq!(ended.retry_in, self.retry_in(ended), "{ended:?}");
        assert!(ended.elapsed.is_none_or(|elapsed| elapsed == now - self.began()), "{ended:?}");
        match ended.reason {
            None => assert!(!self.notes.has_just_failed, "{ended:?}"),
            Some(reason) => assert!(self.is_reason(reason, now), "{ended:?} after {:?}", self.notes),
        }
        if self.limits.is_watched() {
            self.is_told_once(ended, now);
        }
    }

    /// The expected `retry_in`: until a deferred retry or a probe, or the hint behind a delay that
    /// did not fit.
    fn retry_in(&self, ended: &Ended) -> Option<Duration> {
        match (ended.reason?, self.notes.failures.last()) {
            (StopReason::CircuitOpen, _) => ended.rejection.as_ref()?.retry_in(),
            (StopReason::Scheduled, Some(last)) => self.limits.delay_after(last),
            (StopReason::DeadlineExceeded, Some(last)) if self.is_unfit(last) => {
                let hint = last.hint.map(|hint| self.limits.heeded(hint));
                hint.filter(|hint| self.is_late(last.at + *hint))
            }
            _ => None,
        }
    }

    /// Whether the time left when the attempt failed was positive, and less than the delay after
    /// it.
    fn is_unfit(&self, failure: &Failure) -> bool {
        let delay = self.limits.delay_after(failure);
        !self.is_late(failure.at) && delay.is_some_and(|delay| self.is_late(failure.at + delay))
    }

    fn is_told_once(&self, ended: &Ended, now: Duration) {
        self.ended_with(ended.reason.map_or(EventName::Success, StopReason::event), now);
        self.hooks_agree(self.notes.starts.len());
        let names = self.notes.events.iter().map(|heard| heard.name);
        let of_call: Vec<EventName> = names.filter(|name| !is_transition(*name)).collect();
        let recorded = (ended.reason != Some(StopReason::CircuitOpen)).then_some(of_call);
        assert_eq!(ended.timeline, recorded, "the timeline equals the events that observers received");
        let is_delay = self.notes.events.iter().filter(|heard| heard.name == EventName::Retry).all(|heard| {
            let before = self.notes.failures.iter().filter(|failure| failure.at <= heard.at);
            before.map(|failure| self.limits.delay_after(failure)).any(|delay| delay == Some(heard.sleep))
        });
        assert!(is_delay, "the reported delay is a strategy's, or the hint's");
        let mut retries = self.notes.events.iter().filter(|heard| heard.name == EventName::Retry);
        let defers = self.handler() == Some(SleepDecision::Defer);
        let fits = |heard: &Heard| !self.is_late(heard.at + heard.sleep);
        assert!(
            retries.all(|heard| defers || fits(heard)),
            "a retry that does not fit is reported only if it is deferred"
        );
    }

    /// The decision of the sleep handler, if the call has one.
    fn handler(&self) -> Option<SleepDecision> {
        self.limits.retry().filter(|_| self.limits.is_watched())?.sleep_handler
    }

    /// Whether the call waited after the last failure, and no attempt has followed.
    fn has_waited(&self) -> bool {
        let failures = self.notes.failures.len();
        self.notes.has_just_failed && self.notes.waits.iter().any(|wait| !wait.is_timeout && wait.failures == failures)
    }

    /// Whether the call may have ended for this reason.
    fn is_reason(&self, reason: StopReason, now: Duration) -> bool {
        let Some(last) = self.notes.failures.last() else {
            return match reason {
                StopReason::Aborted | StopReason::CircuitOpen => true,
                StopReason::DeadlineExceeded => self.notes.starts.is_empty() && self.is_late(now),
                _ => false,
            };
        };
        let is_late = self.is_late(now);
        if self.has_waited() {
            // The deadline is checked first, then the abort predicate.
            let aborts = self.notes.wants_abort && !is_late;
            return reason == if aborts { StopReason::Aborted } else { StopReason::DeadlineExceeded }
                && (is_late || aborts);
        }
        let failures = self.failures_of(last.class, self.notes.failures.len());
        match reason {
            // The deadline is checked before these three.
            StopReason::MaxAttempts => !is_late && self.notes.starts.len() == self.limits.max_attempts(),
            StopReason::NoStrategy => !is_late && self.limits.delay_after(last).is_none(),
            StopReason::BudgetExhausted => !is_late && self.limits.has_budget(),
            StopReason::MaxAttemptsPerClass | StopReason::MaxUnknownAttempts => {
                failures > self.limits.cap_of(last.class)
            }
            // The handler decides on a delay that does not fit, unless it answers `Sleep`.
            StopReason::DeadlineExceeded => {
                let sleeps = matches!(self.handler(), None | Some(SleepDecision::Sleep));
                is_late || (sleeps && self.is_unfit(last))
            }
            StopReason::NonRetryableClass => !last.class.is_retryable(),
            StopReason::Scheduled => self.handler() == Some(SleepDecision::Defer),
            // Aborted by the operation, which leaves no note, by the predicate, or by the handler.
            StopReason::Aborted => {
                let is_refused = self.handler() == Some(SleepDecision::Abort);
                !self.notes.has_just_failed || self.notes.wants_abort || is_refused
            }
            _ => false,
        }
    }
}

/// Whether the event is the breaker's, not the call's.
fn is_transition(name: EventName) -> bool {
    matches!(name, EventName::CircuitOpened | EventName::CircuitHalfOpen | EventName::CircuitClosed)
}
