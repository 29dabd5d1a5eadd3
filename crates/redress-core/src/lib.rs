//! The engine of redress: every failure is classified once, and retry, backoff, circuit breaker,
//! budget and deadline all act on that class.
//!
//! Most users depend on the facade crate `redress`, which re-exports everything here under the same
//! names. Depend on this crate to write a driver, a timer, a classifier or an observer.
//!
//! What most programs name is at the root; the rest lies in modules by what a program does:
//! [`classify`] failures, choose a backoff [`strategy`], guard a dependency with a [`breaker`] and
//! a [`budget`], configure a [`policy`], [`observe`] calls, handle an [`error`](mod@error), or
//! write a [`driver`].
//!
//! The crate has no runtime and no features, and depends on `fastrand`, `pin-project-lite` and
//! `thiserror` alone.

#![forbid(unsafe_code)]

mod closed_set;
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
mod drive;
pub mod driver;

#[cfg(all(test, loom))]
mod loom;

pub use crate::breaker::CircuitBreaker;
pub use crate::budget::Budget;
pub use crate::classify::{Classification, Classifier, ErrorClass, default_classifier, error_classifier};
pub use crate::driver::{AsyncCaller, Attempt, Caller};
pub use crate::error::{CallError, Cause, ConfigError};
pub use crate::observe::{Event, EventName, Observer, OutcomeSummary, RetryOutcome, RetryTimeline, StopReason};
pub use crate::policy::{
    AbortHandle, AsyncPolicy, AsyncRetryPolicy, CallContext, Policy, Retry, RetryPolicy, SleepDecision,
};
pub use crate::strategy::{decorrelated_jitter, exponential, fixed, retry_after_or};
