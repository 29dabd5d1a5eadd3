//! Failure handling for Rust services that call other services: every failure is classified once,
//! and retry, backoff, circuit breaker, budget, deadline and observers act on its class.
//!
//! ```
//! use std::io::{Error, ErrorKind};
//! use std::time::Duration;
//! use redress::{CallError, Policy};
//!
//! let policy = Policy::http() // a preset: retry, budget, breaker, time limits
//!     .name("users")
//!     .deadline(Duration::from_secs(20)) // what is set wins
//!     .build()?; // build it once, and share it
//!
//! let load = || Err::<String, _>(Error::from(ErrorKind::PermissionDenied));
//! match policy.operation("load_user").call(load) {
//!     Ok(user) => println!("{user}"),
//!     Err(CallError::CircuitOpen(rejection)) => println!("call again in {:?}", rejection.retry_in()),
//!     Err(failed) => println!("{failed}"), // load_user failed (not permitted): ..
//! }
//! # Ok::<(), redress::ConfigError>(())
//! ```
//!
//! # Where to start
//!
//! Eight things cover most programs:
//!
//! 1. [`Policy`] and [`AsyncPolicy`] guard calls. Build one per dependency and clone it.
//!    Begin with a [preset](policy::Preset) for the kind of calls, such as [`Policy::http`], or
//!    with an empty [`Policy::builder`].
//! 2. [`Retry`] limits the attempts and chooses the wait before each retry, with a strategy such as
//!    [`decorrelated_jitter`], [`exponential`] or [`fixed`].
//! 3. [`CircuitBreaker`] rejects calls while a dependency keeps failing.
//! 4. [`Budget`] limits the retries of all calls together.
//! 5. [`ErrorClass`] and [`Classifier`] say what a failure means. The [default
//!    classifier](default_classifier) knows `std::io::Error` and the errors of
//!    [`error`](mod@error).
//! 6. [`CallContext`] adds settings to single calls: operation name, deadline, hooks, aborts.
//! 7. [`CallError`] and [`RetryOutcome`] are the results of `call` and `execute`. Both say why the
//!    call ended, with a [`StopReason`].
//! 8. [`Observer`] receives every [`Event`] and attempt, for metrics, logs and traces.
//!
//! For asynchronous code, use the policy of a runtime, such as
//! `redress::runtime::tokio::AsyncPolicy` with the feature `tokio`. It has the same methods as
//! [`Policy`], awaited.
//!
//! # Modules
//!
//! - [`policy`]: policies, their builders and specs, and settings of single calls.
//! - [`strategy`]: backoff strategies, and the trait for custom ones.
//! - [`breaker`], [`budget`]: the circuit breaker, the retry budget, and their settings.
//! - [`classify`]: error classes and classifiers.
//! - [`error`](mod@error): the errors of calls and builders, and errors that operations can return.
//! - [`observe`]: events, attempts, timelines and outcomes; observers for `metrics`, `prometheus`,
//!   `datadog`, `opentelemetry`, `sentry` and `tracing`, and what a new one is made of.
//! - `redress::config`: policies, breakers and budgets in files, with reload.
//! - [`runtime`]: asynchronous policies for tokio, smol and async-std.
//! - [`integration`]: HTTP classifiers, retrying clients over hyper, reqwest and ureq, tower
//!   layers, axum servers, gRPC with tonic, job queues of apalis; classifiers for databases, Redis,
//!   AWS and model vendors.
//! - [`driver`]: timers, clocks, calls that are polled manually, and the traits that let a test
//!   replace a policy.
//! - `redress::testing`: a virtual clock, scripted operations, fakes and recorders, for tests.
//!
//! The adapters and `testing` are behind features of the same names, and the macros behind
//! `macros`: a derive for [`Classify`] and the attribute `retry`. No feature is on by default.
//!
//! # How a call runs
//!
//! 1. The breaker admits or rejects the call.
//! 2. The operation runs. The classifier reads its result: a success ends the call, a failure gets
//!    an [`ErrorClass`] and perhaps a `retry_after` hint.
//! 3. `Auth`, `Permission` and `Permanent` failures end the call. For other classes, the caps of
//!    the class, the deadline and the number of attempts are checked.
//! 4. The strategy of the class computes the wait, which is at least the hint. A wait that does not
//!    end before the deadline is not started.
//! 5. The retry takes a token from the budget, the call waits, and the operation runs again.
//! 6. The end of the call is reported to the breaker, once per call, and to observers.

#![forbid(unsafe_code)]

pub mod integration;
pub mod observe;
pub mod runtime;

#[doc(inline)]
#[cfg(feature = "config")]
#[doc(inline)]
pub use redress_config as config;
#[doc(hidden)]
pub use redress_core::macro_support;
#[doc(inline)]
pub use redress_core::{
    AbortHandle, AsyncCaller, Attempt, Budget, CallContext, CallError, Caller, Cause, CircuitBreaker, Classification,
    Classifier, Classify, ConfigError, ErrorClass, Event, EventName, Observer, OutcomeSummary, Policy, Retry,
    RetryOutcome, RetryPolicy, RetryTimeline, SleepDecision, StopReason, classifier, decorrelated_jitter,
    default_classifier, error_classifier, exponential, fixed, retry_after_or,
};
pub use redress_core::{breaker, budget, classify, driver, error, policy, resume, strategy};
#[cfg(feature = "doctor")]
#[doc(inline)]
pub use redress_doctor as doctor;
#[cfg(feature = "macros")]
#[doc(inline)]
pub use redress_macros::{Classify, retry};
#[cfg(feature = "testing")]
#[doc(inline)]
pub use redress_testing as testing;

/// An asynchronous policy without a timer, to build one with a custom timer:
/// `AsyncPolicy::builder().timer(MyTimer)`.
///
/// For a supported runtime, use its policy instead, such as
/// [`redress::runtime::tokio::AsyncPolicy`](runtime). The type of a policy with a custom timer is
/// [`redress::policy::AsyncPolicy<DefaultClassifier, MyTimer>`](policy::AsyncPolicy).
pub type AsyncPolicy<C = classify::DefaultClassifier> = policy::AsyncPolicy<C, driver::NoTimer>;

/// Alias of [`AsyncPolicy`], for fields and signatures of code that only retries.
pub type AsyncRetryPolicy<C = classify::DefaultClassifier> = AsyncPolicy<C>;

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
