//! The counts over all calls of one pair of policies, and the sums that must agree after the storm.
//!
//! `call.rs` checks single calls.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redress_core::observe::{AttemptContext, AttemptDecision};
use redress_core::{Attempt, Cause, Event, EventName, Observer, StopReason};

use crate::edges::Edges;
use crate::law::{Law, Laws};
use crate::purse::Purse;

/// The terminal event of a call with this reason, or of a success.
pub(crate) fn terminal_of(reason: Option<StopReason>) -> EventName {
    reason.map_or(EventName::Success, StopReason::event)
}

pub(crate) fn place_of(event: EventName) -> usize {
    EventName::ALL.iter().position(|name| *name == event).expect("an event of the list")
}

/// A counter that many threads add to.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The settings of the policies that the laws depend on.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) name: &'static str,
    /// The most attempts of a call.
    pub(crate) cap: u32,
    pub(crate) deadline: Option<Duration>,
    /// Whether an attempt that runs at the deadline may finish.
    pub(crate) may_finish: bool,
    pub(crate) attempt_timeout: Option<Duration>,
    /// Whether the policies have an observer, which is then notified of every call.
    pub(crate) watched: bool,
    /// Whether operations run on separate threads and may outlive their attempts.
    pub(crate) detaches: bool,
    /// Whether the clock may step back.
    pub(crate) wild: bool,
    /// Whether its strategy learns.
    pub(crate) learns: bool,
}

impl Terms {
    /// The longest time of an attempt.
    fn time(&self) -> Option<Duration> {
        self.attempt_timeout.into_iter().chain(self.deadline).min()
    }

    /// Whether attempts are cut at a timeout or at the deadline, so that operations may hang.
    pub(crate) const fn cuts(&self) -> bool {
        self.attempt_timeout.is_some() || (self.deadline.is_some() && !self.may_finish)
    }
}

pub(crate) struct Census {
    pub(crate) terms: Terms,
    pub(crate) laws: &'static Laws,
    /// The breakers by name, with the counts of their transitions. Policies that share everything
    /// else have different breakers.
    breakers: Vec<(Option<&'static str>, &'static Edges)>,
    /// The budget, if there is one.
    pub(crate) purse: Option<&'static Purse>,

    pub(crate) started: Count,
    pub(crate) succeeded: Count,
    pub(crate) stopped: [Count; StopReason::ALL.len()],
    pub(crate) cancelled: Count,
    pub(crate) panicked: Count,

    events: [Count; EventName::ALL.len()],
    attempts_started: Count,
    attempts_ended: Count,
    timeouts: Count,

    /// Operations that began, returned, and were dropped or panicked.
    pub(crate) begun: Count,
    pub(crate) returned: Count,
    pub(crate) cut_short: Count,
    /// Results on which the classifier or the strategy panicked. Their attempts have no end.
    pub(crate) spoilt: Count,
    /// Values, errors and hooks made and dropped.
    made: Count,
    dropped: Count,
    /// Successes reported to a learning strategy.
    pub(crate) learned: Count,
}

impl Census {
    pub(crate) fn new(
        terms: Terms,
        laws: &'static Laws,
        breakers: Vec<(Option<&'static str>, &'static Edges)>,
        purse: Option<&'static Purse>,
    ) -> Self {
        Self {
            terms,
            laws,
            breakers,
            purse,
            started: Count::default(),
            succeeded: Count::default(),
            stopped: Default::default(),
            cancelled: Count::default(),
            panicked: Count::default(),
            events: Default::default(),
            attempts_started: Count::default(),
            attempts_ended: Count::default(),
            timeouts: Count::default(),
            begun: Count::default(),
            returned: Count::default(),
            cut_short: Count::default(),
            spoilt: Count::default(),
            made: Count::default(),
            dropped: Count::default(),
            learned: Count::default(),
        }
    }

    /// Counts a call that ended.
    pub(crate) fn end(&self, reason: Option<StopReason>) {
        match reason {
            None => self.succeeded.add_one(),
            Some(reason) => self.stopped[place_of_reason(reason)].add_one(),
        }
    }

    /// The number of calls that ended.
    pub(crate) fn ended(&self) -> u64 {
        self.succeeded.get() + self.stopped.iter().map(Count::get).sum::<u64>()
    }

    fn ended_with(&self, event: EventName) -> u64 {
        let stopped = StopReason::ALL.iter().zip(&self.stopped).filter(|(reason, _)| reason.event() == event);
        let others = match event {
            EventName::Success => self.succeeded.get(),
            EventName::Cancelled => self.cancelled.get() + self.panicked.get(),
            _ => 0,
        };
        others + stopped.map(|(_, count)| count.get()).sum::<u64>()
    }

    fn events(&self, event: EventName) -> u64 {
        self.events[place_of(event)].get()
    }

    /// Whether the operation of every started attempt has ended.
    pub(crate) fn is_quiet(&self) -> bool {
        let over = self.returned.get() + self.cut_short.get();
        over == self.begun.get() && over == self.attempts_started.get()
    }

    /// Checks the sums after the storm.
    pub(crate) fn settle(&self) {
        let (laws, name) = (self.laws, self.terms.name);
        let over = self.ended() + self.cancelled.get() + self.panicked.get();
        laws.balance(Law::CallsEnd, name, ("started", self.started.get()), ("ended, cancelled and panicked", over));
        let over = self.returned.get() + self.cut_short.get();
        laws.balance(Law::NothingKept, name, ("operations begun", self.begun.get()), ("returned and dropped", over));
        laws.balance(
            Law::NothingKept,
            name,
            ("results and hooks made", self.made.get()),
            ("dropped", self.dropped.get()),
        );
        if self.terms.watched {
            self.settle_events();
            self.settle_attempts();
        }
    }

    fn settle_events(&self) {
        let terminal = EventName::ALL.iter().copied().filter(|event| event.is_terminal());
        let told = terminal.map(|event| self.events(event)).sum();
        let started = ("calls started", self.started.get());
        self.laws.balance(Law::OneTerminal, self.terms.name, ("terminal events", told), started);
        for event in EventName::ALL.iter().copied().filter(|event| event.is_terminal()) {
            let whose = format!("{}, {event}", self.terms.name);
            let ended = ("calls", self.ended_with(event));
            self.laws.balance(Law::OneTerminal, &whose, ("events", self.events(event)), ended);
        }
        if self.terms.cap == 1 {
            let retries = ("retries", self.events(EventName::Retry));
            self.laws.balance(Law::Capped, self.terms.name, retries, ("allowed", 0));
        }
    }

    fn settle_attempts(&self) {
        let (laws, name) = (self.laws, self.terms.name);
        let (started, ended) = (self.attempts_started.get(), self.attempts_ended.get());
        laws.balance(Law::AttemptsEnd, name, ("attempts", started), ("operations", self.begun.get()));
        if self.terms.may_finish {
            laws.balance(Law::MayFinish, name, ("attempts cut", self.timeouts.get()), ("allowed", 0));
        }
        if self.terms.detaches {
            // No call of these is cancelled, and one that panics does so in an attempt.
            let over = ended + self.panicked.get();
            laws.balance(Law::AttemptsEnd, name, ("attempts", started), ("ended and panicked", over));
        } else {
            let over = self.returned.get() + self.timeouts.get() - self.spoilt.get();
            laws.balance(Law::AttemptsEnd, name, ("attempts ended", ended), ("results and timeouts", over));
        }
    }

    fn check_start(&self, attempt: &AttemptContext<'_>) {
        let Terms { name, cap, deadline, .. } = self.terms;
        self.laws.require(Law::Capped, attempt.attempt <= cap, || format!("{name}: {attempt:?}, cap {cap}"));
        self.check_starts_in_time(attempt, deadline);
    }

    /// Checks against a policy's deadline, or a call's.
    pub(crate) fn check_starts_in_time(&self, attempt: &AttemptContext<'_>, deadline: Option<Duration>) {
        let name = self.terms.name;
        if let Some(deadline) = deadline {
            let in_time = attempt.elapsed < deadline;
            self.laws.require(Law::InTime, in_time, || format!("{name}: {attempt:?}, deadline {deadline:?}"));
        }
    }

    /// Checks the time left that an operation receives.
    pub(crate) fn check_time_left(&self, attempt: Attempt) {
        let (left, most) = (attempt.time_left(), self.terms.time());
        let holds = most.is_none_or(|most| left.is_some_and(|left| !left.is_zero() && left <= most));
        self.laws.require(Law::TimeLeft, holds, || format!("{}: {attempt:?} of {most:?}", self.terms.name));
    }

    fn check_wait(&self, attempt: &AttemptContext<'_>) {
        let Some(AttemptDecision::Retry) = attempt.decision else { return };
        let wait = attempt.delay.unwrap_or_default();
        if let Some(hint) = attempt.classification.as_ref().and_then(|failure| failure.retry_after()) {
            let waits = || format!("{}: {attempt:?} waits for less than {hint:?}", self.terms.name);
            self.laws.require(Law::HintsFloor, wait >= hint, waits);
        }
        self.check_waits_in_time(attempt, self.terms.deadline);
    }

    /// Checks against a policy's deadline, or a call's.
    pub(crate) fn check_waits_in_time(&self, attempt: &AttemptContext<'_>, deadline: Option<Duration>) {
        let (Some(AttemptDecision::Retry), Some(deadline)) = (attempt.decision, deadline) else { return };
        let ends = attempt.elapsed.saturating_add(attempt.delay.unwrap_or_default());
        let name = self.terms.name;
        self.laws.require(Law::InTime, ends < deadline, || {
            format!("{name}: {attempt:?} waits until {ends:?}, deadline {deadline:?}")
        });
    }

    /// Counts an event in the account of its breaker.
    fn hear(&self, event: &Event<'_>) {
        let named = self.breakers.iter().find(|(name, _)| *name == event.breaker.as_deref());
        self.laws.require(Law::OwnBreaker, named.is_some() || self.breakers.is_empty(), || {
            format!("{}: {event:?}", self.terms.name)
        });
        if let Some((_, edges)) = named {
            edges.count(event.name);
        }
    }
}

pub(crate) fn place_of_reason(reason: StopReason) -> usize {
    StopReason::ALL.iter().position(|known| *known == reason).expect("a reason of the list")
}

/// A value that went into a call or came out of it, and that must be dropped in the end.
pub(crate) struct Trace(&'static Census);

impl Trace {
    pub(crate) fn leave(census: &'static Census) -> Self {
        census.made.add_one();
        Self(census)
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.0.dropped.add_one();
    }
}

/// The census as the policies' observer.
pub(crate) struct Watcher(pub(crate) &'static Census);

impl Observer for Watcher {
    fn on_event(&self, event: &Event<'_>) {
        let census = self.0;
        census.events[place_of(event.name)].add_one();
        census.hear(event);
        if let (EventName::Retry, Some(purse)) = (event.name, census.purse) {
            purse.note_retry();
        }
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        self.0.attempts_started.add_one();
        self.0.check_start(attempt);
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        self.0.attempts_ended.add_one();
        if attempt.cause == Some(Cause::Timeout) {
            self.0.timeouts.add_one();
        }
        self.0.check_wait(attempt);
    }
}
