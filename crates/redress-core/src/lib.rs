//! The engine of redress: every failure is classified once, and retry, backoff, circuit breaker,
//! budget and deadline all act on that class.
//!
//! Most users depend on the facade crate `redress`, which re-exports everything here under the same
//! names. Depend on this crate to write a driver, a timer, a classifier or an observer.
//!
//! ```
//! use std::io::{Error, ErrorKind};
//! use std::time::Duration;
//! use redress::{CallError, CircuitBreaker, Policy, Retry};
//!
//! let policy = Policy::builder()
//!     .retry(Retry::builder().max_attempts(4))
//!     .deadline(Duration::from_secs(20))
//!     .circuit_breaker(CircuitBreaker::builder().failure_threshold(5))
//!     .build()?;
//!
//! let mut results = vec![Ok("page"), Err(Error::from(ErrorKind::ConnectionReset))];
//! let page = policy.operation("load_page").call(|| results.pop().expect("two attempts suffice"));
//! assert_eq!(page.expect("the second attempt succeeds"), "page");
//!
//! let failed = policy.call(|| Err::<(), _>(Error::from(ErrorKind::PermissionDenied)));
//! assert!(matches!(failed, Err(CallError::Failed(_))), "not retried");
//! # Ok::<(), redress::ConfigError>(())
//! ```
//!
//! # Where to start
//!
//! Eight things cover most programs:
//!
//! 1. [`Policy`] and [`AsyncPolicy`] guard calls. Build one per dependency and clone it.
//! 2. [`Retry`] limits the attempts and chooses the wait before each retry, with a
//!    [`strategy`].
//! 3. [`CircuitBreaker`] rejects calls while a dependency keeps failing.
//! 4. [`Budget`] limits the retries of all calls together.
//! 5. [`ErrorClass`] and [`Classifier`] say what a failure means. The [default
//!    classifier](classify::DefaultClassifier) reads every `std::error::Error`.
//! 6. [`CallContext`] adds settings to single calls: operation name, deadline, hooks, aborts.
//! 7. [`CallError`] and [`RetryOutcome`] are the results of `call` and `execute`. Both say why the
//!    call ended, with a [`StopReason`].
//! 8. [`Observer`] receives every [`Event`] and attempt, for metrics, logs and traces.
//!
//! # Modules
//!
//! The root has the names that most programs use. The modules have all names, by task:
//!
//! | module | task |
//! |---|---|
//! | [`policy`] | configure retries, deadlines and hooks, for a policy or for one call |
//! | [`classify`] | decide what a failure is |
//! | [`strategy`] | choose or write a backoff |
//! | [`breaker`] | guard a dependency with a circuit breaker |
//! | [`budget`] | bound the retries of several policies |
//! | [`error`](mod@error) | handle the error of a call or of a configuration, or return a marker error |
//! | [`observe`] | receive events and attempts, read outcomes and timelines |
//! | [`resume`] | continue a deferred call in a later delivery of a job |
//! | [`driver`] | support another runtime, poll calls manually, replace policies in tests |
//!
//! The crate needs no runtime and has no features. It depends only on `fastrand`,
//! `pin-project-lite` and `thiserror`.

#![forbid(unsafe_code)]

mod closed_set;
mod stripes;
mod sync;

pub mod classify;
pub mod strategy;
pub mod budget;
pub mod breaker;
mod engine;
mod outcome;
pub mod observe;
pub mod error;
pub mod policy;
pub mod resume;
mod drive;
pub mod driver;
#[doc(hidden)]
pub mod macro_support;

#[cfg(all(test, loom))]
mod loom;

pub use crate::breaker::CircuitBreaker;
pub use crate::budget::Budget;
pub use crate::classify::{
    Classification, Classifier, Classify, ErrorClass, classifier, default_classifier, error_classifier,
};
pub use crate::driver::{AsyncCaller, Attempt, Caller};
pub use crate::error::{CallError, Cause, ConfigError};
pub use crate::observe::{Event, EventName, Observer, OutcomeSummary, RetryOutcome, RetryTimeline, StopReason};
pub use crate::policy::{
    AbortHandle, AsyncPolicy, AsyncRetryPolicy, CallContext, Policy, Retry, RetryPolicy, SleepDecision,
};
pub use crate::strategy::{decorrelated_jitter, exponential, fixed, retry_after_or};
