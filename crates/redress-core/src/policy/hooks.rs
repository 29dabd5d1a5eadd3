//! The hooks of a policy or a call, as data.
//!
//! Owns which hooks there are and the containment of their panics. Does not know when any of them runs.

use std::borrow::Cow;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::outcome::observer::{AttemptContext, Observer};
use crate::policy::sleep_decision::{AsyncBeforeSleepFn, AsyncSleeperFn, BeforeSleepFn, SleepFn, SleeperFn};

pub(crate) type AttemptFn<'h> = dyn Fn(&AttemptContext<'_>) + Send + Sync + 'h;
pub(crate) type AbortFn<'h> = dyn Fn() -> bool + Send + Sync + 'h;

/// How the actual wait is replaced.
pub(crate) enum Sleeper<'h> {
    Blocking(Box<SleeperFn<'h>>),
    Async(Box<AsyncSleeperFn<'h>>),
}

/// What runs right before an actual wait.
pub(crate) enum BeforeSleep<'h> {
    Blocking(Box<BeforeSleepFn<'h>>),
    Async(Box<AsyncBeforeSleepFn<'h>>),
}

/// Every hook there is. A policy has one set, and a call may have another: observers of both hear everything, and of the
/// rest a call's hook replaces the policy's.
#[derive(Default)]
pub(crate) struct Hooks<'h> {
    pub(crate) operation: Option<Cow<'h, str>>,
    pub(crate) observers: Vec<Box<dyn Observer + 'h>>,
    pub(crate) on_attempt_start: Option<Box<AttemptFn<'h>>>,
    pub(crate) on_attempt_end: Option<Box<AttemptFn<'h>>>,
    pub(crate) abort_if: Option<Box<AbortFn<'h>>>,
    pub(crate) sleep: Option<Box<SleepFn<'h>>>,
    pub(crate) before_sleep: Option<BeforeSleep<'h>>,
    pub(crate) sleeper: Option<Sleeper<'h>>,
}

impl Hooks<'_> {
    /// Whether anything here is told of starts, successes and ends.
    pub(crate) fn is_watching(&self) -> bool {
        !self.observers.is_empty() || self.on_attempt_start.is_some() || self.on_attempt_end.is_some()
    }

    /// Whether anything here may change where a call goes or how it waits.
    pub(crate) fn is_steering(&self) -> bool {
        self.abort_if.is_some() || self.sleep.is_some() || self.before_sleep.is_some() || self.sleeper.is_some()
    }
}

/// Runs a hook; a panic in it is contained and reads as no answer.
pub(crate) fn contained<R>(hook: impl FnOnce() -> R) -> Option<R> {
    // Unwind safety: a hook has shared references only, and what it tore of its own is its own.
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
