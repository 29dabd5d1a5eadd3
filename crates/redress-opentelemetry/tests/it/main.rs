//! The observer on real SDKs: what is exported, whose child each span is, and what nothing may
//! disturb.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

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
