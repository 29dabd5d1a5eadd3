//! redress events and calls as [`tracing`] spans and events.
//!
//! [`TracingObserver`] is an observer like any other: give it to a policy's `.observer(..)`, or to
//! a call's. Each call gets a span, which is current while the operation runs, so what the
//! operation does is below it; retries, ends and breaker changes become events in it.
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
//! It knows no subscriber. It records classes, reasons, names and times, and never an error's text,
//! which may hold what logs must not.

#![forbid(unsafe_code)]

mod levels;
pub use levels::TracingObserverBuilder;

mod emit;

mod call;

mod observer;
pub use observer::TracingObserver;

/// The target of the spans of calls, and of events that say how a call ended: `redress::call`.
pub const CALL_TARGET: &str = "redress::call";

/// The target of the spans of attempts, and of events about attempts, retries among them:
/// `redress::attempt`.
pub const ATTEMPT_TARGET: &str = "redress::attempt";

/// The target of events about a breaker's changes of state: `redress::breaker`. (A rejection ends a
/// call, so it is not here.)
pub const BREAKER_TARGET: &str = "redress::breaker";

/// The name of the spans of calls.
pub const SPAN_NAME: &str = "redress.call";

/// The name of the spans of attempts, where they are [asked
/// for](TracingObserverBuilder::attempt_span_level).
pub const ATTEMPT_SPAN_NAME: &str = "redress.attempt";

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
