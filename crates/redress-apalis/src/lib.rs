//! Calls that go on in a later delivery, for the job queues of apalis.
//!
//! A handler takes a [`Deferral`], resumes the call that its task belongs to, and
//! [settles](Deferral::settle) the outcome: the task is done, is given up, or is replaced by one
//! that runs later and continues the call.

#![forbid(unsafe_code)]

mod deferral;
mod push_error;

pub use deferral::{Deferral, METADATA_KEY};
pub use push_error::PushError;

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
