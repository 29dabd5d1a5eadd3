//! One call of a schedule: how it is made, and how it ended.
//!
//! Owns the ways to make a call. Drives nothing.

use std::pin::Pin;
use std::time::Duration;

use redress_core::error::CircuitOpenError;
use redress_core::observe::TimelineEvent;
use redress_core::{CallError, ErrorClass, EventName, RetryOutcome, StopReason};

use super::log::Log;
use super::operation::{Failed, Running, Value};
use super::setup::{Policies, Setup};
use crate::breaker_model::Ticket;
use crate::reader::Reader;

/// Which settings a call has, and whether it asks for a result or an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    /// `call` of the policy itself: the quiet path.
    Bare,
    /// `execute` of the policy itself.
    Told,
    /// `call` with an abort predicate.
    Abortable,
    /// `execute` with observers, hooks, timeline, abort predicate and, if there is one, the sleep handler.
    Watched { is_rude: bool },
}

impl Flavour {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        match reader.below(6) {
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
}

/// How a call ended, as far as its flavour tells.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) reason: Option<StopReason>,
    /// Not told by the success of `call`.
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
    pub(super) flavour: Flavour,
    pub(super) log: Log,
    pub(super) future: Pin<Box<dyn Future<Output = Ended> + 'p>>,
    /// The model's permit, once the call was admitted.
    pub(super) ticket: Option<Ticket>,
}

impl<'p> Call<'p> {
    /// An asynchronous call, not begun.
    pub(super) fn new(setup: &'p Setup, policies: &'p Policies, flavour: Flavour) -> Self {
        let log = Log::new(&policies.clock, flavour == Flavour::Watched { is_rude: true });
        let policy = &policies.asynchronous;
        let operation = {
            let log = log.clone();
            move |attempt| Running::start(log.clone(), attempt)
        };
        let heard = log.clone();
        let future: Pin<Box<dyn Future<Output = Ended> + 'p>> = match flavour {
            Flavour::Bare => Box::pin(async move { policy.call_with(operation).await.into() }),
            Flavour::Told => Box::pin(async move { policy.execute_with(operation).await.into() }),
            Flavour::Abortable => Box::pin(async move {
                let context = policy.context().abort_if(move || heard.notes().wants_abort);
                context.call_with(operation).await.into()
            }),
            Flavour::Watched { .. } => Box::pin(async move {
                let asked = heard.clone();
                let context = policy.operation("fuzzed").observer(heard).capture_timeline();
                let mut context = context.abort_if(move || asked.notes().wants_abort);
                if let Some(decision) = setup.sleep_handler {
                    context = context.sleep_handler(move |_, _| decision);
                }
                context.execute_with(operation).await.into()
            }),
        };
        Self { flavour, log, future, ticket: None }
    }
}
