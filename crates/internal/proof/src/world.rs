//! One case as plain data: a policy, the calls made through it, and in which order things happen to
//! them.
//!
//! It also has the accessors that the policy and the model share.

mod breaker;
mod call;

use std::time::Duration;

use redress_core::breaker::Mode;
use redress_core::{Classification, ErrorClass};

pub(crate) use self::breaker::{BreakerSpec, MoreRules};
pub(crate) use self::call::{AbortIf, AttemptSpec, Broken, CallSpec, Capture, End, OwnDeadline, Pace, Value, Way};

/// Who runs the operation and how time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    /// A sleeper on the virtual clock, set on the policy.
    Blocking,
    /// No sleeper on the policy, so that calls without hooks are quiet. Every delay is zero: the
    /// thread would really sleep.
    Bare,
    /// Polled by hand, with a timer on the virtual clock. Calls that block are made by the blocking
    /// driver, between polls of the others.
    Async,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) policy: PolicySpec,
    /// Calls through this one policy, so they share its breaker and its budget.
    pub(crate) calls: Vec<CallSpec>,
    /// What happens, in order. Afterwards every unfinished call is run, and what is still pending
    /// then is dropped.
    pub(crate) acts: Vec<Act>,
}

/// Calls are named by their index, modulo how many there are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Advance(Duration),
    /// Polls once; a blocking call is run to its end.
    Poll(usize),
    /// So often: polls, and moves time to the next alarm if the call waits for time.
    Steps(usize, u8),
    /// Steps until the call ends or nothing will ever wake it.
    Run(usize),
    /// Drops the call's future, started or not.
    Drop(usize),
    /// Changes the mode of the breaker, if there is one.
    Mode(Mode),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct PolicySpec {
    pub(crate) retry: Option<RetrySpec>,
    /// With or without retry.
    pub(crate) times: Times,
    /// The limits of a second policy, without retry, on the same breaker and with the same hooks.
    pub(crate) once: Times,
    pub(crate) breaker: Option<BreakerSpec>,
    pub(crate) hooks: Hooks,
    pub(crate) timeout_as: TimeoutAs,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    pub(crate) deadline: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    /// Whether an attempt that runs at the deadline may finish.
    pub(crate) may_finish: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct RetrySpec {
    pub(crate) max_attempts: u32,
    pub(crate) class_caps: Vec<(ErrorClass, u32)>,
    pub(crate) unknown_cap: Option<u32>,
    /// If neither this nor one below is there, the policy is given a fixed delay of zero: there has
    /// to be one.
    pub(crate) strategy: Option<StrategySpec>,
    pub(crate) strategies: Vec<(ErrorClass, StrategySpec)>,
    pub(crate) budget: Option<BudgetSpec>,
    pub(crate) ignores_hints: bool,
    pub(crate) longest_hint: Option<Duration>,
}

impl Default for RetrySpec {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            class_caps: Vec::new(),
            unknown_cap: None,
            strategy: None,
            strategies: Vec::new(),
            budget: None,
            ignores_hints: false,
            longest_hint: None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct BudgetSpec {
    pub(crate) limit: u32,
    pub(crate) window: Duration,
    /// Whether it has a clock, or uses the instants that the policy passes.
    pub(crate) own_clock: bool,
    /// Instead of the window: what successes earn.
    pub(crate) earned: Option<EarnedSpec>,
}

/// An earned budget, in tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EarnedSpec {
    pub(crate) share: f64,
    pub(crate) capacity: f64,
    pub(crate) reserve: f64,
    /// A class with a separate cost; the others cost 1.
    pub(crate) cost: (ErrorClass, u32),
    pub(crate) seed: u64,
}

impl EarnedSpec {
    pub(crate) fn cost_of(&self, class: ErrorClass) -> u32 {
        if class == self.cost.0 { self.cost.1 } else { 1 }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StrategySpec {
    /// `fixed`.
    Fixed(Duration),
    /// `retry_after_or(fixed(..))` without jitter.
    Hinted { or: Duration },
    /// A closure: one delay for each attempt, the last one from there on; it panics when it is
    /// asked for this attempt.
    Closure { delays: Vec<Duration>, panics_at: Option<u32> },
    /// A closure: twice the delay before, at first this.
    Doubling(Duration),
    /// An object that learns; equal ones are the same object.
    Learner { id: u8, delay: Duration },
}

/// What the classifier makes of an attempt's timeout.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum TimeoutAs {
    #[default]
    NoOpinion,
    Class(ErrorClass),
    Abort,
}

impl TimeoutAs {
    pub(crate) fn classification(self) -> Option<Classification> {
        match self {
            Self::NoOpinion => None,
            Self::Class(class) => Some(Classification::new(class)),
            Self::Abort => Some(Classification::abort()),
        }
    }
}

/// The hooks of a policy or of a call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hooks {
    pub(crate) observers: Vec<Habit>,
    pub(crate) on_attempt_start: Option<Habit>,
    pub(crate) on_attempt_end: Option<Habit>,
    pub(crate) sleep: Option<Handler>,
    pub(crate) before_sleep: Option<BeforeSleep>,
    pub(crate) sleeper: Option<Sleeper>,
}

impl Hooks {
    pub(crate) fn are_empty(&self) -> bool {
        let Self { observers, on_attempt_start, on_attempt_end, sleep, before_sleep, sleeper } = self;
        observers.is_empty()
            && on_attempt_start.is_none()
            && on_attempt_end.is_none()
            && sleep.is_none()
            && before_sleep.is_none()
            && sleeper.is_none()
    }
}

/// What any hook does besides its work, each time it runs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Habit {
    /// How long it takes.
    pub(crate) takes: Duration,
    /// The run, counted from 1, in which it panics.
    pub(crate) panics_at: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Sleep,
    Defer,
    Abort,
}

#[derive(Clone, Debug)]
pub(crate) struct Handler {
    pub(crate) habit: Habit,
    /// One answer for each asking, the last one from there on; `Sleep` if there are none.
    pub(crate) answers: Vec<Answer>,
}

#[derive(Clone, Debug)]
pub(crate) struct BeforeSleep {
    pub(crate) habit: Habit,
    /// What is awaited, if it is the asynchronous hook. A blocking policy has only the other.
    pub(crate) future: Option<Awaited>,
}

/// What replaces the wait: it lets the delay pass, and then some.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sleeper {
    pub(crate) habit: Habit,
    /// Whether it lets the delay pass at all.
    pub(crate) is_lazy: bool,
    pub(crate) oversleeps: Duration,
    pub(crate) future: Awaited,
}

impl Sleeper {
    /// For where the thread would sleep in its place.
    fn without_panic(mut self) -> Self {
        self.habit.panics_at = None;
        self
    }
}

/// A hook's future.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Awaited {
    /// How often it is pending without anything to wait for.
    pub(crate) yields: u8,
    pub(crate) waits: Duration,
    /// Whether it panics at its end.
    pub(crate) panics: bool,
}

impl World {
    /// The same where every delay is zero, as [`Driver::Bare`] needs it.
    pub(crate) fn without_delays(&self) -> Self {
        let mut world = self.clone();
        if let Some(retry) = &mut world.policy.retry {
            let of_classes = retry.strategies.iter_mut().map(|(_, strategy)| strategy);
            for strategy in retry.strategy.iter_mut().chain(of_classes) {
                *strategy = strategy.without_delay();
            }
            retry.ignores_hints = true;
        }
        world
    }

    /// The driver of one call.
    pub(crate) fn driver(&self, call: usize, driver: Driver) -> Driver {
        if driver == Driver::Async && self.calls[call].blocks { Driver::Blocking } else { driver }
    }

    /// The retry component of the call's policy.
    pub(crate) fn retry(&self, call: usize) -> Option<&RetrySpec> {
        self.policy.retry.as_ref().filter(|_| !self.calls[call].is_once)
    }

    /// The time limits of the call's policy.
    pub(crate) fn times(&self, call: usize) -> Times {
        if self.calls[call].is_once { self.policy.once } else { self.policy.times }
    }

    /// What replaces the wait for calls of `owner`, on this driver.
    pub(crate) fn sleeper(&self, owner: Owner, driver: Driver) -> Option<Sleeper> {
        let set = self.hooks(owner).sleeper.clone();
        match (owner, driver) {
            (Owner::Policy, Driver::Blocking) => Some(set.unwrap_or_default().without_panic()),
            (Owner::Policy, Driver::Bare) => None,
            (Owner::Call(_), Driver::Blocking) => set.map(Sleeper::without_panic),
            (_, Driver::Async) | (Owner::Call(_), Driver::Bare) => set,
        }
    }

    pub(crate) fn hooks(&self, owner: Owner) -> &Hooks {
        match owner {
            Owner::Policy => &self.policy.hooks,
            Owner::Call(call) => &self.calls[call].hooks,
        }
    }
}

/// Whose hook it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    Policy,
    Call(usize),
}

impl World {
    /// Whether the breaker is shown the origin first. Some of what is counted, and the first call
    /// after a change of the mode, read the time early, and what a breaker sees first decides when
    /// its time ends.
    pub(crate) fn shows_the_origin(&self) -> bool {
        let PolicySpec { retry, breaker, .. } = &self.policy;
        let earns = retry.as_ref().and_then(|retry| retry.budget).is_some_and(|budget| budget.earned.is_some());
        let changes_mode = || self.acts.iter().any(|act| matches!(act, Act::Mode(_)));
        earns || breaker.as_ref().is_some_and(|spec| spec.more.is_some()) || changes_mode()
    }
}

impl RetrySpec {
    /// The strategy of classes without a class strategy.
    pub(crate) fn default_strategy(&self) -> Option<StrategySpec> {
        if self.strategies.is_empty() {
            return Some(self.strategy.clone().unwrap_or(StrategySpec::Fixed(Duration::ZERO)));
        }
        self.strategy.clone()
    }

    /// The class's own strategy; the last one given.
    pub(crate) fn own_strategy(&self, class: ErrorClass) -> Option<StrategySpec> {
        self.strategies.iter().rev().find(|(of, _)| *of == class).map(|(_, strategy)| strategy.clone())
    }
}

impl StrategySpec {
    fn without_delay(&self) -> Self {
        let zero = Duration::ZERO;
        match self {
            Self::Fixed(_) | Self::Hinted { .. } => Self::Fixed(zero),
            Self::Closure { panics_at, .. } => Self::Closure { delays: vec![zero], panics_at: *panics_at },
            Self::Doubling(_) => Self::Doubling(zero),
            Self::Learner { id, .. } => Self::Learner { id: *id, delay: zero },
        }
    }
}
