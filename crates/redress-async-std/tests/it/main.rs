//! The policies on async-std: their calls on its executor, its timer, and where calls may run.
//!
//! Owns what is async-std's about them. The decisions are tested in the core, and that they are the
//! same on this runtime in `redress-conformance`. Nothing here looks at how long it took.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

mod auto_traits;
mod executors;
mod timer;
