//! The calls of a case: their settings, how each attempt spends its time and ends, and what the
//! operation returns.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use redress_core::budget::Priority;
use redress_core::{Classification, ErrorClass};

use super::{Habit, Hooks};

#[derive(Clone, Debug)]
pub(crate) struct CallSpec {
    /// The attempts; the last one is made again from there on.
    pub(crate) script: Vec<AttemptSpec>,
    pub(crate) way: Way,
    /// Whether it is made through the policy without retry.
    pub(crate) is_once: bool,
    /// Whether it is a blocking call, also beside asynchronous ones.
    pub(crate) blocks: bool,
    pub(crate) name: Option<&'static str>,
    pub(crate) hooks: Hooks,
    pub(crate) abort_if: Option<AbortIf>,
    pub(crate) timeline: Capture,
    pub(crate) deadline: Option<OwnDeadline>,
    pub(crate) priority: Priority,
}

impl Default for CallSpec {
    fn default() -> Self {
        Self {
            script: vec![AttemptSpec { pace: Pace::AtOnce, end: End::Good }],
            way: Way::Execute,
            is_once: false,
            blocks: false,
            name: None,
            hooks: Hooks::default(),
            abort_if: None,
            timeline: Capture::Off,
            deadline: None,
            priority: Priority::Normal,
        }
    }
}

impl CallSpec {
    /// Whether there is nothing to set, so that the call is made on the policy itself.
    pub(crate) fn is_plain(&self) -> bool {
        self.name.is_none()
            && self.hooks.are_empty()
            && self.abort_if.is_none()
            && matches!(self.timeline, Capture::Off)
            && self.deadline.is_none()
            && self.priority == Priority::Normal
    }

    pub(crate) fn attempt(&self, number: u32) -> AttemptSpec {
        let index = (number as usize - 1).min(self.script.len() - 1);
        self.script[index]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Call,
    Execute,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Capture {
    Off,
    Fresh,
    /// Into the one collector of the world.
    Shared,
}

/// The deadline of one call, besides its policy's.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OwnDeadline {
    /// So long after its beginning.
    After(Duration),
    /// At this instant of the stage's clock, which may have passed when the call begins.
    At(Duration),
}

/// An abort predicate that returns true from this call on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AbortIf {
    pub(crate) habit: Habit,
    pub(crate) from: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct AttemptSpec {
    pub(crate) pace: Pace,
    pub(crate) end: End,
}

/// How an attempt spends its time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    AtOnce,
    /// Time passes while it runs, without a chance to interrupt it.
    Busy(Duration),
    /// It waits; an attempt timeout can strike. A blocking one is busy.
    Waits(Duration),
    /// It is pending so often, without time passing. A blocking one ends at once, as below.
    Yields(u8),
    /// It is pending for ever.
    Hangs,
}

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Good,
    /// A value that the classifier calls a failure.
    Bad(ErrorClass),
    /// An error, with a hint how long to wait.
    Fails(ErrorClass, Option<Duration>),
    /// An error after which the classifier forbids a retry.
    FailsForGood(ErrorClass),
    /// An error about which the classifier has no opinion.
    FailsUnclaimed,
    /// An error, or a value, by which the operation asks to abort.
    Aborts,
    AbortsByValue,
    Panics,
    ClassifierPanics,
}

impl End {
    /// What the classifier says. It panics where the data says so: the caller has seen to that.
    pub(crate) fn classification(self) -> Option<Classification> {
        match self {
            Self::Good | Self::FailsUnclaimed | Self::Panics | Self::ClassifierPanics => None,
            Self::Bad(class) => Some(Classification::new(class)),
            Self::Fails(class, hint) => Some(Classification::new(class).with_retry_after(hint)),
            Self::FailsForGood(class) => Some(Classification::new(class).forbid_retry("said so")),
            Self::Aborts | Self::AbortsByValue => Some(Classification::abort()),
        }
    }
}

/// What an operation returns: it says which attempt made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) call: usize,
    pub(crate) attempt: u32,
    pub(crate) end: End,
}

/// What an operation fails with: it says which attempt made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) call: usize,
    pub(crate) attempt: u32,
    pub(crate) end: End,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attempt {} of call {} broke", self.attempt, self.call)
    }
}

impl Error for Broken {}
