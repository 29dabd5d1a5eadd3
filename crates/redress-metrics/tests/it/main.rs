//! Policies with a real Prometheus exporter, scraped over its socket and parsed strictly.
//!
//! The tests check what the exporter shows. The core tests what the events mean.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod exposition;
mod exporter;

mod budgets;
mod calls;
mod circuits;
mod hostile;
mod keyed;
mod limits;
mod original;
mod recorders;
