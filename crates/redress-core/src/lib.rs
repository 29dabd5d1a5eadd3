//! The engine of redress: every failure is classified once, and retry, backoff, circuit breaker, budget and deadline all
//! act on that class.
//!
//! Most users depend on the facade crate `redress`, which re-exports everything here. Depend on this crate to write a
//! driver, a timer, a classifier or an observer.
//!
//! In reading order: what a failure is (`classify`), how long to wait (`strategy`), what calls share (`budget`,
//! `breaker`), one call's decisions (`engine`), what it tells (`outcome`), what a user configures (`policy`), and the
//! drivers that run operations and wait (`drive`).
//!
//! The crate has no runtime and no features, and depends on `fastrand`, `pin-project-lite` and `thiserror` alone.

#![forbid(unsafe_code)]

mod closed_set;
mod sync;

mod classify;
mod strategy;
mod budget;
mod breaker;
mod engine;
mod outcome;
mod policy;
mod drive;

#[cfg(all(test, loom))]
mod loom;

pub use crate::breaker::{
    Admission, Breaker, BreakerSource, BreakerSpec, CircuitBreaker, CircuitBreakerBuilder, CircuitState, Permit,
    ProbeLease, Report, Transition,
};
pub use crate::budget::cell::Budget;
pub use crate::budget::spec::BudgetSpec;
pub use crate::classify::class::{ErrorClass, PerClass};
pub use crate::classify::classification::Classification;
pub use crate::classify::classifier::{
    ArcClassifier, Classifier, ErrorClassifier, OrElse, ResultClassifier, error_classifier, result_classifier,
};
pub use crate::classify::default_classifier::{
    BoxedClassifier, DefaultClassifier, boxed_classifier, default_classifier, strict_classifier,
};
pub use crate::classify::marker::{ConcurrencyError, PermanentError, RateLimitError, ServerError};
pub use crate::classify::source_chain::source_chain;
pub use crate::classify::status::StatusError;
pub use crate::drive::attempt::Attempt;
pub use crate::drive::caller::{AsyncCaller, Caller, NamedCaller};
pub use crate::drive::clock::Clock;
pub use crate::drive::poll_call::{PollCall, PollOperation};
pub use crate::drive::timer::{InstantTimer, NoTimer, Timer};
pub use crate::outcome::abort_error::AbortRetryError;
pub use crate::outcome::boxed_error::BoxError;
pub use crate::outcome::call_error::CallError;
pub use crate::outcome::call_error_kinds::{AbortedError, FailedError, RetryExhaustedError};
pub use crate::outcome::call_outcome::CallOutcome;
pub use crate::outcome::circuit_open_error::CircuitOpenError;
pub use crate::outcome::event::{Event, EventName};
pub use crate::outcome::failure::{Cause, Failure};
pub use crate::outcome::observer::{AttemptContext, AttemptDecision, CallObserver, CallStart, Observer};
pub use crate::outcome::retry_outcome::RetryOutcome;
pub use crate::outcome::stop_reason::StopReason;
pub use crate::outcome::summary::OutcomeSummary;
pub use crate::outcome::timeline::{RetryTimeline, TimelineEvent};
pub use crate::policy::builder::{Async, Blocking, PolicyBuilder};
pub use crate::policy::config_error::{ConfigError, ConfigIssue};
pub use crate::policy::context::{CallContext, Deadline};
pub use crate::policy::policies::{AsyncPolicy, AsyncRetryPolicy, Policy, RetryPolicy};
pub use crate::policy::retry::{Retry, RetryBuilder};
pub use crate::policy::retry_spec::RetrySpec;
pub use crate::policy::sleep_decision::{HookFuture, SleepDecision};
pub use crate::policy::spec::{PolicyBreaker, PolicySpec};
pub use crate::strategy::{
    Adaptive, BackoffContext, DecorrelatedJitter, Exponential, Feedback, Fixed, Jitter, RetryAfterOr, Strategy,
    StrategySpec, adaptive, decorrelated_jitter, equal_jitter, exponential, fixed, retry_after_or, token_backoff,
};
