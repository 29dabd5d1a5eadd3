//! The policies on async-std: the recorded behaviour on its executor, its timer, and where calls may run.
//!
//! Owns what is async-std's about them; the decisions themselves are tested in the core. Nothing here looks at how long it
//! took.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

mod auto_traits;
mod conformance;
mod executors;
mod timer;
