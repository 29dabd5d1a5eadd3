//! Policies on smol: their calls on its executors, and its timer.
//!
//! The core tests the decisions, and `redress-conformance` tests that they are the same on this
//! runtime. No test here depends on how long it takes.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod auto_traits;
mod executors;
mod timer;
mod workers;
