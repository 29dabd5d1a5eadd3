//! Policies at work under a real Prometheus exporter, scraped over its socket and read strictly.
//!
//! Owns what is written to the facade and what arrives. What the events mean is tested in the core.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

mod exposition;
mod exporter;

mod budgets;
mod calls;
mod circuits;
mod hostile;
mod limits;
mod original;
mod recorders;
