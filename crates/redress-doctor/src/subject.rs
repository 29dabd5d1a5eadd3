//! A policy as the checks see it: its settings, what is known about its use, and its worst cases.

use std::time::Duration;

use redress_core::ErrorClass;
use redress_core::breaker::BreakerSpec;
use redress_core::budget::BudgetSpec;
use redress_core::policy::{PolicyBreaker, PolicySpec, RetrySpec};
use redress_core::strategy::StrategySpec;

use crate::circumstances::{Circumstances, Traffic};
use crate::worst_case::WorstCase;

pub(crate) struct Subject<'a> {
    pub(crate) spec: &'a PolicySpec,
    pub(crate) circumstances: &'a Circumstances,
    pub(crate) worst: WorstCase,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(spec: &'a PolicySpec, circumstances: &'a Circumstances) -> Self {
        Self { spec, circumstances, worst: WorstCase::of(spec) }
    }

    /// The retry component, if it allows a retry.
    pub(crate) fn retry(&self) -> Option<&'a RetrySpec> {
        self.spec.retry.as_ref().filter(|retry| retry.max_attempts > 1)
    }

    /// The most retries of a call.
    pub(crate) const fn retries(&self) -> u32 {
        self.worst.calls - 1
    }

    pub(crate) fn budget(&self) -> Option<&'a BudgetSpec> {
        self.retry()?.budget.as_ref()
    }

    pub(crate) fn breaker(&self) -> Option<&'a BreakerSpec> {
        match &self.spec.breaker {
            Some(PolicyBreaker::Circuit(breaker)) => Some(breaker),
            _ => None,
        }
    }

    /// The traffic, if there is any.
    pub(crate) fn traffic(&self) -> Option<Traffic> {
        self.circumstances.traffic.filter(|traffic| traffic.calls_per_second > 0.0)
    }

    /// Whether an attempt that never answers is ended by something.
    pub(crate) fn ends_attempts(&self) -> bool {
        let by_deadline = self.spec.deadline.is_some() && !self.spec.finish_running_attempt;
        !self.circumstances.blocking && (self.spec.attempt_timeout.is_some() || by_deadline)
    }

    /// The strategies that are set, with the class of those for one class.
    pub(crate) fn strategies(&self) -> impl Iterator<Item = (Option<ErrorClass>, &'a StrategySpec)> {
        let retry = self.retry();
        let of_classes = retry.into_iter().flat_map(|retry| retry.strategies.iter());
        let of_classes = of_classes.filter_map(|(class, strategy)| Some((Some(class), strategy.as_ref()?)));
        retry.and_then(|retry| retry.strategy.as_ref()).map(|strategy| (None, strategy)).into_iter().chain(of_classes)
    }

    /// The longest time that the waits of a call take together whose failures are in these classes,
    /// without hints.
    pub(crate) fn longest_waits(&self, counts: impl Fn(ErrorClass) -> bool) -> Option<Duration> {
        let mut spec = self.spec.clone();
        spec.attempt_timeout = Some(Duration::ZERO);
        if let Some(retry) = &mut spec.retry {
            for class in ErrorClass::ALL.iter().copied().filter(|class| !counts(*class)) {
                retry.max_retries_for[class] = Some(0);
            }
        }
        WorstCase::without_hints(&spec).time
    }
}
