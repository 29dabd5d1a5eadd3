//! [`Trip`]: what a breaker saw when it opened, and [`TripRule`], the rule that opened it.

use std::fmt;
use std::time::Duration;

use crate::closed_set::closed_set;

/// The rule that opened a circuit. If several hold, it is the first of them in this order; in a
/// half-open circuit `Hint` comes before `Trial`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TripRule {
    /// A [`class_threshold`](super::CircuitBreakerBuilder::class_threshold).
    Class,
    /// The [`failure_threshold`](super::CircuitBreakerBuilder::failure_threshold).
    Count,
    /// [`consecutive_failures`](super::CircuitBreakerBuilder::consecutive_failures).
    InARow,
    /// The [`failure_ratio`](super::CircuitBreakerBuilder::failure_ratio).
    Ratio,
    /// A hint of the dependency:
    /// [`open_on_retry_after`](super::CircuitBreakerBuilder::open_on_retry_after).
    Hint,
    /// More bad results in a trial than it allows.
    Trial,
}

closed_set! {
    /// Every rule, in declaration order.
    TripRule { Class, Count, InARow, Ratio, Hint, Trial }
}

impl TripRule {
    /// The rule's name in logs: `class`, `count`, `in_a_row`, `ratio`, `hint` or `trial`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Count => "count",
            Self::InARow => "in_a_row",
            Self::Ratio => "ratio",
            Self::Hint => "hint",
            Self::Trial => "trial",
        }
    }
}

impl fmt::Display for TripRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a breaker saw when it opened.
///
/// **Invariant C7**: a trip by ratio had at least
/// [`min_calls`](super::CircuitBreakerBuilder::min_calls) calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trip {
    /// The rule that opened the circuit.
    pub rule: TripRule,
    /// How many bad results the rule counted, the last one included.
    pub bad: u64,
    /// Among how many calls, for a ratio and a trial. `None` for rules that do not count calls.
    pub calls: Option<u64>,
    /// Within how much time, for a threshold and a ratio. `None` for rules without a window.
    pub window: Option<Duration>,
    /// How long the circuit stays open.
    pub wait: Duration,
}

impl Trip {
    /// A trip by this rule, for tests of observers: nothing counted, no wait.
    #[must_use]
    pub const fn new(rule: TripRule) -> Self {
        Self { rule, bad: 0, calls: None, window: None, wait: Duration::ZERO }
    }
}
