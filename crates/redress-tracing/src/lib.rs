//! redress events and calls as [`tracing`] spans and events.
//!
//! Pass a [`TracingObserver`] to a policy's `.observer(..)`, or to a single call's. Each call gets
//! a span that is current while the operation runs, so everything the operation does belongs to it.
//! Retries, ends of calls and breaker changes become events in the span.
//!
//! ```
//! use std::io;
//! use redress::{EventName, Policy};
//! use redress::observe::tracing::TracingObserver;
//! use tracing::Level;
//!
//! let observer = TracingObserver::builder().level(EventName::Retry, Level::WARN).build();
//! let policy = Policy::builder().observer(observer).build()?;
//! policy.operation("load_user").call(|| Ok::<_, io::Error>("ada"))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It works with any subscriber. It records classes, reasons, names and times, but never error
//! texts, which may contain data that must not be logged.

#![forbid(unsafe_code)]

mod levels;
pub use levels::TracingObserverBuilder;

mod emit;

mod call;

mod observer;
pub use observer::TracingObserver;

/// The target of the spans of calls, and of events for the ends of calls: `redress::call`.
pub const CALL_TARGET: &str = "redress::call";

/// The target of attempt spans, and of events for retries and ends of attempts: `redress::attempt`.
pub const ATTEMPT_TARGET: &str = "redress::attempt";

/// The target of events for a breaker's changes of state: `redress::breaker`. A rejection ends a
/// call, so its target is [`CALL_TARGET`].
pub const BREAKER_TARGET: &str = "redress::breaker";

/// The name of the spans of calls.
pub const SPAN_NAME: &str = "redress.call";

/// The name of attempt spans, if [enabled](TracingObserverBuilder::attempt_span_level).
pub const ATTEMPT_SPAN_NAME: &str = "redress.attempt";

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
