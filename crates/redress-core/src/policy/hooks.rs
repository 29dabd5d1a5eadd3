//! The hooks of a policy or a call as data, and the containment of their panics.

use std::borrow::Cow;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::outcome::observer::{AttemptContext, Observer};
use crate::outcome::timeline::RetryTimeline;
use crate::policy::abort_handle::AbortHandle;
use crate::policy::sleep_decision::{AsyncBeforeSleepFn, AsyncSleeperFn, BeforeSleepFn, SleepFn, SleeperFn};

pub(crate) type AttemptFn<'h> = dyn Fn(&AttemptContext<'_>) + Send + Sync + 'h;
pub(crate) type AbortFn<'h> = dyn Fn() -> bool + Send + Sync + 'h;

/// Where a call's timeline goes.
#[derive(Clone, Default)]
pub(crate) enum Capture {
    #[default]
    Off,
    Fresh,
    Into(RetryTimeline),
}

impl Capture {
    pub(crate) const fn is_on(&self) -> bool {
        !matches!(self, Self::Off)
    }

    /// The timeline that a call records into.
    pub(crate) fn timeline(&self) -> Option<RetryTimeline> {
        match self {
            Self::Off => None,
            Self::Fresh => Some(RetryTimeline::new()),
            Self::Into(timeline) => Some(timeline.clone()),
        }
    }
}

/// A custom wait, in place of the thread's sleep or the timer.
#[derive(Clone)]
pub(crate) enum Sleeper<'h> {
    Blocking(Arc<SleeperFn<'h>>),
    Async(Arc<AsyncSleeperFn<'h>>),
}

/// A hook that runs right before a wait.
#[derive(Clone)]
pub(crate) enum BeforeSleep<'h> {
    Blocking(Arc<BeforeSleepFn<'h>>),
    Async(Arc<AsyncBeforeSleepFn<'h>>),
}

/// All hooks. A policy has one set, and a call may have another. The observers of both are
/// notified, either may abort the call, and any other hook of the call replaces the policy's.
#[derive(Clone, Default)]
pub(crate) struct Hooks<'h> {
    pub(crate) operation: Option<Cow<'h, str>>,
    pub(crate) observers: Vec<Arc<dyn Observer + 'h>>,
    pub(crate) on_attempt_start: Option<Arc<AttemptFn<'h>>>,
    pub(crate) on_attempt_end: Option<Arc<AttemptFn<'h>>>,
    pub(crate) abort_if: Option<Arc<AbortFn<'h>>>,
    pub(crate) aborts: Vec<AbortHandle>,
    pub(crate) capture: Capture,
    pub(crate) sleep: Option<Arc<SleepFn<'h>>>,
    pub(crate) before_sleep: Option<BeforeSleep<'h>>,
    pub(crate) sleeper: Option<Sleeper<'h>>,
}

impl<'h> Hooks<'h> {
    /// Merges these hooks with those of an outer context. The observers of both are notified,
    /// either may abort the call, and of the other hooks the inner one wins if it is set.
    pub(crate) fn over(&self, outer: &Self) -> Self {
        let abort_if = match (&self.abort_if, &outer.abort_if) {
            (Some(own), Some(outer)) => {
                let both = [Arc::clone(outer), Arc::clone(own)];
                Some(Arc::new(move || both.iter().any(|ask| contained(&**ask).unwrap_or(false))) as Arc<AbortFn<'h>>)
            }
            (own, outer) => own.as_ref().or(outer.as_ref()).map(Arc::clone),
        };
        Self {
            operation: self.operation.as_ref().or(outer.operation.as_ref()).cloned(),
            observers: outer.observers.iter().chain(&self.observers).cloned().collect(),
            on_attempt_start: self.on_attempt_start.as_ref().or(outer.on_attempt_start.as_ref()).map(Arc::clone),
            on_attempt_end: self.on_attempt_end.as_ref().or(outer.on_attempt_end.as_ref()).map(Arc::clone),
            abort_if,
            aborts: outer.aborts.iter().chain(&self.aborts).cloned().collect(),
            capture: if self.capture.is_on() { &self.capture } else { &outer.capture }.clone(),
            sleep: self.sleep.as_ref().or(outer.sleep.as_ref()).map(Arc::clone),
            before_sleep: self.before_sleep.as_ref().or(outer.before_sleep.as_ref()).cloned(),
            sleeper: self.sleeper.as_ref().or(outer.sleeper.as_ref()).cloned(),
        }
    }

    /// Whether any hook is notified of starts, successes and ends.
    pub(crate) fn is_watching(&self) -> bool {
        !self.observers.is_empty() || self.on_attempt_start.is_some() || self.on_attempt_end.is_some()
    }

    /// Whether any hook can change the course of a call or its waits.
    pub(crate) fn is_steering(&self) -> bool {
        self.abort_if.is_some() || self.sleep.is_some() || self.before_sleep.is_some() || self.sleeper.is_some()
    }
}

/// Runs a hook and returns its result, or `None` if it panicked.
pub(crate) fn contained<R>(hook: impl FnOnce() -> R) -> Option<R> {
    // Unwind safety: a hook gets shared references only, so a panic can leave only the hook's own
    // state inconsistent.
    match catch_unwind(AssertUnwindSafe(hook)) {
        Ok(answer) => Some(answer),
        Err(payload) => {
            // A panic payload may panic when dropped.
            if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                mem::forget(again);
            }
            None
        }
    }
}
