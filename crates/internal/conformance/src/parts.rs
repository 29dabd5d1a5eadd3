//! Translates a scenario's configuration into parts of redress: the policy, and the operation's
//! results with their classifier.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redress_core::breaker::CircuitBreakerBuilder;
use redress_core::classify::ArcClassifier;
use redress_core::error::{AbortRetryError, StatusError};
use redress_core::policy::{PolicyBuilder, RetryBuilder};
use redress_core::strategy::{BackoffContext, Strategy, adaptive};
use redress_core::{
    Budget, CircuitBreaker, Classification, ConfigError, ErrorClass, Retry, default_classifier, retry_after_or,
};

use crate::class_name::ClassName;
use crate::number::{Seconds, duration};
use crate::scenario::{AttemptEnd, AttemptSpec, BreakerSpec, BudgetSpec, RetrySpec, Scenario, StrategySpec};

/// The value that an attempt returns, with its number and its classification.
#[derive(Clone, Debug)]
pub(crate) struct Returned {
    pub(crate) attempt: u32,
    classification: Option<Classification>,
}

/// The error of an attempt.
#[derive(Debug)]
pub(crate) struct Raised {
    pub(crate) attempt: u32,
    classification: Classification,
    /// Read by the default classifier.
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attempt {} failed", self.attempt)
    }
}

impl Error for Raised {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

pub(crate) type ScenarioClassifier = ArcClassifier<Returned, Raised>;

/// The result of attempt `number` of a call.
pub(crate) fn result_of(spec: &AttemptSpec, number: u32) -> Result<Returned, Raised> {
    match spec.end {
        AttemptEnd::Ok => Ok(Returned { attempt: number, classification: None }),
        AttemptEnd::Result(ClassName(class), hint) => {
            Ok(Returned { attempt: number, classification: Some(classification(class, hint)) })
        }
        AttemptEnd::Error(ClassName(class), hint) => Err(Raised {
            attempt: number,
            classification: classification(class, hint),
            source: status_of(class).map(|status| Box::new(StatusError::new(status)) as _),
        }),
        AttemptEnd::Abort => Err(Raised {
            attempt: number,
            classification: Classification::abort(),
            source: Some(Box::new(AbortRetryError::new("scripted"))),
        }),
    }
}

fn classification(class: ErrorClass, hint: Option<Seconds>) -> Classification {
    Classification::new(class).with_retry_after(hint.and_then(Seconds::hint))
}

/// The status that makes the default classifier find this class, as the format defines it.
fn status_of(class: ErrorClass) -> Option<u16> {
    match class {
        ErrorClass::Auth => Some(401),
        ErrorClass::Permission => Some(403),
        ErrorClass::Permanent => Some(400),
        ErrorClass::Concurrency => Some(409),
        ErrorClass::RateLimit => Some(429),
        ErrorClass::ServerError => Some(500),
        ErrorClass::Transient => Some(408),
        _ => None,
    }
}

fn classifier(scenario: &Scenario) -> ScenarioClassifier {
    if scenario.retry.is_none() {
        return ArcClassifier::new(default_classifier());
    }
    ArcClassifier::new(|result: &Result<Returned, Raised>| match result {
        Ok(value) => value.classification.clone(),
        Err(error) => Some(error.classification.clone()),
    })
}

/// The budget of a scenario, returned so that the caller can read it.
pub(crate) fn budget(scenario: &Scenario) -> Option<Budget> {
    let BudgetSpec { max_retries, window_s } = scenario.budget.as_ref()?;
    Some(must_build(scenario, Budget::new(*max_retries, duration(*window_s))))
}

/// Adds a scenario's parts to a policy builder of either kind.
pub(crate) fn configure<K>(
    mut builder: PolicyBuilder<redress_core::classify::DefaultClassifier, K>,
    scenario: &Scenario,
    budget: Option<&Budget>,
) -> PolicyBuilder<ScenarioClassifier, K> {
    if let Some(spec) = &scenario.retry {
        // In the recordings, the deadline does not cut a running attempt; see `FORMAT.md`.
        builder = builder.retry(retry(spec, budget)).deadline(duration(spec.deadline_s)).finish_running_attempt();
    }
    if let Some(spec) = &scenario.breaker {
        builder = builder.circuit_breaker(breaker(spec));
    }
    builder.classifier(classifier(scenario))
}

/// The format leaves refused configurations out, so an error is a defect of the scenario or of the
/// rules.
pub(crate) fn must_build<P>(scenario: &Scenario, built: Result<P, ConfigError>) -> P {
    built.unwrap_or_else(|refused| panic!("scenario {}: {refused}", scenario.id))
}

fn retry(spec: &RetrySpec, budget: Option<&Budget>) -> RetryBuilder {
    let mut builder = Retry::builder()
        .max_attempts(spec.max_attempts)
        // The recordings have no such floor; see `FORMAT.md`.
        .ignore_retry_after();
    builder = match spec.max_unknown_attempts {
        Some(cap) => builder.max_unknown_retries(cap),
        None => builder.unlimited_unknown_retries(),
    };
    for (ClassName(class), cap) in &spec.per_class_max_attempts {
        builder = builder.max_retries_for(*class, *cap);
    }
    if let Some(spec) = &spec.strategy {
        builder = builder.strategy(strategy(spec));
    }
    for (ClassName(class), spec) in spec.strategies.iter().flatten() {
        builder = builder.strategy_for(*class, strategy(spec));
    }
    match budget {
        Some(budget) => builder.budget(budget.clone()),
        None => builder,
    }
}

fn breaker(spec: &BreakerSpec) -> CircuitBreakerBuilder {
    let mut builder = CircuitBreaker::builder()
        .failure_threshold(spec.failure_threshold)
        .window(duration(spec.window_s))
        .recovery_timeout(duration(spec.recovery_timeout_s));
    if let Some(classes) = &spec.trip_on {
        builder = builder.trip_on(classes.iter().map(|ClassName(class)| *class));
    }
    for (ClassName(class), threshold) in spec.class_thresholds.iter().flatten() {
        builder = builder.class_threshold(*class, *threshold);
    }
    builder
}

fn strategy(spec: &StrategySpec) -> Arc<dyn Strategy> {
    match spec {
        StrategySpec::Fixed { sleeps, default } => scripted(sleeps, *default),
        StrategySpec::RetryAfterOr { jitter_s, fallback } => {
            Arc::new(retry_after_or(strategy(fallback)).jitter(duration(*jitter_s)))
        }
        StrategySpec::Adaptive { window_s, target_success, min_multiplier, max_multiplier, fallback } => Arc::new(
            adaptive(strategy(fallback))
                .window(duration(*window_s))
                .target_success(*target_success)
                .min_multiplier(*min_multiplier)
                .max_multiplier(*max_multiplier),
        ),
    }
}

/// The format's `fixed`: a delay for each attempt, then the default, else the last one.
fn scripted(sleeps: &[Seconds], default: Option<Seconds>) -> Arc<dyn Strategy> {
    let sleeps: Vec<Duration> = sleeps.iter().map(|sleep| sleep.delay()).collect();
    let beyond = default.map(Seconds::delay).or_else(|| sleeps.last().copied()).unwrap_or_default();
    Arc::new(move |context: &BackoffContext<'_>| {
        let index = usize::try_from(context.attempt).unwrap_or(usize::MAX) - 1;
        sleeps.get(index).copied().unwrap_or(beyond)
    })
}
