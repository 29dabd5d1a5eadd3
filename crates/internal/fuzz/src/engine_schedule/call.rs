//! One call of a schedule: the ways to make it, blocking or asynchronous, and its result.

use std::pin::Pin;
use std::time::{Duration, Instant};

use redress_core::error::CircuitOpenError;
use redress_core::observe::TimelineEvent;
use redress_core::{CallContext, CallError, ErrorClass, EventName, RetryOutcome, StopReason};

use super::log::Log;
use super::operation::{Answer, Failed, Running, Value};
use super::setup::{Policies, Setup};
use crate::breaker_model::Ticket;

/// The settings of a call, and whether it returns a result or an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    /// `call` of the policy itself: the quiet path.
    Bare,
    /// `execute` of the policy itself.
    Told,
    /// `call` with an abort predicate.
    Abortable,
    /// `execute` with observers, hooks, timeline, abort predicate and, if there is one, the sleep
    /// handler.
    Watched { is_rude: bool },
}

impl Flavour {
    const fn of(byte: u8) -> Self {
        match byte % 6 {
            0 => Self::Bare,
            1 => Self::Told,
            2 => Self::Abortable,
            3 => Self::Watched { is_rude: true },
            _ => Self::Watched { is_rude: false },
        }
    }

    pub(super) const fn is_watched(self) -> bool {
        matches!(self, Self::Watched { .. })
    }

    pub(super) const fn can_abort(self) -> bool {
        matches!(self, Self::Abortable | Self::Watched { .. })
    }

    const fn asks_for_outcome(self) -> bool {
        matches!(self, Self::Told | Self::Watched { .. })
    }
}

/// A deadline for one call, in addition to its policy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnDeadline {
    /// This time after the call begins.
    After(Duration),
    /// At this virtual instant, which may have passed when the call begins.
    At(Duration),
}

/// How a call is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) flavour: Flavour,
    /// Whether it uses the policy with retry.
    pub(super) retries: bool,
    pub(super) deadline: Option<OwnDeadline>,
}

impl Manner {
    /// A call of the policy without retry, which takes the quiet path unless the policy has a
    /// deadline.
    pub(super) const ONCE: Self = Self { flavour: Flavour::Bare, retries: false, deadline: None };

    /// Reads the flavour from one byte, and the call's deadline, if it has one.
    pub(super) fn of(byte: u8, retries: bool, has_deadline: bool, now: Duration) -> Self {
        let rest = byte / 6;
        let span = Duration::from_secs(u64::from(rest / 2 % 8));
        let deadline = if rest % 2 == 0 { OwnDeadline::After(span) } else { OwnDeadline::At(now + span) };
        Self { flavour: Flavour::of(byte), retries, deadline: has_deadline.then_some(deadline) }
    }

    /// A log for a call made in this manner.
    pub(super) fn log(self, policies: &Policies) -> Log {
        Log::new(&policies.clock, self.flavour == Flavour::Watched { is_rude: true })
    }

    /// Whether the call has no settings, so that it is made on the policy itself.
    const fn is_plain(self) -> bool {
        self.deadline.is_none() && matches!(self.flavour, Flavour::Bare | Flavour::Told)
    }

    /// The settings of the call.
    fn equip<'a, P>(
        self,
        mut context: CallContext<'a, P>,
        setup: &Setup,
        log: &Log,
        origin: Instant,
    ) -> CallContext<'a, P> {
        context = match self.deadline {
            Some(OwnDeadline::After(time)) => context.deadline(time),
            Some(OwnDeadline::At(at)) => context.deadline(origin + at),
            None => context,
        };
        if self.flavour.can_abort() {
            let asked = log.clone();
            context = context.abort_if(move || asked.notes().wants_abort);
        }
        if !self.flavour.is_watched() {
            return context;
        }
        context = context.operation("fuzzed").observer(log.clone()).capture_timeline();
        match setup.sleep_handler {
            Some(decision) => context.sleep_handler(move |_, _| decision),
            None => context,
        }
    }

    /// Runs a whole blocking call.
    pub(super) fn block(self, setup: &Setup, policies: &Policies, log: &Log, takes: Duration) -> Ended {
        let operation = |attempt| {
            log.attempt_starts(attempt);
            policies.clock.advance(takes);
            let answer = log.next_answer().unwrap_or(Answer::Good);
            log.attempt_ends(answer);
            answer.give()
        };
        let policy = policies.blocking.of(self.retries);
        let context = || self.equip(policy.context(), setup, log, policies.origin());
        match (self.is_plain(), self.flavour.asks_for_outcome()) {
            (true, false) => policy.call_with(operation).into(),
            (true, true) => policy.execute_with(operation).into(),
            (false, false) => context().call_with(operation).into(),
            (false, true) => context().execute_with(operation).into(),
        }
    }

    /// Creates an asynchronous call without polling it.
    fn begin<'p>(
        self,
        setup: &'p Setup,
        policies: &'p Policies,
        log: &Log,
    ) -> Pin<Box<dyn Future<Output = Ended> + 'p>> {
        let heard = log.clone();
        let operation = move |attempt| Running::start(heard.clone(), attempt);
        let policy = policies.asynchronous.of(self.retries);
        let context = self.equip(policy.context(), setup, log, policies.origin());
        match (self.is_plain(), self.flavour.asks_for_outcome()) {
            (true, false) => Box::pin(async move { policy.call_with(operation).await.into() }),
            (true, true) => Box::pin(async move { policy.execute_with(operation).await.into() }),
            (false, false) => Box::pin(async move { context.call_with(operation).await.into() }),
            (false, true) => Box::pin(async move { context.execute_with(operation).await.into() }),
        }
    }
}

/// The result of a call, as far as its flavour reports it.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) reason: Option<StopReason>,
    /// Not reported when `call` succeeds.
    pub(super) attempts: Option<u32>,
    pub(super) last_class: Option<ErrorClass>,
    pub(super) next_delay: Option<Duration>,
    pub(super) retry_in: Option<Duration>,
    pub(super) rejection: Option<CircuitOpenError>,
    pub(super) elapsed: Option<Duration>,
    pub(super) timeline: Option<Vec<EventName>>,
}

impl From<Result<Value, CallError<Failed>>> for Ended {
    fn from(result: Result<Value, CallError<Failed>>) -> Self {
        let error = result.as_ref().err();
        let rejection = match error {
            Some(CallError::CircuitOpen(rejection)) => Some(rejection.clone()),
            _ => None,
        };
        Self {
            reason: error.map(CallError::stop_reason),
            attempts: error.map(CallError::attempts),
            last_class: error.and_then(CallError::last_class),
            next_delay: error
                .filter(|error| error.stop_reason() == StopReason::Scheduled)
                .and_then(CallError::retry_in),
            retry_in: error.and_then(CallError::retry_in),
            rejection,
            elapsed: None,
            timeline: None,
        }
    }
}

impl From<RetryOutcome<Value, Failed>> for Ended {
    fn from(outcome: RetryOutcome<Value, Failed>) -> Self {
        let name = |entry: &TimelineEvent| entry.event;
        Self {
            reason: outcome.stop_reason(),
            attempts: Some(outcome.attempts()),
            last_class: outcome.last_class(),
            next_delay: outcome.next_delay(),
            retry_in: outcome.retry_in(),
            rejection: outcome.rejection(),
            elapsed: Some(outcome.elapsed()),
            timeline: outcome.timeline().map(|timeline| timeline.events().iter().map(name).collect()),
        }
    }
}

/// A call under way.
pub(super) struct Call<'p> {
    pub(super) manner: Manner,
    pub(super) log: Log,
    pub(super) future: Pin<Box<dyn Future<Output = Ended> + 'p>>,
    /// The model's permit, once the call is admitted.
    pub(super) ticket: Option<Ticket>,
}

impl<'p> Call<'p> {
    /// Creates an asynchronous call without polling it.
    pub(super) fn new(setup: &'p Setup, policies: &'p Policies, manner: Manner) -> Self {
        let log = manner.log(policies);
        let future = manner.begin(setup, policies, &log);
        Self { manner, log, future, ticket: None }
    }
}
