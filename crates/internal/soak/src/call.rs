//! One call: the events it reported, and the laws that compare them with its result.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use redress_core::observe::AttemptContext;
use redress_core::{CallError, Event, EventName, Observer, RetryOutcome, StopReason};

use crate::census::{Census, place_of, terminal_of};
use crate::law::Law;

/// The tally of one call: its events and its runs of the operation.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// The number of runs of the operation.
    pub(crate) begun: AtomicU32,
    starts: AtomicU32,
    ends: AtomicU32,
    retries: AtomicU32,
    terminals: AtomicU32,
    /// The place of the last terminal event in the list of events.
    terminal: AtomicU32,
    /// The deadline of the call, counted from its beginning or from an earlier instant.
    deadline: OnceLock<Duration>,
}

impl Tally {
    pub(crate) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives the call a deadline in addition to its policy's.
    pub(crate) fn limit(&self, deadline: Duration) {
        self.deadline.get_or_init(|| deadline);
    }

    fn begun(&self) -> u32 {
        self.begun.load(Ordering::Relaxed)
    }
}

/// A tally as the observer of a call.
pub(crate) struct Listener {
    pub(crate) tally: Arc<Tally>,
    pub(crate) census: &'static Census,
    /// The name of the policy's breaker.
    pub(crate) breaker: Option<&'static str>,
}

impl Observer for Listener {
    fn on_event(&self, event: &Event<'_>) {
        let Self { tally, census, breaker } = self;
        census.laws.require(Law::OwnBreaker, event.breaker.as_deref() == *breaker, || {
            format!("{}: {event:?} of a policy with the breaker {breaker:?}", census.terms.name)
        });
        if event.name == EventName::Retry {
            tally.retries.fetch_add(1, Ordering::Relaxed);
        }
        if event.name.is_terminal() {
            tally.terminals.fetch_add(1, Ordering::Relaxed);
            tally.terminal.store(u32::try_from(place_of(event.name)).unwrap_or(u32::MAX), Ordering::Relaxed);
        }
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        self.tally.starts.fetch_add(1, Ordering::Relaxed);
        self.census.check_starts_in_time(attempt, self.tally.deadline.get().copied());
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        self.tally.ends.fetch_add(1, Ordering::Relaxed);
        self.census.check_waits_in_time(attempt, self.tally.deadline.get().copied());
    }
}

/// The result of a call, as its caller received it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) reason: Option<StopReason>,
    /// The attempts; `None` for a success that does not report them.
    attempts: Option<u32>,
}

impl End {
    pub(crate) fn of_result<T, E>(result: &Result<T, CallError<E>>) -> Self {
        let error = result.as_ref().err();
        Self { reason: error.map(CallError::stop_reason), attempts: error.map(CallError::attempts) }
    }

    pub(crate) fn of_outcome<T, E>(outcome: &RetryOutcome<T, E>) -> Self {
        Self { reason: outcome.stop_reason(), attempts: Some(outcome.attempts()) }
    }
}

/// A call under way. If it is dropped without an end, it was cancelled or it panicked.
pub(crate) struct Call {
    census: &'static Census,
    tally: Arc<Tally>,
    /// Whether the tally receives events.
    watched: bool,
    has_ended: bool,
}

impl Call {
    pub(crate) fn start(census: &'static Census, tally: &Arc<Tally>, watched: bool) -> Self {
        census.started.add_one();
        Self { census, tally: Arc::clone(tally), watched, has_ended: false }
    }

    pub(crate) fn ended(mut self, end: End) {
        self.has_ended = true;
        self.census.end(end.reason);
        self.check_attempts(end);
        self.check_deadline(end);
        if self.watched {
            self.check_events(end);
        }
    }

    fn check_attempts(&self, end: End) {
        let terms = self.census.terms;
        // Detached operations are not counted, since one may begin after its attempt was cut.
        let begun = (!terms.detaches).then(|| self.tally.begun());
        let Some(attempts) = end.attempts.or(begun) else { return };
        let rejected = end.reason == Some(StopReason::CircuitOpen);
        let aborted = end.reason == Some(StopReason::Aborted);
        let capped = attempts <= terms.cap
            && (end.reason != Some(StopReason::MaxAttempts) || attempts == terms.cap)
            && (attempts > 0 || rejected || aborted || self.is_late(end))
            && (attempts == 0 || !rejected);
        let counted = begun.is_none_or(|begun| begun == attempts);
        self.census.laws.require(Law::Capped, capped && counted, || {
            format!("{}: {end:?}, operations {}, cap {}", terms.name, self.tally.begun(), terms.cap)
        });
    }

    /// Whether the call's deadline ended it, possibly before it began.
    fn is_late(&self, end: End) -> bool {
        end.reason == Some(StopReason::DeadlineExceeded) && self.tally.deadline.get().is_some()
    }

    /// A call whose deadline has passed runs no operation, and does not reach its breaker.
    fn check_deadline(&self, end: End) {
        if self.tally.deadline.get() == Some(&Duration::ZERO) {
            let stops = matches!(end.reason, Some(StopReason::DeadlineExceeded | StopReason::Aborted));
            self.census.laws.require(Law::InTime, stops && self.tally.begun() == 0, || {
                format!("{}: {end:?} past its deadline, received {:?}", self.census.terms.name, self.tally)
            });
        }
    }

    fn check_events(&self, end: End) {
        let tally = &*self.tally;
        let name = place_of(terminal_of(end.reason));
        let terminals = tally.terminals.load(Ordering::Relaxed);
        let terminal = tally.terminal.load(Ordering::Relaxed) as usize;
        let whose = self.census.terms.name;
        self.census.laws.require(Law::OneTerminal, terminals == 1 && terminal == name, || {
            format!("{whose}: {end:?}, received {tally:?}")
        });
        let starts = tally.starts.load(Ordering::Relaxed);
        let (ends, retries) = (tally.ends.load(Ordering::Relaxed), tally.retries.load(Ordering::Relaxed));
        let agree = end.attempts.is_none_or(|attempts| attempts == starts)
            && starts == ends
            && (starts.saturating_sub(1)..=starts).contains(&retries);
        self.census.laws.require(Law::AttemptsEnd, agree, || format!("{whose}: {end:?}, received {tally:?}"));
    }

    /// A call that was dropped or panicked has the event `cancelled`, and at most one open attempt.
    fn check_dropped(&self) {
        let (tally, terms) = (&*self.tally, self.census.terms);
        let terminals = tally.terminals.load(Ordering::Relaxed);
        let open = tally.starts.load(Ordering::Relaxed).checked_sub(tally.ends.load(Ordering::Relaxed));
        let laws = self.census.laws;
        laws.require(Law::Capped, tally.begun() <= terms.cap, || format!("{}: dropped, {tally:?}", terms.name));
        let cancelled = tally.terminal.load(Ordering::Relaxed) as usize == place_of(EventName::Cancelled);
        let told = if self.watched { terminals == 1 && cancelled } else { terminals == 0 };
        laws.require(Law::OneTerminal, told, || format!("{}: dropped, received {tally:?}", terms.name));
        laws.require(Law::AttemptsEnd, matches!(open, Some(0 | 1)), || {
            format!("{}: dropped, received {tally:?}", terms.name)
        });
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        self.check_dropped();
        if thread::panicking() { self.census.panicked.add_one() } else { self.census.cancelled.add_one() }
    }
}
