//! All calls of a schedule, their shared breaker and budget, and the accounts to check these
//! against.
//!
//! Drives the calls. `laws.rs` holds the laws of a single call.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use redress_core::breaker::{CircuitState, Transition};
use redress_core::{ErrorClass, EventName, StopReason};

use super::call::{Call, Ended, Manner};
use super::laws::{Limits, Seen};
use super::log::Log;
use super::operation::{Answer, expect_scripted};
use super::setup::{Policies, Setup};
use crate::breaker_model::{BreakerModel, End, Ticket, nanos};
use crate::reader::Reader;

const SLOTS: usize = 4;
const MOST_ANSWERS: usize = 4;

pub(super) struct World<'p> {
    setup: &'p Setup,
    policies: &'p Policies,
    accounts: Accounts<'p>,
    calls: [Option<Call<'p>>; SLOTS],
}

/// The expected state of breaker and budget, computed without reading them.
struct Accounts<'p> {
    setup: &'p Setup,
    policies: &'p Policies,
    breaker: Option<BreakerModel>,
    /// The instant at which each retry was granted.
    grants: Vec<Duration>,
}

/// A call while it is driven: the parts that outlive its future.
struct Driven<'c> {
    manner: Manner,
    log: &'c Log,
    ticket: &'c mut Option<Ticket>,
}

/// The result of driving a call.
enum Driving {
    Pending,
    Ended(Ended),
    Panicked,
}

impl<'p> World<'p> {
    pub(super) fn new(setup: &'p Setup, policies: &'p Policies) -> Self {
        let breaker = setup.breaker.clone().map(BreakerModel::new);
        let mut accounts = Accounts { setup, policies, breaker, grants: Vec::new() };
        accounts.show_the_origin();
        Self { setup, policies, accounts, calls: [const { None }; SLOTS] }
    }

    pub(super) fn now(&self) -> Duration {
        self.accounts.now()
    }

    pub(super) fn start(&mut self, slot: usize, manner: Manner) {
        if self.calls[slot].is_none() {
            self.calls[slot] = Some(Call::new(self.setup, self.policies, manner));
        }
    }

    pub(super) fn poll(&mut self, slot: usize) {
        let Some(call) = &mut self.calls[slot] else { return };
        let Call { manner, log, future, ticket } = call;
        let driven = Driven { manner: *manner, log, ticket };
        let driving = self.accounts.drive(driven, || {
            let mut context = Context::from_waker(Waker::noop());
            match future.as_mut().poll(&mut context) {
                Poll::Ready(ended) => Some(ended),
                Poll::Pending => None,
            }
        });
        if !matches!(driving, Driving::Pending) {
            self.calls[slot] = None;
        }
    }

    pub(super) fn poll_all(&mut self) {
        for slot in 0..SLOTS {
            self.poll(slot);
            self.holds();
        }
    }

    pub(super) fn answer(&mut self, slot: usize, answer: Answer) {
        if let Some(call) = &self.calls[slot] {
            let mut notes = call.log.notes();
            if notes.answers.len() < MOST_ANSWERS {
                notes.answers.push_back(answer);
            }
        }
    }

    pub(super) fn ask_to_abort(&mut self, slot: usize) {
        if let Some(call) = &self.calls[slot] {
            call.log.notes().wants_abort = true;
        }
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.policies.clock.advance(time);
    }

    pub(super) fn drop_call(&mut self, slot: usize) {
        let Some(Call { manner, log, future, ticket }) = self.calls[slot].take() else { return };
        let was_running = log.notes().is_running;
        drop(future);
        if let Some(ticket) = ticket {
            self.accounts.settle(ticket, End::Released);
        }
        let notes = log.notes();
        let seen = Seen { notes: &notes, limits: Limits::new(self.setup, manner) };
        if notes.began.is_some() {
            seen.was_cancelled(self.policies.clock.elapsed(), was_running);
        } else {
            seen.has_no_end();
        }
    }

    /// Makes a whole blocking call.
    pub(super) fn block(&mut self, manner: Manner, reader: &mut Reader<'_>) {
        let takes = reader.ticks();
        let log = manner.log(self.policies);
        let answers = 1 + usize::from(reader.below(5));
        log.notes().answers = (0..answers).map(|_| Answer::read(reader)).collect();
        log.notes().wants_abort = reader.below(8) == 7;
        self.drive_blocking(manner, &log, takes);
    }

    /// Makes a whole call of the policy without retry.
    pub(super) fn try_once(&mut self, answer: Answer) -> Option<Ended> {
        let log = Manner::ONCE.log(self.policies);
        log.notes().answers.push_back(answer);
        match self.drive_blocking(Manner::ONCE, &log, Duration::ZERO) {
            Driving::Ended(ended) => Some(ended),
            Driving::Pending | Driving::Panicked => None,
        }
    }

    fn drive_blocking(&mut self, manner: Manner, log: &Log, takes: Duration) -> Driving {
        let Self { setup, policies, .. } = *self;
        let driven = Driven { manner, log, ticket: &mut None };
        self.accounts.drive(driven, || Some(manner.block(setup, policies, log, takes)))
    }

    /// Checks the laws that hold between any two steps.
    pub(super) fn holds(&self) {
        self.accounts.breaker_agrees();
        self.accounts.budget_agrees();
        let admitted = || self.calls.iter().flatten().filter_map(|call| call.ticket);
        if let Some(model) = &self.accounts.breaker {
            let probes = admitted().filter(|ticket| model.is_current_probe(*ticket)).count();
            assert!(probes <= 1, "one current probe at a time");
        }
        if let Some(counted) = &self.policies.counted {
            assert_eq!(counted.outstanding(), admitted().count(), "every admission is of a call under way, or settled");
        }
    }

    /// Checks that nothing is left of the calls when all are over: the breaker recovers, and the
    /// budget is whole again.
    pub(super) fn ends_well(mut self) {
        for slot in 0..SLOTS {
            self.drop_call(slot);
            self.holds();
        }
        if let Some(settings) = &self.setup.breaker {
            self.pass(settings.recovery());
        }
        let ended = self.try_once(Answer::Good).expect("a call without retry ends");
        assert_eq!(ended.reason, None, "after its recovery time a breaker admits a call");
        if let Some(breaker) = &self.policies.breaker {
            assert_eq!(breaker.state(), CircuitState::Closed, "the success of a probe closes the circuit");
        }
        if let (Some((limit, window)), Some(budget)) = (self.setup.budget, &self.policies.budget) {
            self.pass(window);
            assert_eq!(budget.remaining_at(self.policies.clock.now()), limit, "every token comes back");
        }
    }
}

impl Accounts<'_> {
    /// A breaker counts its time from the first instant it receives.
    fn show_the_origin(&mut self) {
        let (Some(breaker), Some(model)) = (&self.policies.breaker, &mut self.breaker) else { return };
        let now = self.policies.clock.now();
        let permit = breaker.try_acquire_at(now).expect("a new breaker is closed");
        let (ticket, _) = model.admit(0).expect("a new breaker is closed");
        permit.failure_at(ErrorClass::Permission, now);
        model.end(ticket, End::Failure(ErrorClass::Permission), 0);
    }

    fn now(&self) -> Duration {
        self.policies.clock.elapsed()
    }

    fn settle(&mut self, ticket: Ticket, end: End) -> Option<Transition> {
        let now = nanos(self.now());
        self.breaker.as_mut().and_then(|model| model.end(ticket, end, now))
    }

    /// Drives a call by `run`, and updates the accounts.
    fn drive(&mut self, driven: Driven<'_>, run: impl FnOnce() -> Option<Ended>) -> Driving {
        let Driven { manner, log, ticket } = driven;
        let limits = Limits::new(self.setup, manner);
        let is_first = log.notes().began.is_none();
        let failures = log.notes().failures.len();
        let events = log.notes().events.len();
        let mut entry = None;
        if is_first {
            log.notes().began = Some(self.now());
            let asks_to_abort = manner.flavour.can_abort() && log.notes().wants_abort;
            entry = Some(self.enter(asks_to_abort, limits));
        }
        let driving = match catch_unwind(AssertUnwindSafe(|| self.policies.turn.of(log, run))) {
            Ok(None) => Driving::Pending,
            Ok(Some(ended)) => Driving::Ended(ended),
            Err(payload) => {
                expect_scripted(payload);
                Driving::Panicked
            }
        };
        let notes = log.notes();
        let seen = Seen { notes: &notes, limits };
        if let Some(entry) = entry {
            let transition = match entry {
                Entry::Admitted(Some((admitted, transition))) => {
                    *ticket = Some(admitted);
                    transition
                }
                _ => None,
            };
            seen.received_once(EventName::CircuitHalfOpen, transition.is_some());
            self.was_admitted_or_not(&seen, entry, &driving);
        }
        seen.keeps_to_the_limits();
        let granted = seen.grants_since(failures, events, matches!(driving, Driving::Ended(_)));
        if limits.has_budget() {
            self.grants.extend(granted);
        }
        self.ended(&seen, ticket.take_if(|_| !matches!(driving, Driving::Pending)), &driving);
        driving
    }

    /// How a call that begins now must go: the abort predicate is checked first, then the deadline,
    /// then the breaker.
    fn enter(&mut self, asks_to_abort: bool, limits: Limits<'_>) -> Entry {
        let now = self.now();
        if asks_to_abort {
            return Entry::Barred(StopReason::Aborted);
        }
        if limits.deadline(now).is_some_and(|deadline| now >= deadline) {
            return Entry::Barred(StopReason::DeadlineExceeded);
        }
        match self.breaker.as_mut().map(|model| model.admit(nanos(now))).transpose() {
            Ok(admitted) => Entry::Admitted(admitted),
            Err(wait) => Entry::Rejected(wait),
        }
    }

    /// A barred or rejected call makes no attempt; every other call makes one at once.
    fn was_admitted_or_not(&self, seen: &Seen<'_>, entry: Entry, driving: &Driving) {
        let starts = seen.notes.starts.len();
        match (entry, driving) {
            (Entry::Barred(reason), Driving::Ended(ended)) => assert_eq!((ended.reason, starts), (Some(reason), 0)),
            (Entry::Rejected(wait), Driving::Ended(ended)) => {
                let rejection = ended.rejection.as_ref().expect("the breaker rejects the call");
                let state = self.breaker.as_ref().map(BreakerModel::state);
                // The longest wait of a call is a nanosecond shorter than that of a breaker.
                let told = |wait: Option<Duration>| wait.map(|wait| wait.min(Duration::from_nanos(u64::MAX - 1)));
                assert_eq!((Some(rejection.state()), told(rejection.retry_in()), starts), (state, told(wait), 0));
            }
            (Entry::Admitted(_), _) => assert!(starts >= 1, "a call that is admitted makes an attempt"),
            (entry, _) => panic!("a call runs that must not: {entry:?}"),
        }
    }

    fn ended(&mut self, seen: &Seen<'_>, ticket: Option<Ticket>, driving: &Driving) {
        let end = match driving {
            Driving::Pending => {
                seen.has_no_end();
                return seen.is_in_time(self.now());
            }
            Driving::Panicked => {
                seen.was_cancelled(self.now(), true);
                End::Released
            }
            Driving::Ended(ended) => {
                seen.ended_as_told(ended, self.now());
                self.is_exhausted(seen, ended);
                match (ended.reason, seen.notes.failures.last()) {
                    (None, _) => End::Success,
                    (Some(StopReason::Aborted | StopReason::CircuitOpen), _) => End::Released,
                    (Some(_), Some(last)) => End::Failure(last.class),
                    // It was barred before the breaker, and had no permit.
                    (Some(StopReason::DeadlineExceeded), None) if ticket.is_none() => End::Released,
                    (Some(reason), None) => panic!("{reason} without a failure"),
                }
            }
        };
        let transition = ticket.and_then(|ticket| self.settle(ticket, end));
        seen.received_once(EventName::CircuitOpened, transition == Some(Transition::Opened));
        seen.received_once(EventName::CircuitClosed, transition == Some(Transition::Closed));
    }

    /// Checks that an exhausted budget has granted its whole limit within the window.
    fn is_exhausted(&self, seen: &Seen<'_>, ended: &Ended) {
        if ended.reason == Some(StopReason::BudgetExhausted) {
            let (limit, _) = self.setup.budget.expect("there is a budget");
            let at = seen.notes.failures.last().expect("a retry was refused after a failure").at;
            assert_eq!(self.granted_within_window(at), limit as usize, "a budget refuses when it is used up");
        }
    }

    fn granted_within_window(&self, now: Duration) -> usize {
        let window = self.setup.budget.map_or(Duration::ZERO, |(_, window)| window);
        self.grants.iter().filter(|at| now.saturating_sub(**at) < window).count()
    }

    fn budget_agrees(&self) {
        let (Some((limit, _)), Some(budget)) = (self.setup.budget, &self.policies.budget) else { return };
        let granted = self.granted_within_window(self.now());
        assert!(granted <= limit as usize, "a budget grants no more than its limit in any window");
        assert_eq!(budget.remaining_at(self.policies.clock.now()) as usize, limit as usize - granted, "what is left");
    }

    fn breaker_agrees(&self) {
        let state = self.policies.breaker.as_ref().map(redress_core::CircuitBreaker::state);
        assert_eq!(state, self.breaker.as_ref().map(BreakerModel::state), "the breaker is where the model is");
    }
}

/// How a call begins.
#[derive(Clone, Copy, Debug)]
enum Entry {
    /// It ends for this reason before the breaker is called.
    Barred(StopReason),
    /// The breaker rejects it, with the wait if it is known.
    Rejected(Option<Duration>),
    /// It runs. Holds the model's permit, if there is a breaker, and the transition it made.
    Admitted(Option<(Ticket, Option<Transition>)>),
}
