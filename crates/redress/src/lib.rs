#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod integration;
pub mod observe;
pub mod runtime;

#[doc(inline)]
pub use redress_core::{
    AbortHandle, AsyncCaller, Attempt, Budget, CallContext, CallError, Caller, Cause, CircuitBreaker, Classification,
    Classifier, ConfigError, ErrorClass, Event, EventName, Observer, OutcomeSummary, Policy, Retry, RetryOutcome,
    RetryPolicy, RetryTimeline, SleepDecision, StopReason, decorrelated_jitter, default_classifier, error_classifier,
    exponential, fixed, retry_after_or,
};
#[doc(inline)]
pub use redress_core::{breaker, budget, classify, driver, error, policy, strategy};
#[cfg(feature = "testing")]
#[doc(inline)]
pub use redress_testing as testing;

/// The policy for asynchronous code before a timer is chosen:
/// `AsyncPolicy::builder().timer(MyTimer)`.
///
/// On a runtime that redress knows take that runtime's policy, such as
/// [`redress::runtime::tokio::AsyncPolicy`](runtime). With a timer of your own, name the result
/// [`redress::policy::AsyncPolicy<DefaultClassifier, MyTimer>`](policy::AsyncPolicy).
pub type AsyncPolicy<C = classify::DefaultClassifier> = policy::AsyncPolicy<C, driver::NoTimer>;

/// Another name for [`AsyncPolicy`], for fields and signatures where nothing but the retry is of
/// interest.
pub type AsyncRetryPolicy<C = classify::DefaultClassifier> = AsyncPolicy<C>;
