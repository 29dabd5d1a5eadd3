//! What arrives in a real subscriber: spans, their parents, events, levels, and text.
//!
//! Owns what is told of calls. What the events mean is tested in the core.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

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
