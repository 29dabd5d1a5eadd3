#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub use redress_core as core;
pub use redress_core::{
    AbortRetry, AbortRetryError, AbortedError, Adaptive, Admission, ArcClassifier, Async, AsyncCaller, Attempt,
    AttemptContext, AttemptDecision, BackoffContext, Blocking, BoxError, BoxedClassifier, Breaker, BreakerSource,
    Budget, CallContext, CallError, CallObserver, CallResult, CallStart, Caller, Cause, CircuitBreaker,
    CircuitBreakerBuilder, CircuitOpenError, CircuitState, Classification, Classifier, Clock, ConcurrencyError,
    ConfigError, ConfigIssue, DecorrelatedJitter, DefaultClassifier, DrivenCall, EqualJitter, ErrorClass,
    ErrorClassifier, Event, EventName, FailedError, Failure, Feedback, Fixed, HookFuture, InstantTimer, NamedCaller,
    NoTimer, Observer, Operation, OrElse, OutcomeSummary, PerClass, PermanentError, Permit, Policy, PolicyBuilder,
    RateLimitError, Report, ResultClassifier, Retry, RetryAfterOr, RetryBuilder, RetryConfig, RetryExhaustedError,
    RetryOutcome, RetryPolicy, RetryTimeline, ServerError, SleepDecision, StatusError, StopReason, Strategy,
    TimelineEvent, Timer, TokenBackoff, Transition, adaptive, boxed_classifier, decorrelated_jitter,
    default_classifier, equal_jitter, error_classifier, fixed, result_classifier, retry_after_or, source_chain,
    strict_classifier, token_backoff,
};
#[cfg(feature = "http")]
pub use redress_http as http;
#[cfg(feature = "tokio")]
pub use redress_tokio as tokio;

/// [`redress::core::AsyncPolicy`](core::AsyncPolicy) before a timer is chosen: `AsyncPolicy::builder().timer(MyTimer)`.
///
/// On a runtime that redress knows take that runtime's policy, such as `redress::tokio::AsyncPolicy`; with a timer of your own, name
/// the result `redress::core::AsyncPolicy<DefaultClassifier, MyTimer>`.
pub type AsyncPolicy<C = DefaultClassifier> = core::AsyncPolicy<C, NoTimer>;

/// [`redress::core::AsyncRetryPolicy`](core::AsyncRetryPolicy) before a timer is chosen; see [`AsyncPolicy`].
pub type AsyncRetryPolicy = core::AsyncRetryPolicy<NoTimer>;
