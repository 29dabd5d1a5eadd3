//! The laws of one call, whether it ran in virtual time or in a storm.

use std::borrow::Cow;
use std::time::Duration;

use redress_core::observe::{AttemptContext, AttemptDecision};
use redress_core::{Event, EventName, StopReason};

use super::{Law, Laws};

/// What is known of one call: its limits, its runs, and what an observer received.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Record {
    /// Names the call in a breach.
    pub whose: Cow<'static, str>,
    /// The most attempts.
    pub cap: u32,
    /// The deadline that its policy gives it, counted from its beginning.
    pub deadline: Option<Duration>,
    /// Its own deadline, counted from its beginning or from an earlier instant.
    pub own_deadline: Option<Duration>,
    /// Whether an observer received its events.
    pub is_watched: bool,
    /// The runs of its operation; `None` where they are not counted.
    pub runs: Option<u32>,
    starts: Vec<(u32, Duration)>,
    ends: u32,
    /// The attempts that another must follow: the instant, the wait, and the least wait.
    waits: Vec<(Duration, Duration, Duration)>,
    events: Vec<EventName>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub enum Ended {
    /// It returned, for this reason unless it succeeded, after so many attempts if it says that.
    Returned(Option<StopReason>, Option<u32>),
    /// It was dropped, or a panic went through it.
    Dropped,
}

impl Record {
    /// The record of a call that has not begun.
    pub fn new(whose: impl Into<Cow<'static, str>>, cap: u32, deadline: Option<Duration>, is_watched: bool) -> Self {
        Self { whose: whose.into(), cap, deadline, is_watched, runs: Some(0), ..Self::default() }
    }

    /// The operation runs.
    pub fn run(&mut self) {
        self.runs = self.runs.map(|runs| runs + 1);
    }

    /// The earlier of the deadlines.
    pub(crate) fn latest(&self) -> Option<Duration> {
        self.deadline.into_iter().chain(self.own_deadline).min()
    }

    /// The observer received an event.
    pub fn hear(&mut self, event: &Event<'_>) {
        self.told(event.name);
    }

    pub(crate) fn told(&mut self, name: EventName) {
        self.events.push(name);
    }

    /// The observer received the start of an attempt.
    pub fn start(&mut self, attempt: &AttemptContext<'_>) {
        self.started(attempt.attempt, attempt.elapsed);
    }

    pub(crate) fn started(&mut self, attempt: u32, elapsed: Duration) {
        self.starts.push((attempt, elapsed));
    }

    /// The observer received the end of an attempt of a policy that honours hints.
    pub fn end(&mut self, attempt: &AttemptContext<'_>) {
        let wait = attempt.delay.filter(|_| attempt.decision == Some(AttemptDecision::Retry));
        let hint = attempt.classification.as_ref().and_then(|failure| failure.retry_after());
        self.ended(attempt.elapsed, wait, hint.unwrap_or_default());
    }

    pub(crate) fn ended(&mut self, elapsed: Duration, wait: Option<Duration>, floor: Duration) {
        self.ends += 1;
        self.waits.extend(wait.map(|wait| (elapsed, wait, floor)));
    }

    /// Checks the laws of a call that is over.
    pub fn check(&self, ended: Ended, laws: &Laws) {
        self.check_limits(laws);
        let figures = || format!("{ended:?}, {self:?}");
        laws.require(Law::Capped, self.keeps_its_cap(ended), figures);
        laws.require(Law::InTime, self.is_barred_in_time(ended), figures);
        laws.require(Law::AttemptsEnd, self.ends_its_attempts(ended), figures);
        laws.require(Law::OneTerminal, self.has_one_end(ended), figures);
    }

    /// Checks the attempts and waits recorded so far against the limits.
    pub fn check_limits(&self, laws: &Laws) {
        let figures = || format!("{self:?}");
        let is_late = |at: Duration| self.latest().is_some_and(|deadline| at >= deadline);
        let in_time = self.starts.iter().all(|(_, at)| !is_late(*at))
            && self.waits.iter().all(|(at, wait, _)| !is_late(at.saturating_add(*wait)));
        laws.require(Law::Capped, self.starts.iter().all(|(attempt, _)| *attempt <= self.cap), figures);
        laws.require(Law::InTime, in_time, figures);
        laws.require(Law::HintsFloor, self.waits.iter().all(|(_, wait, floor)| wait >= floor), figures);
    }

    /// Checks that the timeline of a call that returned holds its events, in order. An entry is the
    /// event, its attempt, and its instant.
    pub fn check_timeline(&self, timeline: &[(EventName, u32, Duration)], laws: &Laws) {
        let events = self.events.iter().copied().filter(|name| !is_transition(*name));
        let holds = timeline.iter().map(|entry| entry.0).eq(events)
            && timeline.windows(2).all(|pair| pair[0].1 <= pair[1].1 && pair[0].2 <= pair[1].2);
        laws.require(Law::Timelines, holds, || format!("{timeline:?} of {self:?}"));
    }

    fn attempts(&self, ended: Ended) -> Option<u32> {
        match ended {
            Ended::Returned(_, Some(attempts)) => Some(attempts),
            _ => self.runs,
        }
    }

    fn keeps_its_cap(&self, ended: Ended) -> bool {
        let runs = self.runs.unwrap_or_default().max(self.starts.len() as u32);
        let counted = self.starts.iter().map(|(attempt, _)| *attempt).eq(1..=self.starts.len() as u32);
        if runs > self.cap || !counted {
            return false;
        }
        let (Ended::Returned(reason, _), Some(attempts)) = (ended, self.attempts(ended)) else { return true };
        let may_be_none = match reason {
            // A policy that judges attempts may meet a shut circuit after some of them.
            Some(StopReason::CircuitOpen | StopReason::Aborted) => true,
            Some(StopReason::DeadlineExceeded) => self.own_deadline.is_some(),
            _ => false,
        };
        attempts <= self.cap
            && (reason != Some(StopReason::MaxAttempts) || attempts == self.cap)
            && (attempts > 0 || may_be_none)
            && self.runs.is_none_or(|runs| runs == attempts)
    }

    /// A call whose deadline has passed runs no operation, and does not reach its breaker.
    fn is_barred_in_time(&self, ended: Ended) -> bool {
        let may_be_barred = match ended {
            Ended::Returned(reason, _) => matches!(reason, Some(StopReason::DeadlineExceeded | StopReason::Aborted)),
            Ended::Dropped => true,
        };
        self.latest() != Some(Duration::ZERO) || (may_be_barred && self.runs.unwrap_or_default() == 0)
    }

    fn ends_its_attempts(&self, ended: Ended) -> bool {
        let starts = self.starts.len() as u32;
        match ended {
            // Of a call that is dropped, one attempt at most is under way.
            Ended::Dropped => matches!(starts.checked_sub(self.ends), Some(0 | 1)),
            Ended::Returned(..) if !self.is_watched => starts == 0 && self.ends == 0,
            Ended::Returned(..) => {
                let retries = self.events.iter().filter(|name| **name == EventName::Retry).count() as u32;
                starts == self.ends
                    && self.attempts(ended).is_none_or(|attempts| attempts == starts)
                    && (starts.saturating_sub(1)..=starts).contains(&retries)
            }
        }
    }

    fn has_one_end(&self, ended: Ended) -> bool {
        let expected = match ended {
            Ended::Returned(reason, _) => reason.map_or(EventName::Success, StopReason::event),
            Ended::Dropped => EventName::Cancelled,
        };
        let terminal: Vec<EventName> = self.events.iter().copied().filter(|name| name.is_terminal()).collect();
        let last = self.events.iter().copied().rfind(|name| !is_transition(*name));
        if self.is_watched { terminal == [expected] && last == Some(expected) } else { self.events.is_empty() }
    }
}

/// Whether the event is the breaker's, not the call's.
fn is_transition(name: EventName) -> bool {
    matches!(
        name,
        EventName::CircuitOpened
            | EventName::CircuitHalfOpen
            | EventName::CircuitClosed
            | EventName::CircuitWouldReject
    )
}
