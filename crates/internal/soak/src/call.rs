//! The calls of one pair of policies: the record of each, by which it is judged when it is over,
//! and the sums over all, which must agree after the storm.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use redress_core::observe::AttemptContext;
use redress_core::{CallError, Cause, Event, EventName, Observer, RetryOutcome, StopReason};
use redress_proof::{Ended, Law, Laws, Record};

use crate::breakers::Edges;
use crate::budgets::Purse;
use crate::timelines::Recording;

/// The settings of the policies that the laws depend on.
#[derive(Clone, Copy, Default)]
pub(crate) struct Terms {
    pub(crate) name: &'static str,
    /// The most attempts of a call.
    pub(crate) cap: u32,
    pub(crate) deadline: Option<Duration>,
    /// Whether an attempt that runs at the deadline may finish.
    pub(crate) may_finish: bool,
    pub(crate) attempt_timeout: Option<Duration>,
    /// Whether the policies have no observer, so that calls without one take the quiet path.
    pub(crate) quiet: bool,
    /// Whether operations run on separate threads and may outlive their attempts.
    pub(crate) detaches: bool,
    /// Whether the clock may step back.
    pub(crate) wild: bool,
    /// Whether its strategy learns.
    pub(crate) learns: bool,
}

impl Terms {
    /// The longest time of an attempt.
    pub(crate) fn time(&self) -> Option<Duration> {
        self.attempt_timeout.into_iter().chain(self.deadline).min()
    }

    /// Whether attempts are cut at a timeout or at the deadline, so that operations may hang.
    pub(crate) const fn cuts(&self) -> bool {
        self.attempt_timeout.is_some() || (self.deadline.is_some() && !self.may_finish)
    }
}

/// What is counted, besides events and ends.
#[derive(Clone, Copy)]
pub(crate) enum Count {
    Started,
    Cancelled,
    Panicked,
    AttemptsStarted,
    AttemptsEnded,
    Timeouts,
    /// Operations that began, that returned, and that were dropped or panicked.
    Begun,
    Returned,
    CutShort,
    /// Results on which the classifier or the strategy panicked. Their attempts have no end.
    Spoilt,
    /// Results and hooks made, and dropped.
    Made,
    Dropped,
    /// Successes reported to a learning strategy.
    Learned,
}

/// The counts over all calls of one pair of policies.
pub(crate) struct Census {
    pub(crate) terms: Terms,
    pub(crate) laws: &'static Laws,
    /// The breakers by name, with the counts of their transitions. Policies that share everything
    /// else have different breakers.
    breakers: Vec<(Option<&'static str>, &'static Edges)>,
    /// The budget, if there is one.
    purse: Option<&'static Purse>,
    counts: [AtomicU64; Count::Learned as usize + 1],
    /// The events that the policies' observer received, and the terminal ones by the ends of calls.
    events: [AtomicU64; EventName::ALL.len()],
    ends: [AtomicU64; EventName::ALL.len()],
}

fn place_of(event: EventName) -> usize {
    EventName::ALL.iter().position(|name| *name == event).expect("an event of the list")
}

impl Census {
    pub(crate) fn new(
        terms: Terms,
        laws: &'static Laws,
        breakers: Vec<(Option<&'static str>, &'static Edges)>,
        purse: Option<&'static Purse>,
    ) -> Self {
        let (counts, events, ends) = Default::default();
        Self { terms, laws, breakers, purse, counts, events, ends }
    }

    pub(crate) fn add(&self, count: Count) {
        self.counts[count as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self, count: Count) -> u64 {
        self.counts[count as usize].load(Ordering::Relaxed)
    }

    /// The number of calls that ended with this event.
    pub(crate) fn ended_with(&self, event: EventName) -> u64 {
        self.ends[place_of(event)].load(Ordering::Relaxed)
    }

    fn over(&self) -> u64 {
        self.get(Count::Returned) + self.get(Count::CutShort)
    }

    /// Whether the operation of every started attempt has ended.
    pub(crate) fn is_quiet(&self) -> bool {
        self.over() == self.get(Count::Begun) && self.over() == self.get(Count::AttemptsStarted)
    }

    /// Checks the sums after the storm.
    pub(crate) fn settle(&self) {
        let balance = |law, left: (&str, u64), right: (&str, u64)| self.laws.balance(law, self.terms.name, left, right);
        let count = |name, count| (name, self.get(count));
        let ended = self.ends.iter().map(|ended| ended.load(Ordering::Relaxed)).sum();
        balance(Law::CallsEnd, count("calls started", Count::Started), ("ended", ended));
        balance(Law::NothingKept, count("operations begun", Count::Begun), ("over", self.over()));
        balance(Law::NothingKept, count("results and hooks made", Count::Made), count("dropped", Count::Dropped));
        if self.terms.learns {
            let succeeded = ("successes", self.ended_with(EventName::Success));
            balance(Law::HeardOnce, count("learned", Count::Learned), succeeded);
        }
        if self.terms.quiet {
            return;
        }
        for event in EventName::ALL.iter().copied().filter(|event| event.is_terminal()) {
            let received = self.events[place_of(event)].load(Ordering::Relaxed);
            balance(Law::OneTerminal, (event.as_str(), received), ("calls", self.ended_with(event)));
        }
        let attempts = count("attempts", Count::AttemptsStarted);
        balance(Law::AttemptsEnd, attempts, count("operations", Count::Begun));
        if self.terms.may_finish {
            balance(Law::MayFinish, count("attempts cut", Count::Timeouts), ("allowed", 0));
        }
        let over = if self.terms.detaches {
            // No call of these is cancelled, and one that panics does so in an attempt.
            attempts.1 - self.get(Count::Panicked)
        } else {
            self.get(Count::Returned) + self.get(Count::Timeouts) - self.get(Count::Spoilt)
        };
        balance(Law::AttemptsEnd, count("attempts ended", Count::AttemptsEnded), ("results and timeouts", over));
    }
}

/// A value that went into a call or came out of it, and that must be dropped in the end.
pub(crate) struct Trace(&'static Census);

impl Trace {
    pub(crate) fn leave(census: &'static Census) -> Self {
        census.add(Count::Made);
        Self(census)
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.0.add(Count::Dropped);
    }
}

/// The census as the policies' observer.
pub(crate) struct Watcher(pub(crate) &'static Census);

impl Observer for Watcher {
    fn on_event(&self, event: &Event<'_>) {
        let census = self.0;
        census.events[place_of(event.name)].fetch_add(1, Ordering::Relaxed);
        let named = census.breakers.iter().find(|(name, _)| *name == event.breaker.as_deref());
        census.laws.require(Law::OwnBreaker, named.is_some() || census.breakers.is_empty(), || {
            format!("{}: {event:?}", census.terms.name)
        });
        if let Some((_, edges)) = named {
            edges.count(event.name);
        }
        if event.name == EventName::Retry {
            let figures = || format!("{}: {event:?}", census.terms.name);
            census.laws.require(Law::Capped, event.attempt < census.terms.cap, figures);
            if let Some(purse) = census.purse {
                purse.note(1, census.laws);
            }
        }
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        self.0.add(Count::AttemptsStarted);
        self.check_limits(|record| record.start(attempt));
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        self.0.add(Count::AttemptsEnded);
        if attempt.cause == Some(Cause::Timeout) {
            self.0.add(Count::Timeouts);
        }
        self.check_limits(|record| record.end(attempt));
    }
}

impl Watcher {
    /// Checks what is recorded of a call that may have no record.
    fn check_limits(&self, note: impl FnOnce(&mut Record)) {
        let Terms { name, cap, deadline, .. } = self.0.terms;
        let mut record = Record::new(name, cap, deadline, true);
        note(&mut record);
        record.check_limits(self.0.laws);
    }
}

/// The record of a call, shared by its writers.
#[derive(Clone)]
pub(crate) struct Tally(Arc<Mutex<Record>>);

impl Tally {
    pub(crate) fn new(census: &Census) -> Self {
        let Terms { name, cap, deadline, detaches, .. } = census.terms;
        let mut record = Record::new(name, cap, deadline, false);
        if detaches {
            // A detached operation may begin after its attempt was cut.
            record.runs = None;
        }
        Self(Arc::new(Mutex::new(record)))
    }

    pub(crate) fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A tally as the observer of a call.
pub(crate) struct Listener {
    pub(crate) tally: Tally,
    pub(crate) census: &'static Census,
    /// The name of the policy's breaker.
    pub(crate) breaker: Option<&'static str>,
}

impl Observer for Listener {
    fn on_event(&self, event: &Event<'_>) {
        self.census.laws.require(Law::OwnBreaker, event.breaker.as_deref() == self.breaker, || {
            format!("{}: {event:?} of a policy with the breaker {:?}", self.census.terms.name, self.breaker)
        });
        self.tally.record().hear(event);
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        self.tally.record().start(attempt);
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        self.tally.record().end(attempt);
    }
}

/// A call under way. If it is dropped without an end, it was cancelled or it panicked.
pub(crate) struct Call {
    census: &'static Census,
    tally: Tally,
    recording: Recording,
    has_ended: bool,
}

impl Call {
    pub(crate) fn start(census: &'static Census, tally: &Tally, recording: Recording) -> Self {
        census.add(Count::Started);
        Self { census, tally: tally.clone(), recording, has_ended: false }
    }

    pub(crate) fn returned<T, E>(self, result: &Result<T, CallError<E>>) {
        let error = result.as_ref().err();
        let reason = error.map(CallError::stop_reason);
        self.recording.ended(reason);
        self.ended(reason, error.map(CallError::attempts));
    }

    pub(crate) fn executed<T, E>(self, outcome: &RetryOutcome<T, E>) {
        self.recording.check(outcome, &self.tally.record(), self.census);
        self.recording.ended(outcome.stop_reason());
        self.ended(outcome.stop_reason(), Some(outcome.attempts()));
    }

    fn ended(mut self, reason: Option<StopReason>, attempts: Option<u32>) {
        self.has_ended = true;
        let event = reason.map_or(EventName::Success, StopReason::event);
        self.census.ends[place_of(event)].fetch_add(1, Ordering::Relaxed);
        self.tally.record().check(Ended::Returned(reason, attempts), self.census.laws);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        self.census.ends[place_of(EventName::Cancelled)].fetch_add(1, Ordering::Relaxed);
        self.census.add(if thread::panicking() { Count::Panicked } else { Count::Cancelled });
        self.tally.record().check(Ended::Dropped, self.census.laws);
    }
}
