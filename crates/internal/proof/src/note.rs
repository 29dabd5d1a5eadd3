//! The record of a history: all observable behaviour, in order.

use std::time::{Duration, Instant};

use redress_core::breaker::{CircuitState, Report, Transition};
use redress_core::error::Failure;
use redress_core::observe::{AttemptContext, AttemptDecision, TimelineEvent};
use redress_core::strategy::{BackoffContext, Feedback};
use redress_core::{CallError, Cause, Classification, ErrorClass, Event, EventName, RetryOutcome, StopReason};

use crate::world::{Broken, Owner, Value};

/// Something that was seen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Note {
    /// The call that was under way.
    pub(crate) call: usize,
    /// What the clock showed.
    pub(crate) at: Duration,
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    /// The call's future is polled for the first time, or the blocking call made.
    Begins,
    /// The operation runs.
    Runs {
        attempt: u32,
        time_left: Option<Duration>,
    },
    /// The operation's future was dropped before its end.
    Cancelled {
        attempt: u32,
    },
    Abort(Owner),
    Told(Hook, Event<'static>),
    Start(Hook, Seen),
    End(Hook, Seen),
    Delay(Backoff),
    Learns(u8, Feedback, Duration),
    Handler(Owner, Backoff, Duration),
    BeforeSleep(Owner, Backoff, Duration),
    Sleeper(Owner, Duration),
    /// A timer was set.
    Timer(Duration),
    Admit(Result<Option<Transition>, (CircuitState, Option<Duration>)>),
    Report(Report, Option<Transition>),
    Release,
    Ended(Box<Ending>),
    /// After an act: the breaker's state, the budget's tokens.
    State(Option<CircuitState>, Option<u32>),
    /// At the end: whether the breaker admits a call once its recovery time has passed again.
    Readmits(bool),
    Timeline(Vec<Entry>),
}

/// A hook that receives notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hook {
    pub(crate) owner: Owner,
    pub(crate) kind: HookKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HookKind {
    Observer(usize),
    AttemptStart,
    AttemptEnd,
    Abort,
    Handler,
    BeforeSleep,
    Sleeper,
}

/// What an attempt hook sees.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) attempt: u32,
    pub(crate) operation: Option<String>,
    pub(crate) elapsed: Duration,
    pub(crate) classification: Option<Classification>,
    pub(crate) decision: Option<AttemptDecision>,
    pub(crate) stop_reason: Option<StopReason>,
    pub(crate) cause: Option<Cause>,
    pub(crate) sleep: Option<Duration>,
    pub(crate) error_type: Option<&'static str>,
}

impl From<&AttemptContext<'_>> for Seen {
    fn from(attempt: &AttemptContext<'_>) -> Self {
        Self {
            attempt: attempt.attempt,
            operation: attempt.operation.as_deref().map(str::to_owned),
            elapsed: attempt.elapsed,
            classification: attempt.classification.as_deref().cloned(),
            decision: attempt.decision,
            stop_reason: attempt.stop_reason,
            cause: attempt.cause,
            sleep: attempt.delay,
            error_type: attempt.error_type,
        }
    }
}

/// What a strategy and the hooks around a wait see.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Backoff {
    pub(crate) attempt: u32,
    pub(crate) classification: Classification,
    pub(crate) prev_delay: Option<Duration>,
    pub(crate) remaining: Option<Duration>,
    pub(crate) cause: Cause,
    /// Since the clock began.
    pub(crate) now: Duration,
}

impl Backoff {
    pub(crate) fn of(context: &BackoffContext<'_>, origin: Instant) -> Self {
        Self {
            attempt: context.attempt,
            classification: context.classification.clone().into_owned(),
            prev_delay: context.prev_delay,
            remaining: context.remaining,
            cause: context.cause,
            now: context.now - origin,
        }
    }
}

/// One entry of a timeline.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) attempt: u32,
    pub(crate) event: EventName,
    pub(crate) elapsed: Duration,
    pub(crate) sleep: Duration,
    pub(crate) class: Option<ErrorClass>,
    pub(crate) stop_reason: Option<StopReason>,
    pub(crate) cause: Option<Cause>,
}

impl From<&TimelineEvent> for Entry {
    fn from(event: &TimelineEvent) -> Self {
        Self {
            attempt: event.attempt,
            event: event.event,
            elapsed: event.elapsed,
            sleep: event.delay,
            class: event.error_class,
            stop_reason: event.stop_reason,
            cause: event.cause,
        }
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ending {
    Executed(Box<Outcome>, Result<Value, Refused>),
    Called(Result<Value, Refused>),
    /// A panic came out of it that was planned.
    Panicked,
    Dropped,
}

/// What `execute` says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) is_ok: bool,
    pub(crate) value: Option<Value>,
    pub(crate) stop_reason: Option<StopReason>,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    pub(crate) last_class: Option<ErrorClass>,
    pub(crate) cause: Option<Cause>,
    pub(crate) next_delay: Option<Duration>,
    pub(crate) retry_in: Option<Duration>,
    pub(crate) rejection: Option<(CircuitState, Option<Duration>)>,
    pub(crate) last_failure: Option<Failure<Value, Broken>>,
    pub(crate) abort_error: Option<Broken>,
    pub(crate) timeline: Option<Vec<Entry>>,
}

impl From<&RetryOutcome<Value, Broken>> for Outcome {
    fn from(outcome: &RetryOutcome<Value, Broken>) -> Self {
        Self {
            is_ok: outcome.is_ok(),
            value: outcome.value().cloned(),
            stop_reason: outcome.stop_reason(),
            attempts: outcome.attempts(),
            elapsed: outcome.elapsed(),
            last_class: outcome.last_class(),
            cause: outcome.cause(),
            next_delay: outcome.next_delay(),
            retry_in: outcome.retry_in(),
            rejection: outcome.rejection().map(|rejection| (rejection.state(), rejection.retry_in())),
            last_failure: outcome.last_failure().cloned(),
            abort_error: outcome.abort_error().cloned(),
            timeline: outcome.timeline().map(|timeline| timeline.events().iter().map(Entry::from).collect()),
        }
    }
}

/// What `call` says of a call that did not succeed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Refused {
    Failed {
        error: Broken,
        stop_reason: StopReason,
        attempts: u32,
        last_class: Option<ErrorClass>,
        retry_in: Option<Duration>,
    },
    Exhausted {
        stop_reason: StopReason,
        attempts: u32,
        last_class: Option<ErrorClass>,
        cause: Option<Cause>,
        last_error: Option<Broken>,
        retry_in: Option<Duration>,
    },
    Aborted {
        attempts: u32,
        last_class: Option<ErrorClass>,
        cause: Option<Cause>,
        last_error: Option<Broken>,
        abort_error: Option<Broken>,
    },
    CircuitOpen(CircuitState, Option<Duration>),
}

impl From<CallError<Broken>> for Refused {
    fn from(error: CallError<Broken>) -> Self {
        match error {
            CallError::Failed(failed) => Self::Failed {
                error: failed.error,
                stop_reason: failed.stop_reason,
                attempts: failed.attempts,
                last_class: failed.last_class,
                retry_in: failed.retry_in,
            },
            CallError::Exhausted(exhausted) => Self::Exhausted {
                stop_reason: exhausted.stop_reason,
                attempts: exhausted.attempts,
                last_class: exhausted.last_class,
                cause: exhausted.cause,
                last_error: exhausted.last_error,
                retry_in: exhausted.retry_in,
            },
            CallError::Aborted(aborted) => Self::Aborted {
                attempts: aborted.attempts,
                last_class: aborted.last_class,
                cause: aborted.cause,
                last_error: aborted.last_error,
                abort_error: aborted.abort_error,
            },
            CallError::CircuitOpen(rejection) => Self::CircuitOpen(rejection.state(), rejection.retry_in()),
            other => unreachable!("a variant the model does not know: {other:?}"),
        }
    }
}
