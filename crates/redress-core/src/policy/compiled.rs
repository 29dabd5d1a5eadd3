//! A policy's settings as the engine reads them: validated, total, without the caller's types.
//!
//! Owns the compiled form of a policy. Built once, by `builder.rs`; nothing here changes afterwards.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::breaker::BreakerChoice;
use crate::budget::cell::Budget;
use crate::classify::class::{ErrorClass, PerClass};
use crate::drive::attempt::Attempt;
use crate::drive::clock::ClockChoice;
use crate::engine::Flags;
use crate::policy::config_error::{Check, ConfigIssue};
use crate::policy::hooks::Hooks;
use crate::policy::retry::RetryConfig;
use crate::strategy::{Strategy, default_strategy};

/// No cap: failures are counted up to this number and never beyond.
const UNCAPPED: u16 = u16::MAX;

/// The largest cap that can be told from none.
pub(crate) const MAX_CAP: u32 = UNCAPPED as u32 - 1;

/// The time limits that a policy sets itself, over those of its retry component.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TimeLimits {
    /// `Some(None)` is no deadline.
    pub(crate) deadline: Option<Option<Duration>>,
    pub(crate) attempt_timeout: Option<Duration>,
}

impl TimeLimits {
    pub(crate) fn check(self, check: &mut Check) {
        if let Some(Some(deadline)) = self.deadline {
            check.duration("policy.deadline", deadline);
        }
        if let Some(timeout) = self.attempt_timeout {
            check.duration("policy.attempt_timeout", timeout);
        }
    }

    fn apply(self, retry: &mut RetryConfig) {
        if let Some(deadline) = self.deadline {
            retry.deadline = deadline;
        }
        if self.attempt_timeout.is_some() {
            retry.attempt_timeout = self.attempt_timeout;
        }
    }
}

pub(crate) struct Plan {
    pub(crate) name: Option<Cow<'static, str>>,
    pub(crate) flags: Flags,
    pub(crate) max_attempts: u32,
    /// Failures of a class that may be retried.
    pub(crate) class_caps: PerClass<u16>,
    pub(crate) unknown_cap: u16,
    pub(crate) deadline: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) finish_running_attempt: bool,
    ignore_retry_after: bool,
    max_retry_after: Duration,
    /// The time the first attempt has: nothing of the deadline has passed.
    first_time_left: Option<Duration>,
    pub(crate) strategies: PerClass<Option<Arc<dyn Strategy>>>,
    /// The strategies that learn, each once.
    pub(crate) learners: Vec<Arc<dyn Strategy>>,
    pub(crate) budget: Option<Budget>,
    pub(crate) breaker: Option<BreakerChoice>,
    pub(crate) hooks: Hooks<'static>,
    pub(crate) clock: ClockChoice,
    pub(crate) warnings: Vec<ConfigIssue>,
}

impl Plan {
    /// `retry: None` is a policy of one attempt.
    pub(crate) fn new(
        name: Option<Cow<'static, str>>,
        retry: Option<&RetryConfig>,
        limits: TimeLimits,
        breaker: Option<BreakerChoice>,
        hooks: Hooks<'static>,
        clock: ClockChoice,
    ) -> Self {
        let mut retry = retry.cloned().unwrap_or_else(RetryConfig::once);
        limits.apply(&mut retry);
        let retry = &retry;
        let strategies = strategies(retry);
        let learners = learners(retry);
        let flags = Flags::of_plan(&hooks, !learners.is_empty(), retry.deadline.is_some());
        let mut warnings = retry.warnings();
        if breaker.is_some() && retry.deadline.is_none() && retry.attempt_timeout.is_none() {
            warnings.push(ConfigIssue::new(
                "policy.attempt_timeout",
                format_args!("none"),
                "be set, or a deadline: without either the breaker never hears of an attempt that hangs",
            ));
        }
        if let Some(BreakerChoice::Circuit(breaker)) = &breaker {
            warnings.extend_from_slice(breaker.warnings());
        }
        Self {
            name,
            flags,
            max_attempts: retry.max_attempts,
            class_caps: PerClass::from_fn(|class| cap(retry.max_retries_for[class])),
            unknown_cap: cap(retry.max_unknown_retries),
            deadline: retry.deadline,
            attempt_timeout: retry.attempt_timeout,
            finish_running_attempt: retry.finish_running_attempt,
            ignore_retry_after: retry.ignore_retry_after,
            max_retry_after: retry.max_retry_after.unwrap_or(Duration::MAX),
            first_time_left: shorter(retry.attempt_timeout, retry.deadline),
            strategies,
            learners,
            budget: retry.budget.clone(),
            breaker,
            hooks,
            clock,
            warnings,
        }
    }
}

impl Plan {
    /// Whether a driver cuts attempts that run into their time: the deadline alone does too, unless it lets them finish.
    #[inline]
    pub(crate) const fn cuts_attempts(&self) -> bool {
        self.attempt_timeout.is_some() || !self.finish_running_attempt
    }

    /// The least wait that a hint asks for.
    pub(crate) fn hint_floor(&self, hint: Duration) -> Duration {
        if self.ignore_retry_after { Duration::ZERO } else { hint.min(self.max_retry_after) }
    }

    #[inline]
    pub(crate) fn first_attempt(&self) -> Attempt {
        Attempt::new(1, self.first_time_left)
    }

    /// Whether no breaker, or one that is simply closed, stands before a call; stores its generation.
    #[inline]
    pub(crate) fn admits_fast(&self, generation: &mut u64) -> bool {
        match &self.breaker {
            None => true,
            Some(BreakerChoice::Circuit(breaker)) => match breaker.admit_closed() {
                Some(closed) => {
                    *generation = closed;
                    true
                }
                None => false,
            },
            Some(BreakerChoice::Other(_)) => false,
        }
    }
}

/// The shorter of two limits, where `None` is no limit.
#[inline]
pub(crate) fn shorter(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (limit, None) | (None, limit) => limit,
    }
}

/// `None` is no cap. Larger ones than [`MAX_CAP`] were refused.
fn cap(retries: Option<u32>) -> u16 {
    retries.and_then(|retries| u16::try_from(retries).ok()).unwrap_or(UNCAPPED)
}

/// Classes without a strategy of their own have the default one, unless the user chose strategies for some classes only.
fn strategies(retry: &RetryConfig) -> PerClass<Option<Arc<dyn Strategy>>> {
    let of_some = retry.strategies.iter().any(|(_, strategy)| strategy.is_some());
    let default = retry.strategy.clone().or_else(|| (!of_some).then(default_strategy));
    PerClass::from_fn(|class| retry.strategies[class].clone().or_else(|| default.clone()))
}

fn learners(retry: &RetryConfig) -> Vec<Arc<dyn Strategy>> {
    let of_classes = ErrorClass::ALL.iter().filter_map(|class| retry.strategies[*class].as_ref());
    let all = retry.strategy.iter().chain(of_classes).filter(|strategy| strategy.learns());
    let mut learners: Vec<Arc<dyn Strategy>> = Vec::new();
    for strategy in all {
        // One object may serve several classes; it is to hear of a success once.
        if !learners.iter().any(|known| known.learns_at() == strategy.learns_at()) {
            learners.push(Arc::clone(strategy));
        }
    }
    learners
}
