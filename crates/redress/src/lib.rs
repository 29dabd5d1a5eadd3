#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "async-std")]
pub use redress_async_std as async_std;
pub use redress_core as core;
pub use redress_core::{
    AbortRetryError, AbortedError, Adaptive, Admission, ArcClassifier, Async, AsyncCaller, Attempt, AttemptContext,
    AttemptDecision, BackoffContext, Blocking, BoxError, BoxedClassifier, Breaker, BreakerSource, BreakerSpec, Budget,
    BudgetSpec, CallContext, CallError, CallObserver, CallOutcome, CallStart, Caller, Cause, CircuitBreaker,
    CircuitBreakerBuilder, CircuitOpenError, CircuitState, Classification, Classifier, Clock, ConcurrencyError,
    ConfigError, ConfigIssue, Deadline, DecorrelatedJitter, DefaultClassifier, ErrorClass, ErrorClassifier, Event,
    EventName, Exponential, FailedError, Failure, Feedback, Fixed, HookFuture, InstantTimer, Jitter, NamedCaller,
    NoTimer, Observer, OrElse, OutcomeSummary, PerClass, PermanentError, Permit, Policy, PolicyBreaker, PolicyBuilder,
    PolicySpec, PollCall, PollOperation, ProbeLease, RateLimitError, Report, ResultClassifier, Retry, RetryAfterOr,
    RetryBuilder, RetryExhaustedError, RetryOutcome, RetryPolicy, RetrySpec, RetryTimeline, ServerError, SleepDecision,
    StatusError, StopReason, Strategy, StrategySpec, TimelineEvent, Timer, Transition, adaptive, boxed_classifier,
    decorrelated_jitter, default_classifier, equal_jitter, error_classifier, exponential, fixed, result_classifier,
    retry_after_or, source_chain, strict_classifier, token_backoff,
};
#[cfg(feature = "http")]
pub use redress_http as http;
#[cfg(feature = "hyper")]
pub use redress_hyper as hyper;
#[cfg(feature = "metrics")]
pub use redress_metrics as metrics;
#[cfg(feature = "opentelemetry")]
pub use redress_opentelemetry as opentelemetry;
#[cfg(feature = "smol")]
pub use redress_smol as smol;
#[cfg(feature = "tokio")]
pub use redress_tokio as tokio;
#[cfg(feature = "tonic")]
pub use redress_tonic as tonic;
#[cfg(feature = "tower")]
pub use redress_tower as tower;
#[cfg(feature = "tracing")]
pub use redress_tracing as tracing;

/// [`redress::core::AsyncPolicy`](core::AsyncPolicy) before a timer is chosen: `AsyncPolicy::builder().timer(MyTimer)`.
///
/// On a runtime that redress knows take that runtime's policy, such as `redress::tokio::AsyncPolicy`; with a timer of your own, name
/// the result `redress::core::AsyncPolicy<DefaultClassifier, MyTimer>`.
pub type AsyncPolicy<C = DefaultClassifier> = core::AsyncPolicy<C, NoTimer>;

/// Another name for [`AsyncPolicy`], for fields and signatures where nothing but the retry is of interest.
pub type AsyncRetryPolicy<C = DefaultClassifier> = AsyncPolicy<C>;
