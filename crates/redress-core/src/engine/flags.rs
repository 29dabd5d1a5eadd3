//! Per-call feature flags, so that the decision for the fast path is one mask test.

use crate::policy::hooks::Hooks;

/// A set of features of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(u16);

impl Flags {
    pub(crate) const NONE: Self = Self(0);
    /// Observers or attempt hooks.
    pub(crate) const WATCHED: Self = Self(1);
    /// A timeline is recorded.
    pub(crate) const TIMELINE: Self = Self(2);
    /// Hooks that can change the course of the call: an abort predicate, a sleep handler, or hooks
    /// around the wait.
    pub(crate) const STEERED: Self = Self(4);
    /// Strategies that learn.
    pub(crate) const LEARNING: Self = Self(8);
    /// The call holds a permit that has to be reported or released: a probe's, or any permit of a
    /// custom breaker. Set and cleared during the call.
    pub(crate) const HOLDS_PERMIT: Self = Self(16);
    /// The call returns an outcome, which contains the elapsed time.
    pub(crate) const OUTCOME: Self = Self(32);
    /// There is a deadline.
    pub(crate) const DEADLINE: Self = Self(64);

    /// The breaker that rejected the call was half-open. Set during the call.
    pub(crate) const REJECTED_HALF_OPEN: Self = Self(128);
    /// The success event was sent. Set during the call.
    pub(crate) const SUCCEEDED: Self = Self(512);
    /// The call has a deadline besides the policy's, which may already have passed.
    pub(crate) const CALL_DEADLINE: Self = Self::DEADLINE.with(Self(256));

    /// The call has abort handles.
    pub(crate) const ABORTABLE: Self = Self(1024);

    /// The call continues a deferred one.
    pub(crate) const RESUMED: Self = Self(2048);

    /// The policy acts on calls within calls, and so sets a frame around its operation.
    pub(crate) const FRAMED: Self = Self(4096);
    /// A call around this one retries in its place. Set during the call.
    pub(crate) const SINGLE: Self = Self(8192);

    /// Observers, attempt hooks or a timeline.
    pub(crate) const OBSERVED: Self = Self::WATCHED.with(Self::TIMELINE);
    /// Custom code runs between attempts.
    pub(crate) const TAKES_TIME: Self = Self::WATCHED.with(Self::STEERED);
    /// A success has to be reported: to observers, learning strategies or the breaker.
    const SUCCESS_MATTERS: Self = Self::OBSERVED.with(Self::LEARNING).with(Self::HOLDS_PERMIT);
    /// The instant of the start is needed.
    const START_MATTERS: Self = Self::OBSERVED.with(Self::OUTCOME).with(Self::DEADLINE).with(Self::FRAMED);
    /// A call with any of these does not take the fast path.
    const SLOW: Self = Self::OBSERVED
        .with(Self::STEERED)
        .with(Self::LEARNING)
        .with(Self(256))
        .with(Self::ABORTABLE)
        .with(Self::RESUMED)
        .with(Self::FRAMED);
    /// The instant of a success is needed.
    const END_MATTERS: Self = Self::SUCCESS_MATTERS.with(Self::OUTCOME);

    pub(crate) fn of_hooks(hooks: &Hooks<'_>) -> Self {
        let watched = if hooks.is_watching() { Self::WATCHED } else { Self::NONE };
        let steered = if hooks.is_steering() { Self::STEERED } else { Self::NONE };
        let timeline = if hooks.capture.is_on() { Self::TIMELINE } else { Self::NONE };
        let abortable = if hooks.aborts.is_empty() { Self::NONE } else { Self::ABORTABLE };
        watched.with(steered).with(timeline).with(abortable)
    }

    pub(crate) fn of_plan(hooks: &Hooks<'_>, learns: bool, has_deadline: bool, is_framed: bool) -> Self {
        let learning = if learns { Self::LEARNING } else { Self::NONE };
        let deadline = if has_deadline { Self::DEADLINE } else { Self::NONE };
        let framed = if is_framed { Self::FRAMED } else { Self::NONE };
        Self::of_hooks(hooks).with(learning).with(deadline).with(framed)
    }

    #[inline]
    pub(crate) const fn has(self, any: Self) -> bool {
        self.0 & any.0 != 0
    }

    #[inline]
    pub(crate) const fn with(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    #[inline]
    pub(crate) const fn without(self, less: Self) -> Self {
        Self(self.0 & !less.0)
    }

    #[inline]
    pub(crate) const fn success_matters(self) -> bool {
        self.has(Self::SUCCESS_MATTERS)
    }

    #[inline]
    pub(crate) const fn are_fast(self) -> bool {
        !self.has(Self::SLOW)
    }

    #[inline]
    pub(crate) const fn start_matters(self) -> bool {
        self.has(Self::START_MATTERS)
    }

    #[inline]
    pub(crate) const fn end_matters(self) -> bool {
        self.has(Self::END_MATTERS)
    }
}
