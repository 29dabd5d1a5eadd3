//! redress calls as OpenTelemetry spans and metrics.
//!
//! - [`OtelObserver`] gives each call a span with an event for each attempt, and records metrics
//!   for retries, durations, breaker states and budgets. Pass it to
//!   [`observer`](redress_core::policy::PolicyBuilder::observer) of a policy.
//! - [`linked`] links the calls made in a context to another span, for a deferred call that is
//!   resumed later.
//! - `inject_context` and `extract_context` (feature `http`) write the trace context into the
//!   headers of each attempt, and read it from the headers of a received request.
//! - [`EventCounter`] counts every event by name, in one counter.
//!
//! ```
//! use std::io;
//! use redress::Policy;
//! use redress::observe::opentelemetry::OtelObserver;
//!
//! // Set the global providers first; otherwise this stays silent.
//! let otel = OtelObserver::new();
//! let policy = Policy::builder().observer(otel.clone()).build()?;
//! policy.operation("load_user").call(|| Ok::<_, io::Error>(7)).unwrap();
//! # Ok::<(), redress::ConfigError>(())
//! ```
//!
//! The [README](https://github.com/redress-rs/redress/tree/main/crates/redress-opentelemetry) lists
//! the names of spans, attributes and metrics, and the differences from the Python original. This
//! crate uses only the API of OpenTelemetry, and no SDK, exporter or runtime.

#![forbid(unsafe_code)]

mod observer;
pub use observer::OtelObserver;

mod builder;
pub use builder::OtelObserverBuilder;

mod links;
pub use links::linked;

#[cfg(feature = "http")]
mod propagation;
#[cfg(feature = "http")]
pub use propagation::{extract_context, inject_context};

mod circuits;
pub use circuits::CircuitWatch;

mod budgets;
pub use budgets::BudgetWatch;

mod event_counter;
pub use event_counter::EventCounter;

mod attributes;
mod bounds;
mod call_span;
mod instruments;

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
