//! The compiled form of a policy: validated, with an entry for every class, free of user types.
//!
//! A [`Plan`] holds the breaker and the budget of one policy and a copy of the data that every call
//! reads first. The rest is in a [`CompiledPolicy`], which policies that differ in nothing else
//! share.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::breaker::{BreakerChoice, CircuitBreaker};
use crate::budget::cell::Budget;
use crate::classify::class::PerClass;
use crate::classify::classification::Classification;
use crate::drive::attempt::Attempt;
use crate::drive::clock::ClockChoice;
use crate::engine::{Flags, Guard};
use crate::policy::config_error::{Check, ConfigIssue};
use crate::policy::hooks::Hooks;
use crate::policy::retry::Retry;
use crate::policy::retry_spec::RetrySpec;
use crate::policy::spec::{PolicyBreaker, PolicySpec};
use crate::strategy::Strategy;
use crate::stripes::Thread;

/// Stands for no cap. Failure counters saturate at this number.
const UNCAPPED: u16 = u16::MAX;

/// The largest cap that differs from [`UNCAPPED`].
pub(crate) const MAX_CAP: u32 = UNCAPPED as u32 - 1;

/// One policy: a breaker, a budget and shared compiled settings. Clones are the same policy.
#[derive(Clone)]
pub(crate) struct Plan {
    compiled: Arc<CompiledPolicy>,
    pub(crate) breaker: Option<BreakerChoice>,
    pub(crate) budget: Option<Budget>,
    pub(crate) warnings: Arc<[ConfigIssue]>,
    pub(crate) flags: Flags,
    /// The time limit of the first attempt, which starts with the call.
    first_time_left: Option<Duration>,
}

/// A policy's settings as the engine reads them, without the breaker and the budget.
pub(crate) struct CompiledPolicy {
    /// The settings it was built from, without the breaker.
    spec: PolicySpec,
    pub(crate) max_attempts: u32,
    /// How many failures of each class may be retried.
    pub(crate) class_caps: PerClass<u16>,
    pub(crate) unknown_cap: u16,
    pub(crate) deadline: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    ignore_retry_after: bool,
    max_retry_after: Duration,
    pub(crate) strategies: PerClass<Option<Arc<dyn Strategy>>>,
    /// The distinct strategies that learn from results.
    pub(crate) learners: Vec<Arc<dyn Strategy>>,
    /// Present if the policy acts on calls within calls.
    pub(crate) guard: Option<Box<Guard>>,
    pub(crate) hooks: Hooks<'static>,
    pub(crate) clock: ClockChoice,
}

impl Deref for Plan {
    type Target = CompiledPolicy;

    #[inline]
    fn deref(&self) -> &CompiledPolicy {
        &self.compiled
    }
}

impl CompiledPolicy {
    /// Compiles a policy. Without a `retry` it makes one attempt. `spec` holds all other settings.
    pub(crate) fn new(mut spec: PolicySpec, retry: Option<&Retry>, hooks: Hooks<'static>, clock: ClockChoice) -> Self {
        spec.retry = retry.map(|retry| retry.spec().clone());
        let settings = spec.retry.clone().unwrap_or_else(RetrySpec::once);
        let strategies = retry.cloned().unwrap_or_default().strategies();
        Self {
            max_attempts: settings.max_attempts,
            class_caps: PerClass::from_fn(|class| cap(settings.max_retries_for[class])),
            unknown_cap: cap(settings.max_unknown_retries),
            deadline: spec.deadline,
            attempt_timeout: spec.attempt_timeout,
            ignore_retry_after: settings.ignore_retry_after,
            max_retry_after: settings.max_retry_after.unwrap_or(Duration::MAX),
            learners: learners(&strategies),
            strategies,
            guard: spec.nested.map(|nested| Box::new(Guard::new(nested, spec.ignore_inherited_deadline))),
            hooks,
            clock,
            spec,
        }
    }

    fn flags(&self, budget: Option<&Budget>) -> Flags {
        let earns = budget.is_some_and(Budget::is_earned);
        let (learns, is_framed) = (!self.learners.is_empty(), self.guard.is_some());
        Flags::of_plan(&self.hooks, learns, self.deadline.is_some(), earns, is_framed)
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.spec.name.as_deref()
    }

    /// Whether a driver cuts attempts at their time limit. The deadline alone is such a limit,
    /// unless running attempts may finish.
    #[inline]
    pub(crate) const fn cuts_attempts(&self) -> bool {
        self.attempt_timeout.is_some() || !self.spec.finish_running_attempt
    }

    /// Whether hints are a lower bound of waits.
    pub(crate) const fn reads_hints(&self) -> bool {
        !self.ignore_retry_after
    }

    /// The lower bound of the wait after a failure with this hint.
    pub(crate) fn hint_floor(&self, hint: Duration) -> Duration {
        if self.ignore_retry_after { Duration::ZERO } else { hint }
    }

    /// The classification as used for waits, with its hint capped at `max_retry_after`.
    #[inline]
    pub(crate) fn heeded<'c>(&self, classification: &'c Classification) -> Cow<'c, Classification> {
        if self.shortens(classification) {
            Cow::Owned(classification.clone().with_retry_after(self.max_retry_after))
        } else {
            Cow::Borrowed(classification)
        }
    }

    #[inline]
    pub(crate) fn shortens(&self, classification: &Classification) -> bool {
        classification.retry_after().is_some_and(|hint| hint > self.max_retry_after)
    }
}

impl Plan {
    pub(crate) fn new(compiled: Arc<CompiledPolicy>, breaker: Option<BreakerChoice>, budget: Option<Budget>) -> Self {
        let CompiledPolicy { deadline, attempt_timeout, .. } = *compiled;
        let flags = compiled.flags(budget.as_ref());
        let judges = compiled.spec.judge_attempts;
        let of_breaker = breaker.as_ref().map(|breaker| Flags::of_breaker(breaker, judges));
        Self {
            flags: flags.with(of_breaker.unwrap_or(Flags::NONE)),
            first_time_left: shorter(attempt_timeout, deadline),
            warnings: warnings(&compiled.spec, breaker.as_ref()),
            breaker,
            budget,
            compiled,
        }
    }

    /// Pays the budget for the success of a call with these flags, if successes do. `thread` is the
    /// running one.
    #[inline]
    pub(crate) fn deposit(&self, flags: Flags, thread: Thread) {
        if let (true, Some(budget)) = (flags.has(Flags::EARNS), &self.budget) {
            budget.deposit_of(thread);
        }
    }

    /// Counts a success with the closed breaker that admitted the call in this generation, from
    /// when it `began`.
    #[inline(never)]
    pub(crate) fn tell_success(&self, generation: u64, began: Option<Instant>, thread: Thread) {
        if let Some(BreakerChoice::Circuit(breaker)) = &self.breaker {
            breaker.succeed_closed(generation, began, thread);
        }
    }

    /// The same settings with another breaker.
    pub(crate) fn with_breaker(&self, breaker: BreakerChoice) -> Self {
        Self::new(Arc::clone(&self.compiled), Some(breaker), self.budget.clone())
    }

    /// The same settings with another budget.
    pub(crate) fn with_budget(&self, budget: Budget) -> Self {
        Self::new(Arc::clone(&self.compiled), self.breaker.clone(), Some(budget))
    }

    /// The same policy with another breaker that has the same settings as its own, so that the
    /// warnings are the same.
    pub(crate) fn guarded_by(&self, breaker: &CircuitBreaker) -> Self {
        Self { breaker: Some(BreakerChoice::Circuit(breaker.clone())), ..self.clone() }
    }

    pub(crate) fn without_breaker(&self) -> Self {
        Self::new(Arc::clone(&self.compiled), None, self.budget.clone())
    }

    /// Whether the two differ in their breaker at most.
    pub(crate) fn has_settings_of(&self, other: &Self) -> bool {
        let have_one_budget = match (&self.budget, &other.budget) {
            (Some(own), Some(other)) => own.is_same_as(other),
            (own, other) => own.is_none() && other.is_none(),
        };
        have_one_budget && Arc::ptr_eq(&self.compiled, &other.compiled)
    }

    /// The settings the policy was built from, as plain data.
    pub(crate) fn spec(&self) -> PolicySpec {
        let breaker = self.breaker.as_ref().map(|breaker| match breaker {
            BreakerChoice::Circuit(breaker) => PolicyBreaker::Circuit(breaker.spec()),
            BreakerChoice::Other(_) => PolicyBreaker::Custom,
        });
        let mut spec = PolicySpec { breaker, ..self.compiled.spec.clone() };
        if let (Some(retry), Some(budget)) = (&mut spec.retry, &self.budget) {
            retry.budget = Some(budget.spec());
        }
        spec
    }

    #[inline]
    pub(crate) fn first_attempt(&self) -> Attempt {
        Attempt::new(1, self.first_time_left)
    }

    /// Whether there is no breaker, or a closed [`CircuitBreaker`](crate::CircuitBreaker) that
    /// wants to know of failures alone. Stores the breaker's generation.
    #[inline]
    pub(crate) fn admits_fast(&self, generation: &mut u64) -> bool {
        match &self.breaker {
            None => true,
            Some(BreakerChoice::Circuit(breaker)) => breaker.admit_quietly(generation),
            Some(BreakerChoice::Other(_)) => false,
        }
    }

    /// Whether there is no breaker, or a closed [`CircuitBreaker`](crate::CircuitBreaker) that
    /// wants to know no more than a call with these flags tells. Stores the breaker's generation.
    #[inline]
    pub(crate) fn admits_counted(&self, flags: Flags, generation: &mut u64) -> bool {
        match &self.breaker {
            None => true,
            Some(BreakerChoice::Circuit(breaker)) => {
                breaker.admit_counted(generation, flags.has(Flags::COUNTED), flags.has(Flags::STARTED))
            }
            Some(BreakerChoice::Other(_)) => false,
        }
    }
}

fn warnings(spec: &PolicySpec, breaker: Option<&BreakerChoice>) -> Arc<[ConfigIssue]> {
    let mut check = Check::default();
    check.extend(spec.warnings());
    if breaker.is_some() {
        spec.warn_of_breaker(&mut check);
    }
    if let Some(BreakerChoice::Circuit(breaker)) = breaker {
        check.extend(breaker.warnings());
    }
    let issues = check.into_issues();
    // `Arc::default()` does not allocate for an empty slice.
    if issues.is_empty() { Arc::default() } else { issues.into() }
}

/// The shorter of two limits; `None` is no limit.
#[inline]
pub(crate) fn shorter(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (limit, None) | (None, limit) => limit,
    }
}

/// `None` is no cap. Validation has refused caps above [`MAX_CAP`].
fn cap(retries: Option<u32>) -> u16 {
    retries.and_then(|retries| u16::try_from(retries).ok()).unwrap_or(UNCAPPED)
}

fn learners(strategies: &PerClass<Option<Arc<dyn Strategy>>>) -> Vec<Arc<dyn Strategy>> {
    let mut learners: Vec<Arc<dyn Strategy>> = Vec::new();
    for strategy in strategies.iter().filter_map(|(_, strategy)| strategy.as_ref()).filter(|strategy| strategy.learns())
    {
        // One strategy may serve several classes, and is notified of a success once.
        if !learners.iter().any(|known| known.learns_at() == strategy.learns_at()) {
            learners.push(Arc::clone(strategy));
        }
    }
    learners
}
