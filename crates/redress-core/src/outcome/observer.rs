//! The observer traits, [`Observer`] and [`CallObserver`], and the values that they receive besides
//! events. An observer cannot change a call, not even by a panic.

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

/// Receives everything a policy does. Implement it for metrics, logs and traces.
///
/// Every call that starts has exactly one [terminal](crate::EventName::is_terminal) event, so the
/// terminal events that an observer counts add up to the calls that started. A call that is
/// dropped, or that a panic unwinds through, before it ends in another way ends with
/// [`Cancelled`](crate::EventName::Cancelled), which is sent on the thread that drops it. A future
/// that is never polled does not start a call.
///
/// Closures are observers: `|event: &Event<'_>| println!("{}", event.name)`. So are tuples of up to
/// six observers, and vectors: `Vec<Arc<dyn Observer>>` if the types differ. Their elements are
/// called in order, and a panic in one does not affect the others.
///
/// Observers run on the calling thread or task, between the steps of the call, so they should be
/// quick. A panic in an observer is caught and the call continues. The panic hook has already run,
/// so the message is not lost.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use redress::{Event, Observer, Policy};
///
/// /// Counts the calls that ended.
/// #[derive(Default)]
/// struct Ends(AtomicU32);
///
/// impl Observer for Ends {
///     fn on_event(&self, event: &Event<'_>) {
///         if event.name.is_terminal() {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
///
/// let ends = Arc::new(Ends::default());
/// let policy = Policy::builder().observer(Arc::clone(&ends)).build()?;
/// policy.call(|| Ok::<_, std::io::Error>(7)).unwrap();
/// assert_eq!(ends.0.load(Ordering::Relaxed), 1);
/// # Ok::<(), redress::ConfigError>(())
/// ```
pub trait Observer: Send + Sync {
    /// Called for each event.
    fn on_event(&self, event: &Event<'_>);

    /// Called right before an attempt runs.
    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        let _ = attempt;
    }

    /// Called when an attempt has ended, with the decision, before the wait for the next attempt.
    /// Not called for an attempt whose future is dropped or whose operation panics; the event
    /// `Cancelled` then ends attempt and call.
    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        let _ = attempt;
    }

    /// Called when a call starts, before the abort predicate and the breaker. Returns an observer
    /// for that one call, for state such as a span. Default: `None`.
    fn on_call_start(&self, call: &CallStart<'_>) -> Option<Box<dyn CallObserver>> {
        let _ = call;
        None
    }
}

/// An observer of one call, for state that belongs to a call, such as a span.
///
/// Returned by [`Observer::on_call_start`]. It is called for that call only, after the observer
/// that returned it, and dropped when the call is over. Before the drop it receives the call's one
/// [terminal](crate::EventName::is_terminal) event, which is
/// [`Cancelled`](crate::EventName::Cancelled) if the call is dropped or a panic unwinds through it.
/// Events of the breaker may follow. To distinguish a panic from a drop, call
/// [`CallOutcome::of_unfinished`](crate::observe::CallOutcome::of_unfinished) while handling that
/// event. Panics are caught as for any observer.
///
/// ```
/// use std::io;
/// use std::panic::{AssertUnwindSafe, catch_unwind};
/// use std::sync::Mutex;
/// use std::sync::mpsc::{Sender, channel};
/// use redress::{Event, EventName, Observer, Policy};
/// use redress::observe::{CallObserver, CallStart};
///
/// /// Sends the events of each call together, when the call ends.
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
    /// Called for each event of this call.
    fn on_event(&self, event: &Event<'_>);

    /// Called right before an attempt runs.
    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        let _ = attempt;
    }

    /// Called when an attempt has ended; see [`Observer::on_attempt_end`].
    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        let _ = attempt;
    }

    /// Runs `step`, a part of the operation, in the observer's scope for the call, such as a
    /// current span. A blocking attempt is one step, an asynchronous attempt one step per poll.
    /// Implementations call `step` once.
    ///
    /// If an implementation does not call `step`, it runs afterwards without the scope. Further
    /// calls of `step` do nothing.
    fn enter(&self, step: &mut dyn FnMut()) {
        step();
    }
}

/// A call that starts, as observers see it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallStart<'a> {
    /// The operation's name, if the caller set one; an empty name counts as none.
    pub operation: Option<&'a str>,
    /// The [name](crate::policy::PolicyBuilder::name) of the policy, if it has one.
    pub policy: Option<&'a str>,
    /// The [name](crate::breaker::CircuitBreakerBuilder::name) of the policy's breaker, if it has
    /// one.
    pub breaker: Option<&'a str>,
}

impl<'a> CallStart<'a> {
    /// Creates the start of a call of this operation through an unnamed policy, for tests of
    /// observers.
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

/// An attempt, as attempt hooks and observers see it.
///
/// Contains the type name and classification of an error, but not the error itself, because hooks
/// work with every error type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttemptContext<'a> {
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The operation's name, if the caller set one.
    pub operation: Option<Cow<'a, str>>,
    /// The [name](crate::policy::PolicyBuilder::name) of the policy, if it has one.
    pub policy: Option<Cow<'a, str>>,
    /// The [name](crate::breaker::CircuitBreakerBuilder::name) of the policy's breaker, if it has
    /// one.
    pub breaker: Option<Cow<'a, str>>,
    /// Time since the start of the call.
    pub elapsed: Duration,
    /// The classification of a failure; `None` at the start and after a success.
    pub classification: Option<Cow<'a, Classification>>,
    /// The decision; `None` at the start.
    pub decision: Option<AttemptDecision>,
    /// Why the call ends, if it does.
    pub stop_reason: Option<StopReason>,
    /// The kind of the failure, if the attempt failed.
    pub cause: Option<Cause>,
    /// The delay before the next attempt, for `Retry` and `Scheduled`.
    pub delay: Option<Duration>,
    /// The type name of the attempt's error, if it failed with one; see [`Event::error_type`].
    pub error_type: Option<&'static str>,
}

impl AttemptContext<'_> {
    /// The failure in one word, suitable as a metric label; see [`Event::detail`].
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        detail_of(self.classification.as_deref(), self.cause)
    }

    /// Converts borrowed names and classification into owned ones, so that the context can outlive
    /// the call of the hook.
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

/// How a call continues after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AttemptDecision {
    /// The attempt succeeded.
    Success,
    /// The attempt failed and will be retried.
    Retry,
    /// The attempt failed and the call ends.
    Fail,
    /// The attempt failed and the retry was deferred.
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
