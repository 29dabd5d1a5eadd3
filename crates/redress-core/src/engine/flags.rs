//! Per-call feature flags, so that the decision for the fast path is one mask test.

use crate::breaker::{BreakerChoice, CircuitBreaker};
use crate::policy::compiled::Plan;
use crate::policy::hooks::Hooks;
use crate::policy::settings::CallSettings;

/// A set of features of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(u32);

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
    /// The call has settings that the plain path does not read: a deadline or a priority.
    pub(crate) const CALL_SETTINGS: Self = Self(256);
    /// The call has a deadline besides the policy's, which may already have passed.
    pub(crate) const CALL_DEADLINE: Self = Self::DEADLINE.with(Self::CALL_SETTINGS);

    /// The call has abort handles.
    pub(crate) const ABORTABLE: Self = Self(1024);

    /// The call continues a deferred one.
    pub(crate) const RESUMED: Self = Self(2048);

    /// A success has to be counted with the closed breaker. That takes no reading of the clock.
    pub(crate) const COUNTED: Self = Self(1 << 16);
    /// The start of the call matters to the breaker.
    pub(crate) const STARTED: Self = Self(1 << 17);
    /// The breaker wants to know how long attempts take.
    pub(crate) const TIMED: Self = Self(1 << 18);
    /// Each attempt asks the breaker and reports to it.
    pub(crate) const JUDGES_ATTEMPTS: Self = Self(1 << 19);

    /// The breaker that rejected the call is forced open. Set during the call.
    pub(crate) const REJECTED_BY_FORCE: Self = Self(1 << 20);
    /// The breaker ended the call after one of its attempts. Set during the call.
    pub(crate) const SHUT_BETWEEN: Self = Self(1 << 21);
    /// An attempt is running whose start is recorded. Set and cleared during the call.
    pub(crate) const ATTEMPT_RUNS: Self = Self(1 << 22);
    /// The start of each attempt is recorded.
    pub(crate) const TIMES_ATTEMPTS: Self = Self::TIMED.with(Self::JUDGES_ATTEMPTS);
    /// A success pays into the budget.
    pub(crate) const EARNS: Self = Self(4096);
    /// The next attempt is paid for, and its price comes back if it does not start. Set and cleared
    /// during the call.
    pub(crate) const HOLDS_TOKENS: Self = Self(8192);
    /// The policy acts on calls within calls, and so sets a frame around its operation.
    pub(crate) const FRAMED: Self = Self(16384);
    /// A call around this one retries in its place. Set during the call.
    pub(crate) const SINGLE: Self = Self(32768);

    /// A success is counted: by the budget or by the breaker.
    pub(crate) const COUNTS: Self = Self::EARNS.with(Self::COUNTED);

    /// Observers, attempt hooks or a timeline.
    pub(crate) const OBSERVED: Self = Self::WATCHED.with(Self::TIMELINE);
    /// Custom code runs between attempts.
    pub(crate) const TAKES_TIME: Self = Self::WATCHED.with(Self::STEERED);
    /// A success has to be reported, with its instant: to observers, learning strategies or the
    /// breaker.
    const SUCCESS_REPORTED: Self = Self::OBSERVED.with(Self::LEARNING).with(Self::HOLDS_PERMIT);
    /// A success has to be reported or counted.
    const SUCCESS_MATTERS: Self = Self::SUCCESS_REPORTED.with(Self::COUNTS);
    /// The instant of the start is needed.
    const START_MATTERS: Self = Self::OBSERVED
        .with(Self::OUTCOME)
        .with(Self::DEADLINE)
        .with(Self::FRAMED)
        .with(Self::STARTED)
        .with(Self::TIMES_ATTEMPTS);
    /// A call with any of these is not plain.
    const SLOW: Self = Self::OBSERVED
        .with(Self::STEERED)
        .with(Self::LEARNING)
        .with(Self::CALL_SETTINGS)
        .with(Self::ABORTABLE)
        .with(Self::RESUMED)
        .with(Self::FRAMED)
        .with(Self::TIMED)
        .with(Self::JUDGES_ATTEMPTS);
    /// A call with any of these does not take the shortest path to its first attempt. The success
    /// of a plain call is then counted.
    const NOT_FAST: Self = Self::SLOW.with(Self::COUNTS);
    /// The instant of a success is needed.
    const END_TIMED: Self = Self::SUCCESS_REPORTED.with(Self::OUTCOME);
    /// A success is more than a value for the caller.
    const END_MATTERS: Self = Self::END_TIMED.with(Self::COUNTS);

    pub(crate) fn of_hooks(hooks: &Hooks<'_>) -> Self {
        let watched = if hooks.is_watching() { Self::WATCHED } else { Self::NONE };
        let steered = if hooks.is_steering() { Self::STEERED } else { Self::NONE };
        let timeline = if hooks.capture.is_on() { Self::TIMELINE } else { Self::NONE };
        let abortable = if hooks.aborts.is_empty() { Self::NONE } else { Self::ABORTABLE };
        watched.with(steered).with(timeline).with(abortable)
    }

    pub(crate) fn of_plan(hooks: &Hooks<'_>, learns: bool, has_deadline: bool, earns: bool, is_framed: bool) -> Self {
        let learning = if learns { Self::LEARNING } else { Self::NONE };
        let deadline = if has_deadline { Self::DEADLINE } else { Self::NONE };
        let earns = if earns { Self::EARNS } else { Self::NONE };
        let framed = if is_framed { Self::FRAMED } else { Self::NONE };
        Self::of_hooks(hooks).with(learning).with(deadline).with(earns).with(framed)
    }

    /// Those of a call, for a return type that `wants` more.
    #[inline]
    pub(crate) fn of_call(plan: &Plan, settings: Option<&CallSettings<'_>>, wants: Self) -> Self {
        plan.flags.with(wants).with(settings.map_or(Self::NONE, |settings| settings.flags))
    }

    /// What a breaker asks for.
    pub(crate) fn of_breaker(breaker: &BreakerChoice, judges_attempts: bool) -> Self {
        let counts = match breaker {
            BreakerChoice::Circuit(breaker) if breaker.counts_successes() => {
                if breaker.reads_starts() {
                    Self::COUNTED.with(Self::STARTED)
                } else {
                    Self::COUNTED
                }
            }
            _ => Self::NONE,
        };
        let timed = if breaker.as_dyn().times_attempts() { Self::TIMED } else { Self::NONE };
        let attempts = if judges_attempts { Self::JUDGES_ATTEMPTS } else { Self::NONE };
        counts.with(timed).with(attempts)
    }

    /// Whether a [`CircuitBreaker`] wants to know more of a call that it admitted in this
    /// generation than a call with these flags tells it: it was reconfigured since the policy was
    /// built.
    #[inline]
    pub(crate) const fn lack(self, generation: u64) -> bool {
        let wants = CircuitBreaker::wants(generation);
        (wants.time && !self.has(Self::TIMED))
            || (wants.success && !self.has(Self::COUNTED.with(Self::TIMED)))
            || (wants.start && !self.has(Self::STARTED.with(Self::TIMED)))
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
    pub(crate) const fn are_plain(self) -> bool {
        !self.has(Self::SLOW)
    }

    #[inline]
    pub(crate) const fn are_fast(self) -> bool {
        !self.has(Self::NOT_FAST)
    }

    /// Whether a call with these flags differs from a [fast](Self::are_fast) one only in that its
    /// success is counted.
    #[inline]
    pub(crate) const fn are_counted(self) -> bool {
        self.are_plain() && self.has(Self::COUNTS)
    }

    #[inline]
    pub(crate) const fn success_is_reported(self) -> bool {
        self.has(Self::SUCCESS_REPORTED)
    }

    #[inline]
    pub(crate) const fn end_is_timed(self) -> bool {
        self.has(Self::END_TIMED)
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
