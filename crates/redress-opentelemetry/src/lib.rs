//! redress calls as OpenTelemetry spans and metrics.
//!
//! - [`OtelObserver`] gives each call a span, with an event for each attempt, and keeps retries,
//!   durations, breaker states and what budgets have left in metrics. It is one more observer of a
//!   policy: [`observer`](redress_core::policy::PolicyBuilder::observer) takes it.
//! - [`linked`] links the calls that are begun in a context to another span: a deferred call that
//!   somebody takes up again.
//! - `inject_context` and `extract_context`, with the feature `http`: the trace context of each
//!   attempt in its headers, and of a request that came.
//! - [`EventCounter`] counts every event by name, in one counter.
//!
//! ```
//! use std::io;
//! use redress::Policy;
//! use redress::observe::opentelemetry::OtelObserver;
//!
//! // The process's providers are set by now, or this stays silent.
//! let otel = OtelObserver::new();
//! let policy = Policy::builder().observer(otel.clone()).build()?;
//! policy.operation("load_user").call(|| Ok::<_, io::Error>(7)).unwrap();
//! # Ok::<(), redress::ConfigError>(())
//! ```
//!
//! The names of spans, attributes and metrics, and where they differ from the Python original's,
//! stand in the
//! [README](https://github.com/redress-rs/redress/tree/main/crates/redress-opentelemetry). Of
//! OpenTelemetry this crate uses the API alone: no SDK, no exporter, no runtime.

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
