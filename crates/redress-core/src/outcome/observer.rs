//! Who is told: observers of the event stream, of attempts and of whole calls.
//!
//! Owns the observer seam and what an attempt hook sees. Nothing an observer does, a panic
//! included, changes a call.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::classify::classification::Classification;
use crate::closed_set::closed_set;
use crate::outcome::detail::detail_of;
use crate::outcome::event::{Event, owned};
use crate::outcome::failure::Cause;
use crate::outcome::stop_reason::StopReason;

/// Hears of everything a policy does: the seam for metrics, logs and traces.
///
/// Every call that starts has exactly one [terminal](crate::EventName::is_terminal) event. A call
/// that is dropped, or that a panic goes through, before it ends in any other way has
/// [`Cancelled`](crate::EventName::Cancelled), told on the thread that drops it. The ends that an
/// observer counts therefore add up to the calls that started. A future that is never polled
/// starts no call.
///
/// Closures are observers: `|event: &Event<'_>| println!("{}", event.name)`. A tuple of up to six
/// observers is one, and so is a `Vec`; of different types, a `Vec<Arc<dyn Observer>>`. Each of
/// them is told, in order, whatever the others do. An observer runs on the calling thread or task,
/// between the steps of the call, so it should be quick. If it panics the panic is caught and the
/// call goes on (the panic hook has run by then, so the message is not lost).
pub trait Observer: Send + Sync {
    /// Hears of an event.
    fn on_event(&self, event: &Event<'_>);

    /// Hears that an attempt is about to run.
    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        let _ = attempt;
    }

    /// Hears that an attempt ended and what was decided. Runs once for each attempt that started
    /// and came to an end, before the wait for the next one. An attempt whose future is dropped, or
    /// whose operation panics, has none: the event `Cancelled` ends it with its call.
    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        let _ = attempt;
    }

    /// Hears that a call begins, before anybody is asked to abort it and before its breaker. What
    /// is returned goes with that one call; most observers need nothing of the kind, and the
    /// default is `None`.
    fn on_call_start(&self, call: &CallStart<'_>) -> Option<Box<dyn CallObserver>> {
        let _ = call;
        None
    }
}

/// An observer's part in one call: what has to know which call an event belongs to, such as a span.
///
/// Made by [`Observer::on_call_start`], it hears of that call alone, after the observer that made
/// it, and is dropped when the call is over. Before that it hears of the call's one
/// [terminal](crate::EventName::is_terminal) event, which is
/// [`Cancelled`](crate::EventName::Cancelled) if the call is dropped or a panic goes through it;
/// events of the breaker may follow. To tell a panic from a drop, ask
/// [`CallOutcome::of_unfinished`](crate::observe::CallOutcome::of_unfinished) while that event is
/// told. Panics are caught as everywhere.
///
/// ```
/// use std::io;
/// use std::panic::{AssertUnwindSafe, catch_unwind};
/// use std::sync::Mutex;
/// use std::sync::mpsc::{Sender, channel};
/// use redress::{Event, EventName, Observer, Policy};
/// use redress::observe::{CallObserver, CallStart};
///
/// /// Sends the events of each call on, together, when the call ends.
/// struct Stories(Sender<Vec<EventName>>);
///
/// struct Story {
///     events: Mutex<Vec<EventName>>,
///     sender: Sender<Vec<EventName>>,
/// }
///
/// impl Observer for Stories {
///     fn on_event(&self, _: &Event<'_>) {}
///
///     fn on_call_start(&self, _: &CallStart<'_>) -> Option<Box<dyn CallObserver>> {
///         Some(Box::new(Story { events: Mutex::default(), sender: self.0.clone() }))
///     }
/// }
///
/// impl CallObserver for Story {
///     fn on_event(&self, event: &Event<'_>) {
///         let mut events = self.events.lock().unwrap();
///         events.push(event.name);
///         if event.name.is_terminal() {
///             let _ = self.sender.send(events.clone());
///         }
///     }
/// }
///
/// let (sender, stories) = channel();
/// let policy = Policy::builder().observer(Stories(sender)).build()?;
/// policy.call(|| Ok::<_, io::Error>(())).unwrap();
/// assert_eq!(stories.recv().unwrap(), [EventName::Success]);
///
/// let panics = || -> Result<(), io::Error> { panic!("of the operation") };
/// assert!(catch_unwind(AssertUnwindSafe(|| policy.call(panics))).is_err());
/// assert_eq!(stories.recv().unwrap(), [EventName::Cancelled]);
/// # Ok::<(), redress::ConfigError>(())
/// ```
pub trait CallObserver: Send + Sync {
    /// Hears of an event of this call.
    fn on_event(&self, event: &Event<'_>);

    /// Hears that an attempt is about to run.
    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        let _ = attempt;
    }

    /// Hears that an attempt ended and what was decided; see [`Observer::on_attempt_end`].
    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        let _ = attempt;
    }

    /// Runs a piece of the operation within whatever scope the observer keeps for the call, such as
    /// a current span: a blocking attempt as a whole, an asynchronous one at each poll. Call `step`
    /// once.
    ///
    /// If it is not called it runs afterwards, without the scope; further calls do nothing.
    fn enter(&self, step: &mut dyn FnMut()) {
        step();
    }
}

/// What an observer is told of a call that begins.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallStart<'a> {
    /// The name the caller gave the operation; an empty name is none.
    pub operation: Option<&'a str>,
    /// The [name](crate::policy::PolicyBuilder::name) of the policy, if it has one.
    pub policy: Option<&'a str>,
    /// The [name](crate::breaker::CircuitBreakerBuilder::name) of the policy's breaker, if it has
    /// one.
    pub breaker: Option<&'a str>,
}

impl<'a> CallStart<'a> {
    /// The start of a call of this operation through a policy without a name. For testing
    /// observers: in a call the engine makes it.
    #[must_use]
    pub const fn new(operation: Option<&'a str>) -> Self {
        Self { operation, policy: None, breaker: None }
    }
}

impl<F: Fn(&Event<'_>) + Send + Sync> Observer for F {
    fn on_event(&self, event: &Event<'_>) {
        self(event);
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn on_event(&self, event: &Event<'_>) {
        (**self).on_event(event);
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        (**self).on_attempt_start(attempt);
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        (**self).on_attempt_end(attempt);
    }

    fn on_call_start(&self, call: &CallStart<'_>) -> Option<Box<dyn CallObserver>> {
        (**self).on_call_start(call)
    }
}

/// What an attempt hook sees.
///
/// The error or value itself is not here: hooks serve policies of every type. Its type name and its
/// classification are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttemptContext<'a> {
    /// The attempt, counted from 1.
    pub attempt: u32,
    /// The name the caller gave the operation.
    pub operation: Option<Cow<'a, str>>,
    /// The [name](crate::policy::PolicyBuilder::name) of the policy, if it has one.
    pub policy: Option<Cow<'a, str>>,
    /// The [name](crate::breaker::CircuitBreakerBuilder::name) of the policy's breaker, if it has
    /// one.
    pub breaker: Option<Cow<'a, str>>,
    /// Time since the call began.
    pub elapsed: Duration,
    /// What the classifier made of a failure; none at the start and on success.
    pub classification: Option<Cow<'a, Classification>>,
    /// What was decided; none at the start.
    pub decision: Option<AttemptDecision>,
    /// Why the call ends, if it does.
    pub stop_reason: Option<StopReason>,
    /// What failed, if something did.
    pub cause: Option<Cause>,
    /// The delay before the next attempt, of `Retry` and `Scheduled`.
    pub delay: Option<Duration>,
    /// The type name of the error that failed the attempt, if one did; as of
    /// [events](Event::error_type).
    pub error_type: Option<&'static str>,
}

impl AttemptContext<'_> {
    /// What the failure was, in one word fit for a label: the first of the classification's
    /// [details](Classification#details-that-become-labels) `status`, `grpc`, `http2` and `io`,
    /// such as `503`, `UNAVAILABLE` or `ConnectionReset`; else `timeout` for an attempt that was
    /// cut at its timeout. Other details are never here.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        detail_of(self.classification.as_deref(), self.cause)
    }

    /// The context with names and classification of its own, to be kept for longer than the hook is
    /// called.
    #[must_use]
    pub fn into_owned(self) -> AttemptContext<'static> {
        AttemptContext {
            attempt: self.attempt,
            operation: self.operation.map(owned),
            policy: self.policy.map(owned),
            breaker: self.breaker.map(owned),
            elapsed: self.elapsed,
            classification: self.classification.map(owned),
            decision: self.decision,
            stop_reason: self.stop_reason,
            cause: self.cause,
            delay: self.delay,
            error_type: self.error_type,
        }
    }
}

/// What becomes of a call after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AttemptDecision {
    /// The attempt succeeded.
    Success,
    /// It failed and will be tried again.
    Retry,
    /// It failed and the call ends.
    Fail,
    /// It failed and the retry was deferred.
    Scheduled,
    /// The call was aborted.
    Aborted,
}

closed_set! {
    /// Every decision, in declaration order.
    AttemptDecision { Success, Retry, Fail, Scheduled, Aborted }
}

impl AttemptDecision {
    /// The decision's name in logs, such as `retry`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Retry => "retry",
            Self::Fail => "raise",
            Self::Scheduled => "scheduled",
            Self::Aborted => "aborted",
        }
    }
}

impl fmt::Display for AttemptDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
