//! What a call may set for itself, as a value that callers and integrations hand on.
//!
//! Owns the settings' combination and what may be read of them. How a user sets them is
//! `context.rs`.

use std::fmt;
use std::time::{Duration, Instant};

use crate::engine::Flags;
use crate::policy::context::CallContext;
use crate::policy::hooks::Hooks;

/// When a single call has to end: after a while, or at an instant. Made from a `Duration` or an
/// `Instant`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deadline {
    /// So long after the call begins.
    After(Duration),
    /// At this instant, on the policy's clock.
    At(Instant),
}

impl Deadline {
    /// What is left of it in a call that has taken `elapsed` by `now`; zero at it.
    pub(crate) fn left(self, elapsed: Duration, now: Instant) -> Duration {
        match self {
            Self::After(time) => time.saturating_sub(elapsed),
            Self::At(instant) => instant.saturating_duration_since(now),
        }
    }
}

impl From<Duration> for Deadline {
    fn from(time: Duration) -> Self {
        Self::After(time)
    }
}

impl From<Instant> for Deadline {
    fn from(instant: Instant) -> Self {
        Self::At(instant)
    }
}

/// The settings of single calls by themselves: what a [`Caller`](crate::Caller) is given beside the
/// operation. Made with a [`CallContext`].
///
/// ```
/// use std::time::Duration;
/// use redress::CallContext;
/// use redress::policy::{CallSettings, Deadline};
///
/// let settings = CallSettings::from(CallContext::new().operation("read").deadline(Duration::from_secs(2)));
/// assert_eq!(settings.operation(), Some("read"));
/// assert_eq!(settings.deadline(), Some(Deadline::After(Duration::from_secs(2))));
/// ```
#[derive(Clone, Default)]
pub struct CallSettings<'a> {
    pub(crate) hooks: Hooks<'a>,
    pub(crate) flags: Flags,
    /// The earliest one ends the call.
    pub(crate) deadlines: Vec<Deadline>,
    /// Whether a hook that sees typed errors goes with the settings.
    pub(crate) has_retry_hook: bool,
}

impl<'a> CallSettings<'a> {
    /// The operation's name.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        self.hooks.operation.as_deref()
    }

    /// The deadline of the call, beside the policy's. Of settings within settings, those of the
    /// innermost.
    #[must_use]
    pub fn deadline(&self) -> Option<Deadline> {
        self.deadlines.last().copied()
    }

    /// Whether they have observers or attempt hooks: if neither they nor the policy have any, the
    /// name of an operation need not be made.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.hooks.is_watching()
    }

    /// Whether an abort handle of theirs was aborted.
    #[must_use]
    pub fn is_aborted(&self) -> bool {
        self.hooks.aborts.iter().any(crate::AbortHandle::is_aborted)
    }

    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Self)) {
        change(self);
        let deadline = if self.deadlines.is_empty() { Flags::NONE } else { Flags::CALL_DEADLINE };
        let hooked = if self.has_retry_hook { Flags::STEERED } else { Flags::NONE };
        self.flags = Flags::of_hooks(&self.hooks).with(deadline).with(hooked);
    }

    /// These settings over those of the context around them: all deadlines hold.
    pub(crate) fn over(&self, outer: &Self) -> Self {
        let mut both = Self { hooks: self.hooks.over(&outer.hooks), ..Self::default() };
        both.change(|both| {
            both.deadlines = outer.deadlines.iter().chain(&self.deadlines).copied().collect();
            both.has_retry_hook = outer.has_retry_hook || self.has_retry_hook;
        });
        both
    }

    /// Whether nothing is set.
    pub(crate) fn are_empty(&self) -> bool {
        self.flags == Flags::NONE && self.hooks.operation.is_none()
    }
}

impl<'a> From<CallContext<'a, ()>> for CallSettings<'a> {
    fn from(context: CallContext<'a, ()>) -> Self {
        context.settings
    }
}

impl fmt::Debug for CallSettings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallSettings")
            .field("operation", &self.operation())
            .field("deadline", &self.deadline())
            .finish_non_exhaustive()
    }
}
