//! The observer on real SDKs: the exported data, the parents of spans, and isolation from faults.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod telemetry;

mod spans;
mod attempts;
mod concurrency;
mod endings;
mod links;

mod metrics;
mod budgets;
mod circuits;

mod collector;
mod otlp;
mod backends;
mod propagation;

mod containment;
mod globals;
