//! The output in a real subscriber: spans, their parents, events, levels and text.
//!
//! The core tests what the events mean.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod capture;

mod attempts;
mod breakers;
mod calls;
mod concurrency;
mod endings;
mod hostile;
mod levels;
mod panicking;
mod text;
