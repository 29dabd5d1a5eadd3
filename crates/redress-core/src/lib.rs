//! The engine of redress: every failure is classified once, and retry, backoff, circuit breaker, budget and deadline all
//! act on that class.
//!
//! Most users depend on the facade crate `redress`, which re-exports everything here. Depend on this crate to write a
//! driver, a timer, a classifier or an observer.
//!
//! In reading order: what a failure is (`class`, `classification`, `classifier`), how long to wait (`strategy`), what
//! calls share (`budget`, `breaker`), one call's decisions (`engine`), and the two drivers that run operations and wait
//! (`blocking`, `asynchronous`).
//!
//! The crate has no runtime and no features, and depends on `fastrand` alone.

#![forbid(unsafe_code)]

mod class;
mod status;
mod classification;
mod classifier;
mod marker;
mod source_chain;
mod default_classifier;

mod strategy;

mod sync;
mod clock;
mod window;
mod budget;
mod breaker;

mod engine;
mod stop_reason;
mod event;
mod observer;
mod timeline;
mod outcome;
mod error;

mod config;
mod retry;
mod sleep;
mod hooks;
mod plan;
mod policy;
mod policy_builder;
mod call;

mod attempt;
mod driver;
mod blocking;
mod timer;
mod hooked;

mod asynchronous;
mod course;
mod driven;
mod caller;

#[cfg(all(test, loom))]
mod models;

pub use crate::attempt::Attempt;
pub use crate::breaker::{
    Admission, Breaker, BreakerSource, CircuitBreaker, CircuitBreakerBuilder, CircuitState, Permit, Report, Transition,
};
pub use crate::budget::Budget;
pub use crate::call::CallContext;
pub use crate::caller::{AsyncCaller, Caller, NamedCaller};
pub use crate::class::{ErrorClass, PerClass};
pub use crate::classification::Classification;
pub use crate::classifier::{
    ArcClassifier, Classifier, ErrorClassifier, OrElse, ResultClassifier, error_classifier, result_classifier,
};
pub use crate::clock::Clock;
pub use crate::config::{ConfigError, ConfigIssue};
pub use crate::default_classifier::{
    BoxedClassifier, DefaultClassifier, boxed_classifier, default_classifier, strict_classifier,
};
pub use crate::driven::{DrivenCall, Operation};
pub use crate::error::{
    AbortRetry, AbortRetryError, AbortedError, BoxError, CallError, CallResult, CircuitOpenError, FailedError,
    RetryExhaustedError,
};
pub use crate::event::{Event, EventName};
pub use crate::marker::{ConcurrencyError, PermanentError, RateLimitError, ServerError};
pub use crate::observer::{AttemptContext, AttemptDecision, CallObserver, CallStart, Observer};
pub use crate::outcome::{Cause, Failure, OutcomeSummary, RetryOutcome};
pub use crate::policy::{AsyncPolicy, AsyncRetryPolicy, Policy, RetryPolicy};
pub use crate::policy_builder::{Async, Blocking, PolicyBuilder};
pub use crate::retry::{Retry, RetryBuilder, RetryConfig};
pub use crate::sleep::{HookFuture, SleepDecision};
pub use crate::source_chain::source_chain;
pub use crate::status::StatusError;
pub use crate::stop_reason::StopReason;
pub use crate::strategy::{
    Adaptive, BackoffContext, DecorrelatedJitter, EqualJitter, Feedback, Fixed, RetryAfterOr, Strategy, TokenBackoff,
    adaptive, decorrelated_jitter, equal_jitter, fixed, retry_after_or, token_backoff,
};
pub use crate::timeline::{RetryTimeline, TimelineEvent};
pub use crate::timer::{InstantTimer, NoTimer, Timer};
