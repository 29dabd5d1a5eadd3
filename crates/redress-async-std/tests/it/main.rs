//! Policies on async-std: their calls on its executor, and its timer.
//!
//! The core tests the decisions, and `redress-conformance` tests that they are the same on this
//! runtime. No test here depends on how long it takes.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

mod auto_traits;
mod executors;
mod timer;
