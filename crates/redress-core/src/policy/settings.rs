//! [`CallSettings`]: the settings of a single call, as a value that callers and integrations pass
//! on. Users set them with `context.rs`.

use std::fmt;
use std::time::{Duration, Instant};

use crate::budget::Priority;
use crate::engine::Flags;
use crate::policy::context::CallContext;
use crate::policy::hooks::Hooks;
use crate::resume::Resumed;

/// The deadline of a single call, converted from a `Duration` or an `Instant`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deadline {
    /// This long after the start of the call.
    After(Duration),
    /// At this instant of the policy's clock.
    At(Instant),
}

impl Deadline {
    /// The time left at `now`, in a call that has taken `elapsed`. Zero at and after the deadline.
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

/// The settings of single calls, without a policy, as a [`Caller`](crate::Caller) receives them.
/// Converted from a [`CallContext`].
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
    /// The earliest of them ends the call.
    pub(crate) deadlines: Vec<Deadline>,
    /// The deferred call that the call continues.
    pub(crate) resumed: Option<Resumed>,
    /// Whether the context has a typed retry hook.
    pub(crate) has_retry_hook: bool,
    pub(crate) priority: Option<Priority>,
}

impl<'a> CallSettings<'a> {
    /// The operation's name.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        self.hooks.operation.as_deref()
    }

    /// The deadline of the call, in addition to the policy's. In nested settings, the innermost
    /// one.
    #[must_use]
    pub fn deadline(&self) -> Option<Deadline> {
        self.deadlines.last().copied()
    }

    /// How far retries of the call may draw down an earned budget.
    #[must_use]
    pub fn priority(&self) -> Priority {
        self.priority.unwrap_or_default()
    }

    /// Whether observers or attempt hooks are set. If neither these settings nor the policy have
    /// any, an integration need not compute the name of an operation.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.hooks.is_watching()
    }

    /// Whether any of the abort handles was aborted.
    #[must_use]
    pub fn is_aborted(&self) -> bool {
        self.hooks.aborts.iter().any(crate::AbortHandle::is_aborted)
    }

    /// All deadlines of the call besides the policy's.
    pub(crate) fn deadlines(&self) -> impl Iterator<Item = Deadline> + '_ {
        self.deadlines.iter().copied().chain(self.resumed.and_then(|resumed| resumed.deadline))
    }

    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Self)) {
        change(self);
        let deadline = if self.deadlines().next().is_some() { Flags::CALL_DEADLINE } else { Flags::NONE };
        let hooked = if self.has_retry_hook { Flags::STEERED } else { Flags::NONE };
        let resumed = if self.resumed.is_some() { Flags::RESUMED } else { Flags::NONE };
        let priority = if self.priority.is_some() { Flags::CALL_SETTINGS } else { Flags::NONE };
        self.flags = Flags::of_hooks(&self.hooks).with(deadline).with(hooked).with(resumed).with(priority);
    }

    /// Merges these settings with those of an outer context. All deadlines apply.
    pub(crate) fn over(&self, outer: &Self) -> Self {
        let mut both = Self { hooks: self.hooks.over(&outer.hooks), ..Self::default() };
        both.change(|both| {
            both.deadlines = outer.deadlines.iter().chain(&self.deadlines).copied().collect();
            both.resumed = self.resumed.or(outer.resumed);
            both.has_retry_hook = outer.has_retry_hook || self.has_retry_hook;
            both.priority = self.priority.or(outer.priority);
        });
        both
    }

    /// Whether nothing is set. A call without settings needs no
    /// [`BoxedContext`](crate::driver::BoxedContext), which allocates.
    ///
    /// ```
    /// use redress::CallContext;
    ///
    /// assert!(CallContext::new().settings().are_empty());
    /// assert!(!CallContext::new().operation("read").settings().are_empty());
    /// ```
    #[must_use]
    pub fn are_empty(&self) -> bool {
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
